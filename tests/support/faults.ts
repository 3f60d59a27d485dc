/** A service in memory that takes batches one after the other and loses nothing: what the oracle is to find right. */
import { batchOf, type DataShape, SYSTEM_ID, sensorId } from "../../load/faults/batches.ts";
import type { Held, HeldHash, HeldJob, HeldReading, HeldRefusal } from "../../load/faults/held.ts";
import { asSent } from "../../load/faults/requests.ts";
import type { SentBatch } from "../../load/faults/send-log.ts";

const RECEIVED_MS = Date.UTC(2026, 10, 27, 12);
const USER = "550e8400-e29b-41d4-a716-44665544aaaa";

type Changeable<T> = { -readonly [K in keyof T]: T[K] };

export class HonestService implements Held {
  readonly jobs: Changeable<HeldJob>[] = [];
  readonly refusals: Changeable<HeldRefusal>[] = [];
  rows: Changeable<HeldReading>[] = [];
  readonly hash = new Map<string, Record<string, string>>();
  readonly left: Record<string, number> = { "ingest:{0}": 0 };

  constructor(private readonly shape: DataShape) {}

  get count(): number {
    return this.rows.length;
  }

  /** One request that is accepted. @returns the job's id */
  take(lane: number, n: number): string {
    const batch = batchOf(this.shape, lane, n);
    const job_id = crypto.randomUUID();
    const counts = { inserted: 0, duplicate: 0, quarantined: 0 };
    for (const [ordinal, reading] of batch.readings.entries()) {
      const sensor_id = sensorId(this.shape, lane, reading.sensor);
      const { at_ms, unit, quality, verdict } = reading;
      const held = this.rows.find((row) => row.sensor_id === sensor_id && row.at_ms === at_ms);
      const registered = batch.system_id === SYSTEM_ID;
      const good = registered && verdict === "good";
      if (good && !held) {
        counts.inserted += 1;
        const value = reading.value as number;
        this.rows.push({ sensor_id, system_id: SYSTEM_ID, at_ms, value, unit, quality });
      } else if (good && held?.value === reading.value) counts.duplicate += 1;
      else {
        counts.quarantined += 1;
        const reason = !registered ? "system_not_found" : verdict === "good" ? "duplicate" : verdict;
        const value = typeof reading.value === "number" ? reading.value : null;
        const raw = asSent(this.shape, batch, reading);
        const { system_id } = batch;
        this.refusals.push({
          job_id,
          ordinal,
          reason,
          system_id,
          sensor_id,
          at_ms,
          value,
          unit,
          quality,
          raw,
        });
      }
    }
    const failed = batch.system_id !== SYSTEM_ID;
    const error = failed ? `system ${batch.system_id} is not registered` : null;
    const { system_id } = batch;
    const total = batch.readings.length;
    const status = failed ? "failed" : "completed";
    this.jobs.push({
      ...{ job_id, status, total, ...counts, system_id, created_by: USER, error },
      created_at_ms: RECEIVED_MS,
      completed_at_ms: RECEIVED_MS,
    });
    const fields = { status, total, ...counts, system_id, created_by: USER, error: error ?? "" };
    this.hash.set(job_id, Object.fromEntries(Object.entries(fields).map(([name, of]) => [name, String(of)])));
    return job_id;
  }

  async readings(sensor_ids: readonly string[]): Promise<HeldReading[]> {
    return this.rows.filter(({ sensor_id }) => sensor_ids.includes(sensor_id));
  }

  async hashes(job_ids: readonly string[]): Promise<HeldHash[]> {
    return job_ids.map((job_id) => this.hash.get(job_id) ?? {});
  }

  async leftovers(): Promise<Record<string, number>> {
    return this.left;
  }
}

/** A batch that a producer knows of: its jobs, and requests without an answer. */
export const sentOf = (lane: number, n: number, jobs: readonly string[], unknown = 0): SentBatch => ({
  ...{ lane, n, unknown, ends: new Map() },
  jobs: new Map(jobs.map((job_id) => [job_id, RECEIVED_MS])),
});
