/**
 * What the books say is stored, and what is: inserts by the jobs, readings that decisions took out by the record, and the
 * rows themselves. In parts of bounded size, each within one moment. The time axis is cut into slots at given moments:
 * slot 0 ends at the first of them, the last one begins at the last.
 */
import { isTooSlow } from "../errors.ts";
import type { Snapshot } from "./snapshot.ts";

/** Inserts of jobs of a system whose readings lie between two slots, both included. */
export interface Inserted {
  readonly system_id: string;
  readonly from_slot: number;
  readonly to_slot: number;
  readonly jobs: number;
  readonly readings: number;
}

/** Lines of the record about readings, alike in all of these. */
export interface Decided {
  readonly task_id: string;
  readonly job_id: string | null;
  readonly outcome: string;
  readonly system_id: string;
  /** Of the reading that was taken out; null when none was. */
  readonly slot: number | null;
  readonly lines: number;
}

export interface StoredOf {
  readonly system_id: string;
  readonly readings: number;
}

/** Cuts of the time axis, RFC 3339, ascending. */
export type Cuts = readonly string[];

/** Called after each part. */
type Each = () => void;

const CHUNKS = `SELECT (extract(epoch FROM range_start) * 1000)::float8 AS from_ms, (extract(epoch FROM range_end) * 1000)::float8 AS to_ms
  FROM timescaledb_information.chunks
  WHERE to_regclass(format('%I.%I', hypertable_schema, hypertable_name)) = to_regclass('diagnostics_sensordata')
  ORDER BY range_start`;

/** Chunks of the moment, oldest first. @throws pg.DatabaseError @throws {ConnectionLostError} */
export const chunksOf = (moment: Snapshot) => moment.read<{ from_ms: number; to_ms: number }>(CHUNKS);

const JOBS_AT_ONCE = 200_000;
const LINES_AT_ONCE = 50_000;
/** Of sensors, when a chunk is too much for one statement. */
const PARTS = 4;

/** A job of before spans were kept may have stored anywhere. */
const SPANS = `SELECT system_id, CASE WHEN oldest_reading_at IS NULL THEN 0 ELSE width_bucket(oldest_reading_at, $1::timestamptz[]) END AS from_slot,
    CASE WHEN newest_reading_at IS NULL THEN cardinality($1::timestamptz[]) ELSE width_bucket(newest_reading_at, $1::timestamptz[]) END AS to_slot,
    count(*)::float8 AS jobs, sum(inserted_readings)::float8 AS readings
  FROM diagnostics_ingestion_job
  WHERE inserted_readings > 0 AND ($2::timestamptz IS NULL OR (created_at, id) > ($2::timestamptz, $3::uuid))
    AND ($4::timestamptz IS NULL OR (created_at, id) <= ($4::timestamptz, $5::uuid))
  GROUP BY 1, 2, 3`;
const LAST_JOB = `SELECT created_at::text AS at, id FROM diagnostics_ingestion_job
  WHERE $1::timestamptz IS NULL OR (created_at, id) > ($1::timestamptz, $2::uuid)
  ORDER BY created_at, id OFFSET ${JOBS_AT_ONCE - 1} LIMIT 1`;

/** @throws pg.DatabaseError @throws {ConnectionLostError} */
export async function insertedByJobs(moment: Snapshot, cuts: Cuts, each: Each): Promise<Inserted[]> {
  const found: Inserted[] = [];
  let after: [string | null, string | null] = [null, null];
  for (;;) {
    const [last] = await moment.read<{ at: string; id: string }>(LAST_JOB, after);
    const upTo = last ? [last.at, last.id] : [null, null];
    found.push(...(await moment.read<Inserted>(SPANS, [cuts, ...after, ...upTo])));
    each();
    if (!last) return found;
    after = [last.at, last.id];
  }
}

/**
 * Where a reading lay that was taken out is said by the line that stored it. Only `after` is read: `before` holds what
 * was sent, which may have characters that are no text.
 */
const LINES = `WITH line AS MATERIALIZED (
    SELECT id, subject_id, task_id, system_id, after ->> 'outcome' AS outcome, after ->> 'job_id' AS job_id,
      after ->> 'timestamp' AS at
    FROM diagnostics_audit WHERE subject_type = 'reading' AND id > $2::bigint AND id <= $3::bigint),
  placed AS (
    SELECT l.task_id, l.job_id, l.outcome, coalesce(l.system_id, q.system_id) AS system_id,
      CASE WHEN l.outcome IN ('replace', 'withdraw', 'restore') THEN
        width_bucket(coalesce(l.at, stored.at)::timestamptz, $1::timestamptz[]) END AS slot
    FROM line l
    LEFT JOIN diagnostics_quarantined_reading q ON l.system_id IS NULL AND q.id = l.subject_id::bigint
    LEFT JOIN LATERAL (SELECT p.after ->> 'timestamp' AS at FROM diagnostics_audit p
      WHERE l.outcome IN ('withdraw', 'restore') AND p.subject_type = 'reading' AND p.subject_id = l.subject_id
        AND p.id < l.id AND p.after ->> 'timestamp' IS NOT NULL
      ORDER BY p.id DESC LIMIT 1) stored ON true)
  SELECT task_id, job_id, outcome, system_id, slot, count(*)::float8 AS lines FROM placed GROUP BY 1, 2, 3, 4, 5`;

