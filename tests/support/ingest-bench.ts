/** Ingest on real Redis and TimescaleDB, in this process: batches in, pipelines at work, tables and keys to look at. */
import { type EntryMeta, encodeEntry } from "../../src/contract/entry.ts";
import type { BodyFormat } from "../../src/contract/formats/body-format.ts";
import { isTerminal, type JobRecord } from "../../src/contract/job.ts";
import { newJobId } from "../../src/contract/job-id.ts";
import type { RefusalReason } from "../../src/contract/refusal.ts";
import type { FromThread, ThreadSettings } from "../../src/ingest/messages.ts";
import type { Tracer } from "../../src/ops/trace.ts";
import { JobStore } from "../../src/store/jobs.ts";
import { Database } from "../../src/store/pool.ts";
import { SystemStore } from "../../src/store/systems.ts";
import { ready, workClient } from "../../src/stream/connection.ts";
import { StreamHealth } from "../../src/stream/health.ts";
import { JobBoard } from "../../src/stream/jobs.ts";
import { INGEST_GROUP, streamKey } from "../../src/stream/keys.ts";
import { Producer, type StreamBounds } from "../../src/stream/producer.ts";
import type { ScriptedRedis } from "../../src/stream/scripts.ts";
import { type RunningPipeline, startPipeline } from "./running-pipeline.ts";
import { createTestDatabase, createTestRedis, type TestService } from "./test-services.ts";
import { until } from "./until.ts";

/** The system that every bench has registered. */
export const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
export const USER = "550e8400-e29b-41d4-a716-44665544ffff";
/** Time of the first reading that `reading` makes. */
export const START_MS = Date.UTC(2026, 0, 5);
/** When the bench's batches are received. */
export const RECEIVED_MS = Date.UTC(2026, 0, 12);

/** The id of the n-th sensor. */
export const sensor = (n: number) => `550e8400-e29b-41d4-a716-${n.toString(16).padStart(12, "0")}`;

/** A good reading: sensor, second after START_MS, value in bar. */
export const reading = (n: number, second: number, value = 100) => ({
  sensor_id: sensor(n),
  timestamp: new Date(START_MS + second * 1000).toISOString(),
  value,
  unit: "bar",
  quality: 95,
});

export interface StoredRow {
  readonly sensor_id: string;
  readonly timestamp: Date;
  readonly value: number;
  readonly system_id: string;
  readonly quality: number;
  readonly unit: string;
}

export interface QuarantineRow {
  readonly job_id: string;
  readonly ordinal: number;
  readonly reason: RefusalReason;
  readonly reason_details: string;
  readonly sensor_id: string | null;
  readonly timestamp: Date | null;
  readonly value: number | null;
  readonly unit: string | null;
  readonly quality: number | null;
  readonly raw: unknown;
}

export class IngestBench {
  readonly #running: RunningPipeline[] = [];
  readonly producer: Producer;
  readonly board: JobBoard;
  readonly health: StreamHealth;
  readonly jobs: JobStore;

  private constructor(
    readonly redisUrl: string,
    readonly databaseUrl: string,
    readonly redis: ScriptedRedis,
    readonly database: Database,
    readonly bounds: StreamBounds,
    private readonly services: readonly TestService[],
  ) {
    this.producer = new Producer(redis, bounds);
    this.board = new JobBoard(redis);
    this.health = new StreamHealth(redis, bounds);
    this.jobs = new JobStore(database);
  }

  static async create(partitions = 1, redisService?: TestService): Promise<IngestBench> {
    const services = await Promise.all([redisService ?? createTestRedis(), createTestDatabase()]);
    const [redisUrl, databaseUrl] = [services[0].url, services[1].url];
    const redis = workClient(redisUrl);
    await ready(redis, 30_000);
    const database = new Database({ url: databaseUrl, size: 4, query_deadline_ms: 20_000 });
    await new SystemStore(database).create(SYSTEM, "bench");
    const bounds = { partitions, max_entries: 10_000, max_bytes: 1e9, idempotency_ttl_s: 60 };
    return new IngestBench(redisUrl, databaseUrl, redis, database, bounds, services);
  }

  /** Accept a batch. @returns its job id */
  async offer(readings: readonly unknown[], system_id = SYSTEM): Promise<string> {
    const body = JSON.stringify({ system_id, readings });
    return this.offerBody("json", body, readings.length, system_id);
  }

