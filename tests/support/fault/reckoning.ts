/**
 * The reckoning after a fault: every accepted job is terminal in Postgres and in Redis, its counters are those of
 * its batch, the hypertable holds exactly the good readings and the quarantine exactly the bad ones, and nothing
 * is left in the stream.
 */
import { expect } from "bun:test";
import postgres from "postgres";
import { workClient } from "../../../src/stream/connection.ts";
import { backlogKey, deadKey, INGEST_GROUP, jobKey, streamKey } from "../../../src/stream/keys.ts";
import type { ScriptedRedis } from "../../../src/stream/scripts.ts";
import { until } from "../until.ts";
import type { Batch } from "./batches.ts";

/** Straight to the services, past any proxy. */
export class Reckoning {
  readonly sql: postgres.Sql;
  readonly redis: ScriptedRedis;
  readonly #partitions: readonly number[];

  /** @param partitions of the stream */
  constructor(databaseUrl: string, redisUrl: string, partitions = 1) {
    this.sql = postgres(databaseUrl, { max: 3, onnotice: () => undefined });
    // Its commands wait for a reconnect: tests stop Redis on purpose.
    this.redis = workClient(redisUrl);
    this.#partitions = Array.from({ length: partitions }, (_, p) => p);
  }

  async close(): Promise<void> {
    this.redis.disconnect();
    await this.sql.end({ timeout: 1 });
  }

  /** Entries that are not settled, delivered ones included. */
  streamLength(): Promise<number> {
    return this.#sum((p) => this.redis.xlen(streamKey(p)));
  }