/** @throws pg.DatabaseError @throws {ConnectionLostError} */
export async function decidedByReviews(moment: Snapshot, cuts: Cuts, each: Each): Promise<Decided[]> {
  const found: Decided[] = [];
  const [ends] = await moment.read<{ first: number; last: number }>(
    "SELECT coalesce(min(id), 1)::float8 AS first, coalesce(max(id), 0)::float8 AS last FROM diagnostics_audit",
  );
  for (let after = ends!.first - 1; after < ends!.last; after += LINES_AT_ONCE) {
    found.push(...(await moment.read<Decided>(LINES, [cuts, after, after + LINES_AT_ONCE])));
    each();
  }
  return found;
}

/** Counters of a task, and of a job that stored for one. */
export interface Counters {
  readonly kind: "task" | "job";
  readonly id: string;
  /** By outcome as the record names it, `changed` for those that store nothing. */
  readonly counts: Readonly<Record<string, number>>;
}

const TASKS = `SELECT id, stored::float8, identical::float8, replaced::float8, changed::float8, withdrawn::float8,
    restored::float8
  FROM diagnostics_review_task`;
const REVIEW_JOBS = `SELECT id, inserted_readings::float8 AS inserted, duplicate_readings::float8 AS identical,
    quarantined_readings::float8 AS quarantined
  FROM diagnostics_ingestion_job WHERE review_task_id IS NOT NULL`;

/** @throws pg.DatabaseError @throws {ConnectionLostError} */
export async function countersOfReviews(moment: Snapshot): Promise<Counters[]> {
  type Row = Record<string, number> & { id: string };
  const of = (kind: Counters["kind"], rows: readonly Row[]) =>
    rows.map(({ id, ...counts }): Counters => ({ kind, id, counts }));
  return [...of("task", await moment.read<Row>(TASKS)), ...of("job", await moment.read<Row>(REVIEW_JOBS))];
}

const COUNT = `SELECT system_id, count(*)::float8 AS readings FROM diagnostics_sensordata
  WHERE "timestamp" >= $1::timestamptz AND "timestamp" < $2::timestamptz`;
const OF_SENSORS =
  "AND ($3::uuid IS NULL OR sensor_id >= $3::uuid) AND ($4::uuid IS NULL OR sensor_id < $4::uuid)";

/** Stored readings of [from, to), by system. Ranges of sensors are taken one by one when all are too much at once. */
export class StoredCount {
  #sensors: string[] | null = null;

  constructor(private readonly moment: Snapshot) {}

  /** Null when even one sensor takes too long. @throws pg.DatabaseError @throws {ConnectionLostError} */
  async of(from: string, to: string, each: Each): Promise<Map<string, number> | null> {
    const sums = new Map<string, number>();
    const whole = await this.#count(`${COUNT} GROUP BY system_id`, [from, to]);
    if (whole) return addTo(sums, whole);
    this.#sensors ??= (
      await this.moment.read<{ id: string }>("SELECT id FROM diagnostics_sensor ORDER BY id")
    ).map(({ id }) => id);
    const ids = this.#sensors;
    const parts = divided(0, ids.length);
    for (let part = parts.pop(); part; part = parts.pop()) {
      const [lo, hi] = part;
      // Sensors that are not registered lie between those that are, or at the ends.
      const bounds = [lo === 0 ? null : ids[lo], hi === ids.length ? null : ids[hi]];
      const rows = await this.#count(`${COUNT} ${OF_SENSORS} GROUP BY system_id`, [from, to, ...bounds]);
      each();
      if (rows) addTo(sums, rows);
      else if (hi - lo <= 1) return null;
      else parts.push(...divided(lo, hi));
    }
    return sums;
  }

  /** Null: too slow. */
  async #count(text: string, values: unknown[]): Promise<StoredOf[] | null> {
    try {
      return await this.moment.read<StoredOf>(text, values);
    } catch (error) {
      if (isTooSlow(error)) return null;
      throw error;
    }
  }
}

function addTo(sums: Map<string, number>, rows: readonly StoredOf[]): Map<string, number> {
  for (const { system_id, readings } of rows) sums.set(system_id, (sums.get(system_id) ?? 0) + readings);
  return sums;
}

/** [lo, hi) in parts; one when there is nothing to divide. */
function divided(lo: number, hi: number): [number, number][] {
  if (hi - lo <= 1) return [[lo, hi]];
  const step = Math.ceil((hi - lo) / PARTS);
  const starts = Array.from({ length: Math.ceil((hi - lo) / step) }, (_, n) => lo + n * step);
  return starts.map((start) => [start, Math.min(start + step, hi)]);
}
