/**
 * The batches that this process has answered with 202 lately, for one case: Redis loses them before the job mirror has
 * told Postgres of them. Then their jobs are told from here, and found to be lost like all others. What was accepted
 * by a process that ends together with Redis, within the mirror's last half second, nobody knows but its producer.
 */
import type { EntryMeta } from "../../contract/entry.ts";
import type { Logger } from "../../ops/log.ts";
import { Polling } from "../../ops/polling.ts";
import type { JobStore } from "../../store/jobs.ts";
import type { Whereabouts } from "../../stream/whereabouts.ts";

const EVERY_MS = 1_000;
/** Far more than are accepted before the mirror comes; 3 MB. */
const MAX_BATCHES = 10_000;

export interface RecentBatchesSettings {
  readonly partitions: number;
  readonly every_ms?: number;
  readonly max_batches?: number;
}

export class RecentBatches {
  /** In the order of their acceptance, by job. */
  readonly #recent = new Map<string, EntryMeta>();
  readonly #lineages = new Map<number, string>();
  /** Redis is not the one that the batches were given to, or was somewhere else meanwhile. */
  #inDoubt = false;
  readonly #polling: Polling;

  constructor(
    private readonly settings: RecentBatchesSettings,
    private readonly whereabouts: Pick<Whereabouts, "lineage" | "forgotten">,
    private readonly jobs: Pick<JobStore, "mirror">,
    private readonly log: Logger,
  ) {
    this.#polling = new Polling({
      every_ms: settings.every_ms ?? EVERY_MS,
      read: () => this.look(),
      log,
      away: "it is not known whether Redis still has what was accepted",
      back: "it is known again whether Redis still has what was accepted",
    });
  }

  /** Know which Redis the first batches are given to, and keep knowing it. @throws {StreamUnavailableError} */
  async start(): Promise<void> {
    await this.look();
    this.#polling.start();
  }

  async stop(): Promise<void> {
    await this.#polling.stop();
  }

  /** A batch was accepted. */
  note(meta: EntryMeta): void {
    this.#recent.set(meta.job_id, meta);
    if (this.#recent.size <= (this.settings.max_batches ?? MAX_BATCHES)) return;
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest);
      return;
    }
  }

  /** @throws {StreamUnavailableError} @throws {StoreUnavailableError} the next look does what this one could not */
  async look(): Promise<void> {
    const partitions = Array.from({ length: this.settings.partitions }, (_, p) => p);
    await Promise.all(partitions.map((p) => this.#lookAt(p)));
    if (this.#inDoubt) await this.#tell();
  }

  async #lookAt(partition: number): Promise<void> {
    const lineage = await this.whereabouts.lineage(partition);
    const before = this.#lineages.get(partition);
    if (before !== undefined && before !== lineage) this.#inDoubt = true;
    this.#lineages.set(partition, lineage);
  }

  async #tell(): Promise<void> {
    const forgotten = await this.whereabouts.forgotten([...this.#recent.keys()]);
    const open = forgotten.flatMap((id) => {
      const meta = this.#recent.get(id);
      return meta ? [{ meta, status: "queued" as const }] : [];
    });
    await this.jobs.mirror(open);
    for (const { meta } of open) this.#recent.delete(meta.job_id);
    this.#inDoubt = false;
    this.log.warn(
      { batches: this.#recent.size + open.length, missing: open.length },
      "Redis was restarted, emptied or replaced",
    );
  }
}
