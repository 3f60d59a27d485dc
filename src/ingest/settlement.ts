/**
 * The end of a group: COMMIT, then the job hashes and the acknowledgement. Decides what an error means for the
 * entries: infrastructure faults wait, a guilty row is quarantined, a guilty entry is found by splitting and goes to the
 * dead letters.
 */
import type { EntryMeta } from "../contract/entry.ts";
import type { JobRecord } from "../contract/job.ts";
import { Backoff, sleep, unlessAborted } from "../ops/retry.ts";
import { leading, NO_SPAN, type Span } from "../ops/trace.ts";
import { classify, StoreUnavailableError } from "../store/errors.ts";
import type { Committed } from "../store/writer/group.ts";
import { AlreadyEndedError } from "../store/writer/jobs.ts";
import { SensorTakenError } from "../store/writer/sensor-registration.ts";
import { StreamUnavailableError } from "../stream/connection.ts";
import type { StreamEntry } from "../stream/entries.ts";
import { messagingAttributes } from "../stream/messaging.ts";
import { endBatch } from "./batch-span.ts";
import { failedJob, isAccounted, logEnd, reportOf } from "./ended-job.ts";
import { type Delivery, type Poison, type PreparedGroup, prepare, refuseRows } from "./group.ts";
import type { PipelineDeps } from "./pipeline-deps.ts";

/** Attempts at an error that is neither the infrastructure's nor a row's. */
const MAX_ATTEMPTS = 3;

export class Settlement {
  readonly #backoff = new Backoff(100, 5_000);

  /** @param giveUp fires when what is not committed must stay in the stream */
  constructor(
    private readonly deps: PipelineDeps,
    private readonly giveUp: AbortSignal,
  ) {}

  /** Commit and acknowledge the group, whatever it takes; returns early only when `giveUp` fires. */
  async finish(group: PreparedGroup, attempt = 1): Promise<void> {
    if (group.deliveries.length === 0 || this.giveUp.aborted) return;
    const open = await this.#openOnly(group);
    if (open !== group) return this.#again(group, open.deliveries);
    try {
      const committed = await this.#committed(group);
      if (committed) await this.#acknowledge(group, committed);
    } catch (error) {
      await this.#judge(group, error, attempt);
    }
  }

