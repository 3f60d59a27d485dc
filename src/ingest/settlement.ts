/**
 * The end of a group: COMMIT, then the job hashes and the acknowledgement. Decides what an error means for the
 * entries (design, invariant 5): infrastructure faults wait, a guilty row is quarantined, a guilty entry is found
 * by splitting and goes to the dead letters.
 */

import type { EntryMeta } from "../contract/entry.ts";
import type { JobRecord } from "../contract/job.ts";
import type { RefusalReason } from "../contract/refusal.ts";
import { Backoff, sleep, unlessAborted } from "../ops/retry.ts";
import { classify, StoreUnavailableError } from "../store/errors.ts";
import { SensorTakenError } from "../store/sensor-registration.ts";
import { AlreadyEndedError, type Committed } from "../store/writer.ts";
import { StreamUnavailableError } from "../stream/connection.ts";
import type { StreamEntry } from "../stream/consumer.ts";
import { type Delivery, type PreparedGroup, prepare, refuseRows } from "./group.ts";
import type { PipelineDeps } from "./pipeline.ts";

/** An entry that cannot be processed. */
export interface Poison {
  readonly entry: StreamEntry;
  readonly meta: EntryMeta | null;
  readonly reason: string;
}

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
  async bury({ entry, meta, reason }: Poison): Promise<void> {
    const { clock, consumer, jobs } = this.deps;
    await this.#persist("burying an entry", async () => {
      const now_ms = clock.now_ms();
      const stream_entry = `${entry.partition}/${entry.id}`;
      if (meta) {
        const job = await jobs.fail(meta, reason, now_ms, consumer.name, stream_entry);
        if (isAccounted(job)) return consumer.settle([{ entry, job }]);
      }
      await this.#toDeadLetters({ entry, meta, reason }, meta ? failedJob(meta, reason, now_ms) : null);
    });
  }

  async #toDeadLetters({ entry, meta, reason }: Poison, job: JobRecord | null): Promise<void> {
    const { clock, consumer, log, tell } = this.deps;
    await consumer.bury(entry, reason, clock.now_ms(), job);
    tell({ kind: "dead_letter" });
    const place = `${entry.partition}/${entry.id}`;
    const { job_id, request_id } = meta ?? {};
    log.error({ job_id, request_id, entry: place, reason }, "entry moved to the dead letters");
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
    const done: { entry: StreamEntry; job: JobRecord; meta: EntryMeta }[] = [];
    for (const { entry, meta } of deliveries) {
      const job = ended.get(meta.job_id);
      if (!job) continue;
      if (isAccounted(job)) done.push({ entry, job, meta });
      else await this.#toDeadLetters({ entry, meta, reason: job.error_message ?? "unknown" }, job);
    }
    await this.deps.consumer.settle(done);
    // Whoever had the entry before died between COMMIT and acknowledgement, and so before its line.
    for (const { entry, job, meta } of done) if (entry.redelivered) this.#logEnd(job, meta.request_id);
    return deliveries.filter(({ meta }) => !ended.has(meta.job_id));
  }

  /** COMMIT, waiting out infrastructure faults. Undefined when given up. */
  #committed(group: PreparedGroup): Promise<Committed | undefined> {
    return this.#persist("writing a group", () => this.deps.writer.commit(group));
  }

  async #acknowledge(group: PreparedGroup, committed: Committed): Promise<void> {
    const ended = group.deliveries.map(({ entry }, i) => ({ entry, job: committed.jobs[i]! }));
    this.#report(group, committed);
    await this.#persist("acknowledging a group", () => this.deps.consumer.settle(ended));
    // After the acknowledgement: a successor that finds the entry unacknowledged writes the line instead.
    if (this.giveUp.aborted) return;
    for (const [i, { meta }] of group.deliveries.entries()) this.#logEnd(committed.jobs[i]!, meta.request_id);
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

  #report(group: PreparedGroup, committed: Committed): void {
    const { jobs, refusals, way, encode_ms, copy_ms, commit_ms } = committed;
    const sum = (pick: (job: JobRecord) => number) => jobs.reduce((n, job) => n + pick(job), 0);
    const quarantined: Partial<Record<RefusalReason, number>> = {};
    for (const { reason } of refusals) quarantined[reason] = (quarantined[reason] ?? 0) + 1;
    const now_ms = this.deps.clock.now_ms();
    this.deps.tell({
      kind: "committed",
      report: {
        jobs_completed: sum((job) => Number(job.status === "completed")),
        jobs_failed: sum((job) => Number(job.status === "failed")),
        inserted: sum((job) => job.inserted_readings),
        duplicate: sum((job) => job.duplicate_readings),
        quarantined,
        way,
        parse_ms: group.parse_ms,
        check_ms: group.check_ms,
        encode_ms,
        copy_ms,
        commit_ms,
        oldest_ms: Math.max(0, now_ms - Math.min(...jobs.map((job) => job.created_at_ms))),
      },
    });
  }

  /** The one line of a job. */
  #logEnd(job: JobRecord, request_id: string): void {
    this.deps.log.info(
      {
        job_id: job.job_id,
        request_id,
        system_id: job.system_id,
        total: job.total_readings,
        inserted: job.inserted_readings,
        duplicate: job.duplicate_readings,
        quarantined: job.quarantined_readings,
        ms: (job.completed_at_ms ?? 0) - job.created_at_ms,
        ...(job.error_message ? { error: job.error_message } : {}),
      },
      `job ${job.status}`,
    );
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof StreamUnavailableError || error instanceof StoreUnavailableError) return true;
  return classify(error) === "unavailable";
}

/** Every reading of an ended job is stored or in quarantine: nothing is left to be done, or to be lost. */
function isAccounted(job: JobRecord): boolean {
  const { total_readings: total, inserted_readings, duplicate_readings, quarantined_readings } = job;
  const accounted = inserted_readings + duplicate_readings + quarantined_readings === total;
  return job.status === "completed" || (job.status === "failed" && total > 0 && accounted);
}

function failedJob(meta: EntryMeta, reason: string, now_ms: number): JobRecord {
  return {
    job_id: meta.job_id,
    system_id: meta.system_id,
    created_by: meta.user_id,
    status: "failed",
    total_readings: meta.total_readings,
    inserted_readings: 0,
    duplicate_readings: 0,
    quarantined_readings: 0,
    created_at_ms: meta.received_at_ms,
    started_at_ms: now_ms,
    completed_at_ms: now_ms,
    error_message: reason,
  };
}
