/** A service that holds what the batches of a run ask for, in memory; tests take away from it and add to it. */
import { type Expected, secondOf } from "../../load/run/expected.ts";
import type { Held, HeldJob, Reasons, SensorSum } from "../../load/run/held.ts";
import type { SentBatch } from "../../load/run/record.ts";

/** A batch as k6 writes it down. */
export const sentBatch = (rig: number, n: number, status = 202, at_ms = 0): SentBatch => ({
  rig,
  n,
  status,
  at_ms,
  took_ms: 3,
  job_id: status === 202 ? jobId(rig, n) : null,
});

export const jobId = (rig: number, n: number) =>
  `0199a1b2-${rig.toString(16).padStart(4, "0")}-7e5f-8a9b-${n.toString(16).padStart(12, "0")}`;

export class HeldInMemory implements Held {
  readonly where = "memory";
  readonly whole: boolean = true;
  job: HeldJob[] = [];
  reason: Reasons = {};
  sum: SensorSum[] = [];
  stranger = 0;
  /** Readings in the second of a batch without an answer, or jobs of its unregistered system. */
  found = 0;

  /** @param there what the service has */
  constructor(there: Expected, accepted: readonly SentBatch[]) {
    const keeping = new Set<number>();
    for (const { rig, n } of accepted) there.add(rig, n);
    this.job = accepted.map(({ rig, n, job_id }) => {
      const { status, total, inserted, identical, kept, quarantined } = there.outcomeOf(n);
      const first = kept > 0 && !keeping.has(rig) ? 1 : 0;
      if (first === 1) keeping.add(rig);
      return {
        job_id: job_id ?? jobId(rig, n),
        status,
        total_readings: total,
        inserted_readings: inserted + first,
        duplicate_readings: identical + kept - first,
        quarantined_readings: quarantined,
        created_at_ms: secondOf(there.shape, n),
        completed_at_ms: secondOf(there.shape, n) + 20,
      };
    });
    this.reason = there.reasons();
    this.sum = there.sums();
  }

  async settle(): Promise<void> {
    // Nothing waits.
  }
  async jobs(): Promise<HeldJob[]> {
    return this.job;
  }
  async reasons(): Promise<Reasons> {
    return this.reason;
  }
  async sums(): Promise<SensorSum[]> {
    return this.sum;
  }
  async count(): Promise<number> {
    return this.found;
  }
  async jobsOf(): Promise<number> {
    return this.found;
  }
  async strangers(): Promise<number> {
    return this.stranger;
  }
}
