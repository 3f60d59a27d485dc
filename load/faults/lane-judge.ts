/** The oracle's judgement of one lane: no other lane has readings of its sensors. */
import { type DataShape, type LaneBatch, type Reading, SENSORS, SYSTEM_ID, sensorId } from "./batches.ts";
import type { Difference } from "./difference.ts";
import { endText, type HeldJob, type HeldReading, type HeldRefusal } from "./held.ts";
import { asSent } from "./requests.ts";
import type { SentBatch } from "./send-log.ts";

/** A job of a batch. */
export interface JudgedJob {
  readonly job_id: string;
  /** When a producer was told of it, ms since the epoch; null: nobody was. */
  readonly at_ms: number | null;
  /** What a producer was told of its end; null: nothing. */
  readonly end: string | null;
  /** null: there is no such job. */
  readonly job: HeldJob | null;
}

interface Case {
  readonly batch: LaneBatch;
  readonly at_ms: number | null;
  readonly job: HeldJob;
}

/** What was sent for a sensor and a time. */
interface Claims {
  readonly readings: Reading[];
  readonly jobs: Set<string>;
}

/** A lane with more would fill the screen and tell nothing new. */
const ENOUGH = 200;

export class LaneJudge {
  readonly #rows = new Map<string, HeldReading>();
  readonly #claims = new Map<string, Claims>();
  readonly #cases: Case[] = [];
  readonly #found: Difference[] = [];
  readonly #sensors: readonly string[];