  /** Move an entry to the dead letters; its job fails with the reason, unless it was committed by an earlier life. */
  async bury(poison: Poison): Promise<void> {
    const { entry, meta, reason, span } = poison;
    const { clock, consumer, jobs } = this.deps;
    await this.#persist("burying an entry", async () => {
      const now_ms = clock.now_ms();
      const stream_entry = `${entry.partition}/${entry.id}`;
      if (meta) {
        const job = await jobs.fail(meta, reason, now_ms, consumer.name, stream_entry);
        if (isAccounted(job)) {
          await consumer.settle([{ entry, job }]);
          if (span) endBatch(span, job);
          return;
        }
      }
      await this.#toDeadLetters(poison, meta ? failedJob(meta, reason, now_ms) : null);
    });
  }

  async #toDeadLetters(
    { entry, meta, reason, span = NO_SPAN }: Poison,
    job: JobRecord | null,
  ): Promise<void> {
    const { clock, consumer, log, tell } = this.deps;
    await consumer.bury(entry, reason, clock.now_ms(), job);
    tell({ kind: "dead_letter" });
    const place = `${entry.partition}/${entry.id}`;
    const { job_id, request_id } = meta ?? {};
    const trace_id = span.context?.trace_id;
    log.error({ job_id, request_id, trace_id, entry: place, reason }, "entry moved to the dead letters");
    span.fail(reason, "dead_letter");
    span.end();
  }

  /** Entries that were begun before may have been committed: then only the acknowledgement is missing. */
  async #openOnly(group: PreparedGroup): Promise<Pick<PreparedGroup, "deliveries">> {
    if (!group.deliveries.some(({ entry }) => entry.redelivered)) return group;
    const open = await this.#persist("reading the ledger", () => this.#settleEnded(group.deliveries));
    return open === undefined || open.length === group.deliveries.length ? group : { deliveries: open };
  }

  /**
   * Acknowledge those whose job has ended in Postgres; returns the others. A job that failed without its readings
   * being accounted for was about to be buried: its payload must not be lost.
   */
  async #settleEnded(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const rows = await this.deps.jobs.ended(deliveries.map(({ meta }) => meta.job_id));
    const ended = new Map(rows.map((job) => [job.job_id, job]));
    const done: { entry: StreamEntry; job: JobRecord; meta: EntryMeta; span: Span }[] = [];
    for (const delivery of deliveries) {
      const job = ended.get(delivery.meta.job_id);
      if (!job) continue;
      if (isAccounted(job)) done.push({ ...delivery, job });
      else await this.#toDeadLetters({ ...delivery, reason: job.error_message ?? "unknown" }, job);
    }
    await this.deps.consumer.settle(done);
    for (const { entry, job, meta, span } of done) {
      // Whoever had the entry before died between COMMIT and acknowledgement, and so before its line.
      if (entry.redelivered) logEnd(this.deps.log, job, meta.request_id, span);
      endBatch(span, job);
    }
    return deliveries.filter(({ meta }) => !ended.has(meta.job_id));
  }

  /** COMMIT, waiting out infrastructure faults. Undefined when given up. */
  #committed(group: PreparedGroup): Promise<Committed | undefined> {
    return this.#persist("writing a group", () => this.deps.writer.commit(group));
  }

  async #acknowledge(group: PreparedGroup, committed: Committed): Promise<void> {
    const { clock, consumer, log, tell } = this.deps;
    const ended = group.deliveries.map((delivery, i) => ({ ...delivery, job: committed.jobs[i]! }));
    tell({ kind: "committed", report: reportOf(group, committed, clock.now_ms()) });
    const begun_ms = performance.now();
    await this.#persist("acknowledging a group", () => consumer.settle(ended));
    // After the acknowledgement: a successor that finds the entry unacknowledged writes the line instead.
    if (this.giveUp.aborted) return;
    leading(group.spans).did("settle ingest", begun_ms, {
      kind: "client",
      attributes: messagingAttributes("settle"),
    });
    for (const { job, meta, span } of ended) {
      logEnd(log, job, meta.request_id, span);
      endBatch(span, job);
    }
  }

  async #judge(group: PreparedGroup, error: unknown, attempt: number): Promise<void> {
    if (error instanceof AlreadyEndedError) {
      const open = await this.#persist("reading the ledger", () => this.#settleEnded(group.deliveries));
      return this.#again(group, open ?? []);
    }
    const { deliveries } = group;
    if (error instanceof SensorTakenError) {
      const { registry } = this.deps;
      await this.#persist("looking sensors up", () => registry.learnSensors(error.sensor_ids));
      return this.#again(group, deliveries);
    }
    const fault = classify(error);
    this.deps.log.error(
      { err: error, jobs: deliveries.length, attempt, fault },
      "a group could not be written",
    );
    if (fault === "data" && deliveries.length === 1) return this.#refuseGuiltyRows(group, error as Error);
    if (fault === "data" || attempt >= MAX_ATTEMPTS) {
      if (deliveries.length === 1) return this.bury({ ...deliveries[0]!, reason: (error as Error).message });
      const middle = deliveries.length >>> 1;
      await this.#again(group, deliveries.slice(0, middle));
      return this.#again(group, deliveries.slice(middle));
    }
    await sleep(this.#backoff.next_ms(), this.giveUp);
    return this.finish(group, attempt + 1);
  }

  /** Each round leaves fewer rows, so this ends; when no row is guilty by itself, the entry is. */
  async #refuseGuiltyRows(group: PreparedGroup, error: Error): Promise<void> {
    const delivery = group.deliveries[0]!;
    let guilty: Map<number, string> | undefined;
    try {
      guilty = await this.#persist("looking for guilty rows", () => this.deps.writer.guiltyRows(group));
    } catch (probing) {
      return this.bury({ ...delivery, reason: (probing as Error).message });
    }
    if (!guilty) return;
    if (guilty.size > 0) return this.finish(refuseRows(group, guilty));
    return this.bury({ ...delivery, reason: error.message });
  }

  /** The same for some of the group's deliveries, prepared anew: their rows may no longer compete with the others'. */
  async #again(group: PreparedGroup, deliveries: readonly Delivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    const { registry, rules } = this.deps;
    const started_at_ms = group.jobs[0]!.started_at_ms;
    await this.finish(prepare(deliveries, registry, started_at_ms, rules, group.parse_ms));
  }

  /** Repeat while the infrastructure is at fault. Undefined when given up. @throws any other error */
  async #persist<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    let failures = 0;
    while (!this.giveUp.aborted) {
      try {
        const result = await unlessAborted(work(), this.giveUp);
        if (failures > 0) this.deps.log.info({ failures }, `${what} succeeded again`);
        this.#backoff.reset();
        return result;
      } catch (error) {
        if (!isPassing(error)) throw error;
        failures += 1;
        this.deps.tell({ kind: "retrying", fault: (error as Error).name });
        if (failures === 1)
          this.deps.log.warn({ err: (error as Error).message }, `${what} failed, trying again`);
        await sleep(this.#backoff.next_ms(), this.giveUp);
      }
    }
    return undefined;
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof StreamUnavailableError || error instanceof StoreUnavailableError) return true;
  return classify(error) === "unavailable";
}