  pending(): Promise<number> {
    return this.#sum(async (p) => {
      const summary = (await this.redis.xpending(streamKey(p), INGEST_GROUP)) as [number, ...unknown[]];
      return Number(summary[0]);
    });
  }

  async #sum(count: (partition: number) => Promise<number>): Promise<number> {
    const counts = await Promise.all(this.#partitions.map(count));
    return counts.reduce((sum, n) => sum + n, 0);
  }

  /** Resolves when the stream is empty. */
  async drained(deadline_ms: number, context: () => string = () => ""): Promise<void> {
    try {
      await until("the stream is empty", async () => (await this.streamLength()) === 0, deadline_ms);
    } catch (error) {
      throw new Error(`${await this.streamLength()} entries are left\n${context()}`, { cause: error });
    }
  }

  /** Jobs that are said to be lost with Redis. */
  async lost(): Promise<Set<string>> {
    const rows = await this.sql<{ id: string }[]>`
      SELECT id FROM diagnostics_ingestion_job WHERE lost_at IS NOT NULL AND status = 'failed'`;
    return new Set(rows.map(({ id }) => id));
  }

  /**
   * Every accepted batch had its effect once; nothing else is in the tables.
   * @param lost jobs beside them that are said to be lost, and no others
   */
  async expectExactly(
    accepted: ReadonlyMap<string, Batch>,
    lost: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    await this.expectRows(accepted, lost);
    await this.#expectStates(accepted);
  }

  /** The same, when Redis may have forgotten jobs that have ended. */
  async expectRows(
    accepted: ReadonlyMap<string, Batch>,
    lost: ReadonlySet<string> = new Set(),
  ): Promise<void> {
    expect(await this.lost()).toEqual(new Set(lost));
    await this.#expectJobs(accepted);
    await this.#expectReadings([...accepted.values()]);
    await this.#expectQuarantine(accepted);
    await this.expectQuiet();
  }

  /**
   * The same after a Redis that was lost with what its replicas did not have. A batch whose first request was not
   * answered with 202 may have been stored before the loss; its second request then makes a second job, which finds the
   * readings there. So a reading is stored once in any case, and each job says truly what it found.
   * @param unanswered requests that may have left a job of their own
   */
  async expectEachReadingOnce(accepted: ReadonlyMap<string, Batch>, unanswered: number): Promise<void> {
    await this.#expectReadings([...accepted.values()]);
    await this.expectQuiet();
    const lost = await this.lost();
    expect([...accepted.keys()].filter((id) => lost.has(id))).toEqual([]);
    const rows = await this.#jobs();
    const unsound = rows.filter(
      (r) => r.status !== "completed" || r.total !== r.inserted + r.duplicate + r.quarantined,
    );
    expect(unsound).toEqual([]);
    const found = rows.filter(({ id }) => accepted.has(id));
    expect(found.map(({ id }) => id).sort()).toEqual([...accepted.keys()].sort());
    for (const { id, inserted, duplicate, quarantined } of found) {
      const { good, bad } = accepted.get(id)!;
      expect([inserted + duplicate, quarantined]).toEqual([good, bad.size]);
    }
    expect(rows.length + lost.size - found.length).toBeLessThanOrEqual(unanswered);
    await this.#expectStates(accepted);
  }

  /** Nothing in the stream, nothing in work, no bytes counted, no dead letters. */
  async expectQuiet(deadLetters = 0): Promise<void> {
    expect(await this.streamLength()).toBe(0);
    expect(await this.pending()).toBe(0);
    expect(await this.#sum(async (p) => Number((await this.redis.get(backlogKey(p))) ?? 0))).toBe(0);
    expect(await this.#sum((p) => this.redis.xlen(deadKey(p)))).toBe(deadLetters);
  }

  async #expectJobs(accepted: ReadonlyMap<string, Batch>): Promise<void> {
    const rows = await this.#jobs();
    const expected = [...accepted].map(([id, { total, good, bad }]) =>
      [id, "completed", total, good, 0, bad.size].join(" "),
    );
    const found = rows.map((r) =>
      [r.id, r.status, r.total, r.inserted, r.duplicate, r.quarantined].join(" "),
    );
    expect(found.sort()).toEqual(expected.sort());
  }

  #jobs() {
    return this.sql<
      {
        id: string;
        status: string;
        total: number;
        inserted: number;
        duplicate: number;
        quarantined: number;
      }[]
    >`SELECT id, status, total_readings AS total, inserted_readings AS inserted, duplicate_readings AS duplicate,
        quarantined_readings AS quarantined FROM diagnostics_ingestion_job WHERE lost_at IS NULL`;
  }

  async #expectStates(accepted: ReadonlyMap<string, Batch>): Promise<void> {
    const states = await Promise.all([...accepted.keys()].map((id) => this.redis.hget(jobKey(id), "status")));
    expect([...new Set(states)]).toEqual(accepted.size === 0 ? [] : ["completed"]);
  }

  async #expectReadings(batches: readonly Batch[]): Promise<void> {
    const rows = await this.sql<{ sensor_id: string; n: number; sum: number }[]>`
      SELECT sensor_id, count(*)::int AS n, sum(value) AS sum FROM diagnostics_sensordata GROUP BY sensor_id`;
    const found = rows.map(({ sensor_id, n, sum }) => `${sensor_id} ${n} ${sum}`);
    const expected = batches.filter(({ good }) => good > 0).map((b) => `${b.sensor_id} ${b.good} ${b.sum}`);
    expect(found.sort()).toEqual(expected.sort());
  }

  async #expectQuarantine(accepted: ReadonlyMap<string, Batch>): Promise<void> {
    const rows = await this.sql<{ job_id: string; ordinal: number; reason: string }[]>`
      SELECT job_id, ordinal, reason FROM diagnostics_quarantined_reading`;
    const found = rows.map(({ job_id, ordinal, reason }) => `${job_id} ${ordinal} ${reason}`);
    const expected = [...accepted].flatMap(([id, { bad }]) =>
      [...bad].map(([o, reason]) => `${id} ${o} ${reason}`),
    );
    expect(found.sort()).toEqual(expected.sort());
  }
}
