/**
 * The batches that this process has answered with 202 lately, for one case: Redis loses them before the job mirror of
 * the workers has told Postgres of them. Then their jobs are told from here, and found to be lost like all others. When
 * they become many (no worker runs), and when the process stops in order, Postgres is told of those that have not ended.
 * What a process accepted that ends without order, together with Redis, nobody knows but its producer.
 */
import type { EntryMeta } from "../../contract/entry.ts";
import type { Logger } from "../../ops/log.ts";
import { Polling } from "../../ops/polling.ts";
import { withDeadline } from "../../ops/retry.ts";
import type { JobStore } from "../../store/jobs.ts";
import type { Whereabouts } from "../../stream/whereabouts.ts";

const EVERY_MS = 1_000;
/** Remembered, 3 MB. From half of them on Postgres is told; the rest is for those of the next looks. */
const MAX_BATCHES = 10_000;
/** Told in one statement. */
const TOLD_AT_ONCE = 1_000;

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
  /** Batches that went out of memory before anybody was told of them, since it was last said. */
  #untold = 0;
  readonly #polling: Polling;

  constructor(
    private readonly settings: RecentBatchesSettings,
    private readonly whereabouts: Pick<Whereabouts, "lineage" | "forgotten" | "open">,
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

  /** Tells Postgres what only this process may know. Without Redis or Postgres it says how many those are. */
  async stop(left_ms: number): Promise<void> {
    await this.#polling.stop();
    try {
      await withDeadline(this.#handOver(), left_ms, "telling PostgreSQL of recent batches");
    } catch (err) {
      this.log.warn(
        { err, batches: this.#recent.size },
        "these batches are known to Redis only, until a worker runs",
      );
    }
  }

  /** A batch was accepted. */
  note(meta: EntryMeta): void {
    this.#recent.set(meta.job_id, meta);
    if (this.#recent.size <= this.#max) return;
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest);
      this.#untold += 1;
      return;
    }
  }

  get #max(): number {
    return this.settings.max_batches ?? MAX_BATCHES;
  }

  /** @throws {StreamUnavailableError} @throws {StoreUnavailableError} the next look does what this one could not */
  async look(): Promise<void> {
    const partitions = Array.from({ length: this.settings.partitions }, (_, p) => p);
    await Promise.all(partitions.map((p) => this.#lookAt(p)));
    if (this.#inDoubt) await this.#tell();
    if (this.#recent.size > this.#max / 2) await this.#handOver();
    if (this.#untold === 0) return;
    this.log.warn(
      { batches: this.#untold },
      "more was accepted than PostgreSQL could be told of: known to Redis only",
    );
    this.#untold = 0;
  }

  /** Whatever has ended is in Postgres; of the rest it is told. Then all of them are known there. */
  async #handOver(): Promise<void> {
    const known = [...this.#recent.keys()];
    const open = await this.whereabouts.open(known);
    for (let at = 0; at < open.length; at += TOLD_AT_ONCE)
      await this.#mirror(open.slice(at, at + TOLD_AT_ONCE));
    for (const job_id of known) this.#recent.delete(job_id);
  }

  /** @returns those of which Postgres was told */
  async #mirror(job_ids: readonly string[]): Promise<EntryMeta[]> {
    const metas = job_ids.flatMap((id) => this.#recent.get(id) ?? []);
    await this.jobs.mirror(metas.map((meta) => ({ meta, status: "queued" as const })));
    return metas;
  }

  async #lookAt(partition: number): Promise<void> {
    const lineage = await this.whereabouts.lineage(partition);
    const before = this.#lineages.get(partition);
    if (before !== undefined && before !== lineage) this.#inDoubt = true;
    this.#lineages.set(partition, lineage);
  }

  async #tell(): Promise<void> {
    const forgotten = await this.whereabouts.forgotten([...this.#recent.keys()]);
    const told = await this.#mirror(forgotten);
    for (const { job_id } of told) this.#recent.delete(job_id);
    this.#inDoubt = false;
    this.log.warn(
      { batches: this.#recent.size + told.length, missing: told.length },
      "Redis was restarted, emptied or replaced",
    );
  }
}
