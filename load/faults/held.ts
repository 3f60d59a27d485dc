/** What the service holds after a run: the rows of its tables and the hashes of its jobs, as plain data. */
import type { Redis } from "ioredis";
import type postgres from "postgres";
import { backlogKey, deadKey, INGEST_GROUP, jobKey, mirrorKey, streamKey } from "../../src/stream/keys.ts";
import { PARTITIONS } from "./programs.ts";
import { REVIEW_SYSTEM_ID } from "./review-plan.ts";

export interface HeldJob {
  readonly job_id: string;
  readonly status: string;
  readonly total: number;
  readonly inserted: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly system_id: string;
  readonly created_by: string;
  readonly error: string | null;
  /** ms since the epoch */
  readonly created_at_ms: number;
  readonly completed_at_ms: number | null;
}

/** What the end of a job says of its readings. */
export const endText = (job: Pick<HeldJob, "status" | "total" | "inserted" | "duplicate" | "quarantined">) =>
  `${job.status}: ${job.total} = ${job.inserted} + ${job.duplicate} + ${job.quarantined}`;

export interface HeldRefusal {
  readonly job_id: string;
  readonly ordinal: number;
  readonly reason: string;
  readonly system_id: string;
  readonly sensor_id: string | null;
  readonly at_ms: number | null;
  readonly value: number | null;
  readonly unit: string | null;
  readonly quality: number | null;
  readonly raw: unknown;
}

export interface HeldReading {
  readonly sensor_id: string;
  readonly system_id: string;
  readonly at_ms: number;
  readonly value: number;
  readonly unit: string;
  readonly quality: number;
}

/** Fields of a job's hash, as Redis has them. */
export type HeldHash = Readonly<Record<string, string>>;

export interface Held {
  readonly jobs: readonly HeldJob[];
  readonly refusals: readonly HeldRefusal[];
  /** All readings of the table. */
  readonly count: number;
  readings(sensor_ids: readonly string[]): Promise<readonly HeldReading[]>;
  /** In the order of the ids. */
  hashes(job_ids: readonly string[]): Promise<readonly HeldHash[]>;
  /** What should be empty at the end, and how much is in it. */
  leftovers(): Promise<Readonly<Record<string, number>>>;
}

const PAGE = 500;

/** Of what producers sent; what reviewers did has an oracle of its own (review-judge.ts). */
export async function heldIn(sql: postgres.Sql, redis: Redis): Promise<Held> {
  const jobs = await sql<HeldJob[]>`
    SELECT id AS job_id, status, total_readings AS total, inserted_readings AS inserted,
      duplicate_readings AS duplicate, quarantined_readings AS quarantined, system_id, created_by, error_message AS error,
      floor(extract(epoch FROM created_at) * 1000)::float8 AS created_at_ms,
      floor(extract(epoch FROM completed_at) * 1000)::float8 AS completed_at_ms
    FROM diagnostics_ingestion_job WHERE system_id <> ${REVIEW_SYSTEM_ID}`;
  const refusals = await sql<HeldRefusal[]>`
    SELECT job_id, ordinal, reason, system_id, sensor_id, (extract(epoch FROM "timestamp") * 1000)::float8 AS at_ms,
      value, unit, quality::float8 AS quality, raw FROM diagnostics_quarantined_reading
    WHERE system_id <> ${REVIEW_SYSTEM_ID}`;
  const [all] = await sql<{ count: number }[]>`SELECT count(*)::float8 AS count FROM diagnostics_sensordata
    WHERE system_id <> ${REVIEW_SYSTEM_ID}`;
  return {
    jobs,
    refusals,
    count: all?.count ?? 0,
    readings: (sensor_ids) => sql<HeldReading[]>`
      SELECT sensor_id, system_id, (extract(epoch FROM "timestamp") * 1000)::float8 AS at_ms, value, unit,
        quality::float8 AS quality FROM diagnostics_sensordata WHERE sensor_id = ANY(${[...sensor_ids]}::uuid[])`,
    hashes: (job_ids) => hashesIn(redis, job_ids),
    leftovers: () => leftoversIn(redis),
  };
}

async function hashesIn(redis: Redis, job_ids: readonly string[]): Promise<HeldHash[]> {
  const hashes: HeldHash[] = [];
  for (let from = 0; from < job_ids.length; from += PAGE) {
    const page = job_ids.slice(from, from + PAGE);
    hashes.push(...(await Promise.all(page.map((job_id) => redis.hgetall(jobKey(job_id))))));
  }
  return hashes;
}

async function leftoversIn(redis: Redis): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (let p = 0; p < PARTITIONS; p += 1) {
    for (const key of [streamKey(p), mirrorKey(p), deadKey(p)]) found[key] = await redis.xlen(key);
    found[backlogKey(p)] = Number((await redis.get(backlogKey(p))) ?? 0);
    const [pending] = (await redis.xpending(streamKey(p), INGEST_GROUP)) as [number];
    found[`pending of ${streamKey(p)}`] = Number(pending);
  }
  return found;
}