  /** Accept a batch as it would be sent. @returns its job id */
  async offerBody(
    format: BodyFormat,
    body: string,
    total_readings: number,
    system_id = SYSTEM,
  ): Promise<string> {
    const outcome = await this.producer.offer({
      system_id,
      user_id: USER,
      request_id: "test",
      total_readings,
      received_at_ms: RECEIVED_MS,
      format,
      body: Buffer.from(body),
    });
    if (outcome.kind !== "accepted") throw new Error(`not accepted: ${outcome.kind}`);
    return outcome.job_id;
  }

  /** Metadata as the API writes it. */
  meta(total_readings: number, job_id = newJobId(0), system_id = SYSTEM): EntryMeta {
    return {
      job_id,
      system_id,
      user_id: USER,
      request_id: "test",
      total_readings,
      received_at_ms: RECEIVED_MS,
    };
  }

  /** Write an entry past the producer. @returns its id */
  async add(meta: EntryMeta, body: Buffer): Promise<string> {
    return this.addFields(encodeEntry(meta, body) as (string | Buffer)[]);
  }

  async addFields(fields: readonly (string | Buffer)[]): Promise<string> {
    return (await this.redis.xadd(streamKey(0), "*", ...fields)) as string;
  }

  /** Start a pipeline with short claim times. */
  start(consumer: string, settings: Partial<ThreadSettings> = {}, tracer?: Tracer): RunningPipeline {
    const place = {
      database_url: this.databaseUrl,
      redis_url: this.redisUrl,
      partitions: this.bounds.partitions,
    };
    const running = startPipeline(consumer, { ...place, ...settings }, tracer);
    this.#running.push(running);
    return running;
  }

  /** Run one pipeline until the stream is empty. */
  async work(
    consumer: string,
    settings: Partial<ThreadSettings> = {},
    tracer?: Tracer,
  ): Promise<FromThread[]> {
    const pipeline = this.start(consumer, settings, tracer);
    await this.empty();
    await pipeline.drain();
    return pipeline.told;
  }

  /** Wait until nothing is in the stream and nothing pending. */
  async empty(deadline_ms = 60_000): Promise<void> {
    await until(
      "an empty stream",
      async () => {
        const partitions = Array.from({ length: this.bounds.partitions }, (_, p) => streamKey(p));
        const lengths = await Promise.all(partitions.map((key) => this.redis.xlen(key)));
        return lengths.every((length) => length === 0);
      },
      deadline_ms,
    );
  }

  /** The job in Redis, once it has ended. */
  ended(job_id: string, deadline_ms = 30_000): Promise<JobRecord> {
    const probe = async () => {
      const job = await this.board.get(job_id);
      return job && isTerminal(job.status) ? job : undefined;
    };
    return until(`the end of job ${job_id}`, probe, deadline_ms);
  }

  /** Counters of a job in Postgres: total, inserted, duplicate, quarantined, status. */
  async counts(job_id: string) {
    const job = await this.jobs.get(job_id);
    if (!job) throw new Error(`Postgres does not know job ${job_id}`);
    const { total_readings: total, inserted_readings: inserted, duplicate_readings: duplicate } = job;
    return { total, inserted, duplicate, quarantined: job.quarantined_readings, status: job.status };
  }

  async rows(): Promise<StoredRow[]> {
    const rows = await this.database.sql<StoredRow[]>`
      SELECT sensor_id, "timestamp", value, system_id, quality, unit FROM diagnostics_sensordata
      ORDER BY sensor_id, "timestamp"`;
    return [...rows];
  }

  async quarantine(): Promise<QuarantineRow[]> {
    const rows = await this.database.sql<QuarantineRow[]>`
      SELECT job_id, ordinal, reason, reason_details, sensor_id, "timestamp", value, unit, quality, raw
      FROM diagnostics_quarantined_reading ORDER BY job_id, ordinal`;
    return [...rows];
  }

  /** Entries that a consumer holds. */
  async pendingOf(consumer: string): Promise<string[]> {
    const rows = await this.redis.xpending(streamKey(0), INGEST_GROUP, "-", "+", 1000, consumer);
    return (rows as [string, ...unknown[]][]).map(([id]) => id);
  }

  /** Empty every table and the Redis database. */
  async clear(): Promise<void> {
    for (const pipeline of this.#running.splice(0)) await pipeline.kill();
    await this.redis.flushdb();
    await this.database.sql.unsafe(`TRUNCATE diagnostics_sensordata, diagnostics_quarantined_reading,
      diagnostics_ingestion_job, diagnostics_dirty_hour`);
  }

  async close(): Promise<void> {
    for (const pipeline of this.#running.splice(0)) await pipeline.kill();
    this.redis.disconnect();
    await this.database.close(1);
    await Promise.all(this.services.map((service) => service.drop()));
  }
}
