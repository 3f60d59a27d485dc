/**
 * What producers know: which batches have a job, and of which they cannot know. Each 202 is on disk before the producer
 * goes on, a line each: `lane n job_id at_ms status`, so that a run can be judged again from its folder.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import type { LaneBatch } from "./batches.ts";
import type { Outcome } from "./sender.ts";

export interface SentBatch {
  readonly lane: number;
  readonly n: number;
  /** Ids of jobs by when they were told of, ms since the epoch. */
  readonly jobs: Map<string, number>;
  /** What producers were told of the ends of jobs. */
  readonly ends: Map<string, string>;
  /** Requests that may have made a job without telling of it. */
  unknown: number;
}

export class SendLog {
  readonly #file: number;
  readonly #batches = new Map<string, SentBatch>();
  readonly counts = { accepted: 0, replayed: 0, refused: 0, unknown: 0, cut: 0 };
  readonly statuses: Record<string, number> = {};

  constructor(path: string) {
    // "as": written through before the call returns.
    this.#file = openSync(path, "as");
  }

  /** The request of the batch begins: until `ended`, its job may be there without anybody knowing. */
  begun(batch: Pick<LaneBatch, "lane" | "n">): SentBatch {
    const sent = this.sentOf(batch);
    sent.unknown += 1;
    return sent;
  }

  sentOf({ lane, n }: Pick<LaneBatch, "lane" | "n">): SentBatch {
    return this.#batches.getOrInsertComputed(`${lane} ${n}`, () => ({
      ...{ lane, n, unknown: 0 },
      jobs: new Map(),
      ends: new Map(),
    }));
  }

  ended(sent: SentBatch, outcome: Outcome): void {
    const now_ms = Date.now();
    const kind = outcome.kind === "accepted" && outcome.replayed ? "replayed" : outcome.kind;
    this.counts[kind] += 1;
    if (outcome.kind === "accepted") {
      sent.unknown -= 1;
      if (!sent.jobs.has(outcome.job_id)) sent.jobs.set(outcome.job_id, now_ms);
      writeSync(this.#file, `${sent.lane} ${sent.n} ${outcome.job_id} ${now_ms} ${kind}\n`);
      return;
    }
    this.statuses[outcome.status] = (this.statuses[outcome.status] ?? 0) + 1;
    if (outcome.kind === "refused") sent.unknown -= 1;
  }

  /** A request that never was whole: what it was cut off from cannot be there. */
  cut(sent: SentBatch): void {
    sent.unknown -= 1;
    this.counts.cut += 1;
  }

  batches(): SentBatch[] {
    return [...this.#batches.values()];
  }

  close(): void {
    closeSync(this.#file);
  }
}