  constructor(
    private readonly shape: DataShape,
    private readonly lane: number,
    rows: readonly HeldReading[],
    private readonly refusals: ReadonlyMap<string, readonly HeldRefusal[]>,
  ) {
    this.#sensors = Array.from({ length: SENSORS }, (_, sensor) => sensorId(shape, lane, sensor));
    for (const row of rows) {
      const key = `${row.sensor_id} ${row.at_ms}`;
      if (this.#rows.has(key)) this.#differs(`${key} is stored twice`);
      this.#rows.set(key, row);
    }
  }

  /** A batch with its jobs. */
  add(batch: LaneBatch, sent: SentBatch, jobs: readonly JudgedJob[]): void {
    const untold = jobs.filter(({ at_ms }) => at_ms === null).length;
    const name = `batch ${batch.n} of lane ${batch.lane}`;
    if (untold > sent.unknown)
      this.#differs(`${name} has ${untold} jobs that nobody was told of, from ${sent.unknown} requests`, {
        batch,
      });
    if (batch.key !== null && jobs.length > 1)
      this.#differs(`${name} has ${jobs.length} jobs with one Idempotency-Key`, { batch });
    for (const { job_id, at_ms, job, end } of jobs) {
      if (job === null) {
        this.#differs("it was accepted and is not there", { batch, at_ms, job_id });
        continue;
      }
      this.#cases.push({ batch, at_ms, job });
      if (end !== null && end !== endText(job))
        this.#differs(`its producer was told "${end}", and it is "${endText(job)}"`, { batch, at_ms, job });
      if (batch.system_id === SYSTEM_ID) this.#claim(batch, job_id);
    }
  }

  #claim(batch: LaneBatch, job_id: string): void {
    for (const reading of batch.readings) {
      if (reading.verdict !== "good") continue;
      const claims = this.#claims.getOrInsertComputed(this.#keyOf(reading), () => ({
        readings: [],
        jobs: new Set(),
      }));
      claims.readings.push(reading);
      claims.jobs.add(job_id);
    }
  }

  /** After all batches were added. */
  differences(): readonly Difference[] {
    for (const one of this.#cases) this.#judge(one);
    for (const [key, row] of this.#rows) {
      const sent = this.#claims.get(key)?.readings.some((reading) => isOf(row, reading)) ?? false;
      if (!sent) this.#differs(`${key} is stored as ${rowText(row)}, which was not accepted of anybody`);
    }
    const inserted = this.#cases.reduce((sum, { job }) => sum + job.inserted, 0);
    if (inserted !== this.#rows.size)
      this.#differs(
        `the jobs of lane ${this.lane} say ${inserted} inserted, and ${this.#rows.size} are stored`,
      );
    return this.#found;
  }

  #judge(one: Case): void {
    const { batch, job } = one;
    const refused = new Map((this.refusals.get(job.job_id) ?? []).map((row) => [row.ordinal, row]));
    const registered = batch.system_id === SYSTEM_ID;
    const same = new Set<string>();
    let stored = 0;
    for (const [ordinal, reading] of batch.readings.entries()) {
      const reason = registered ? this.#reasonOf(reading, one) : "system_not_found";
      const found = refused.get(ordinal);
      if (reason === null) {
        stored += 1;
        same.add(this.#keyOf(reading));
      }
      if (reason !== (found?.reason ?? null))
        this.#differs(
          `reading ${ordinal} is ${found ? `quarantined as ${found.reason}` : "not quarantined"}, and must be ${reason ?? "stored"}`,
          one,
        );
      else if (found) this.#judgeRefusal(one, ordinal, reading, found);
      refused.delete(ordinal);
    }
    for (const ordinal of refused.keys())
      this.#differs(`reading ${ordinal} is quarantined and was never sent`, one);
    this.#judgeCounts(one, stored, same);
  }

  /** Why the reading must be in quarantine; null: it, or the same, is stored. */
  #reasonOf(reading: Reading, one: Case): string | null {
    if (reading.verdict !== "good") return reading.verdict;
    const row = this.#rows.get(this.#keyOf(reading));
    if (row === undefined) {
      this.#differs(`a reading is lost: ${this.#keyOf(reading)} = ${reading.value} ${reading.unit}`, one);
      return null;
    }
    return row.value === reading.value && row.unit === reading.unit ? null : "duplicate";
  }

  #judgeCounts(one: Case, stored: number, same: ReadonlySet<string>): void {
    const { batch, job } = one;
    const total = batch.readings.length;
    const alone = [...same].filter((key) => this.#claims.get(key)?.jobs.size === 1).length;
    const right =
      job.status === (batch.system_id === SYSTEM_ID ? "completed" : "failed") &&
      job.system_id === batch.system_id &&
      job.completed_at_ms !== null &&
      job.total === total &&
      job.quarantined === total - stored &&
      job.inserted + job.duplicate === stored &&
      job.inserted >= alone &&
      job.inserted <= same.size;
    if (right) return;
    const { status, inserted, duplicate, quarantined } = job;
    this.#differs(
      `the job is ${status} and says ${job.total} = ${inserted} + ${duplicate} + ${quarantined}; it has ${total} readings, ${stored} of them stored or the same (${alone} to ${same.size} by this job)`,
      one,
    );
  }

  #judgeRefusal(one: Case, ordinal: number, reading: Reading, row: HeldRefusal): void {
    const { batch } = one;
    const objects = batch.format === "json" || batch.format === "ndjson";
    const raw = !objects || Bun.deepEquals(row.raw, asSent(this.shape, batch, reading));
    const understood =
      ["parse_error", "invalid_timestamp", "system_not_found"].includes(row.reason) ||
      (row.sensor_id === this.#sensors[reading.sensor] &&
        row.at_ms === reading.at_ms &&
        row.value === reading.value &&
        row.unit === reading.unit &&
        row.quality === reading.quality);
    if (raw && understood && row.system_id === batch.system_id) return;
    this.#differs(
      `reading ${ordinal} is quarantined as ${JSON.stringify(row)}, and was ${JSON.stringify(reading)}`,
      one,
    );
  }

  #keyOf({ sensor, at_ms }: Reading): string {
    return `${this.#sensors[sensor]} ${at_ms}`;
  }

  #differs(
    what: string,
    where: { batch?: LaneBatch; at_ms?: number | null; job_id?: string; job?: HeldJob } = {},
  ): void {
    if (this.#found.length >= ENOUGH) return;
    const { batch, job } = where;
    const job_id = where.job_id ?? job?.job_id ?? null;
    const at_ms = where.at_ms ?? job?.created_at_ms ?? null;
    const head =
      job_id === null ? "" : `batch ${batch?.n} of lane ${this.lane} (${batch?.format}), job ${job_id}: `;
    this.#found.push({ what: head + what, lane: this.lane, n: batch?.n ?? null, job_id, at_ms });
  }
}

const isOf = (row: HeldReading, { value, unit, quality }: Reading) =>
  row.value === value && row.unit === unit && row.quality === quality && row.system_id === SYSTEM_ID;

const rowText = ({ value, unit, quality, system_id }: HeldReading) =>
  `${value} ${unit} (${quality}, system ${system_id})`;
