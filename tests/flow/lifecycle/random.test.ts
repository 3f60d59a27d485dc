/**
 * Writers, late readings, retention, two maintenance actors that are killed again and again, and on Community
 * compression and the refresh policy, all at once and from a seed. At random moments, and at the end, the hourly view
 * equals a plain GROUP BY. Repeat a run with TEST_SEED=… (what runs when is up to the machine; what is done is not).
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Maintenance } from "../../../src/ingest/maintenance.ts";
import { classify, isDropRace, sqlState } from "../../../src/store/errors.ts";
import type { Sql } from "../../../src/store/pool.ts";
import {
  CountingReport,
  connect,
  DAY_MS,
  differences,
  dirtyHours,
  HOUR_MS,
  QUIET_LOG,
  registerSensors,
  type StoredReading,
  serverEdition,
  storeReadings,
} from "../../support/hourly.ts";
import { createTestDatabase, type TestService } from "../../support/test-services.ts";
import { until } from "../../support/until.ts";

const SEED = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const DURATION_MS = Number(process.env.TEST_LIFECYCLE_MS ?? 6_000);
/** Ends what hangs: on Community hundreds of hours are refreshed one after the other, and the machine may be busy. */
const LONG_MS = 180_000;
const SYSTEMS = 2;
const SENSORS = 3;
const RETENTION_DAYS = 30;
/** Data begins here and moves on; far enough back that even the newest hour is over. */
const BEGIN_MS = Math.floor((Date.now() - 100 * DAY_MS) / HOUR_MS) * HOUR_MS;

/** mulberry32: small, good enough, and the same on every machine. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Where the simulated plant has arrived; retention follows it. */
class PlantClock {
  front_ms = BEGIN_MS + 20 * DAY_MS;
  #elapsed_ms = 0;
  now_ms = () => this.front_ms;
  /** Each look is half a minute later, so that retention is due in every round or two. */
  monotonic_ms = () => {
    this.#elapsed_ms += 30_000;
    return this.#elapsed_ms;
  };
}

const edition = await serverEdition();
let service: TestService;
let sql: Sql;

beforeAll(async () => {
  service = await createTestDatabase();
  sql = connect(service.url, 8);
  await registerSensors(sql, SYSTEMS, SENSORS);
  if (edition === "community") await removeCompressionPolicy();
});
afterAll(async () => {
  await sql?.end();
  await service?.drop();
});

function someReadings(random: () => number, clock: PlantClock): StoredReading[] {
  const system = 1 + Math.floor(random() * SYSTEMS);
  const kind = random();
  // Late by up to the whole retention and a little more; else at the front.
  const back_ms = kind < 0.3 ? random() * (RETENTION_DAYS + 3) * DAY_MS : random() * 3 * HOUR_MS;
  const at_ms = Math.max(BEGIN_MS, clock.front_ms - back_ms);
  const step_ms = kind > 0.9 ? HOUR_MS / 2 : 20_000;
  return Array.from({ length: 1 + Math.floor(random() * 40) }, (_, i) => ({
    system,
    sensor: 1 + Math.floor(random() * SENSORS),
    time_ms: Math.floor((at_ms + i * step_ms) / 10_000) * 10_000,
    value: Math.round((random() - 0.3) * 1e6) / 1e3,
  }));
}

class RollBack extends Error {}

/** Commits, holds a transaction open for a while, or rolls back. */
async function write(random: () => number, clock: PlantClock): Promise<void> {
  const rows = someReadings(random, clock);
  const hold_ms = random() < 0.3 ? random() * 40 : 0;
  const abort = random() < 0.15;
  await sql
    .begin(async (tx) => {
      await storeReadings(tx as unknown as Sql, rows);
      if (hold_ms > 0) await tx`SELECT pg_sleep(${hold_ms / 1000})`;
      if (abort) throw new RollBack();
    })
    .catch((error) => {
      // A reading older than the limit met the drop of its chunk. Ingest tries such a batch again; here it is lost.
      if (!(error instanceof RollBack) && !isDropRace(error)) throw error;
    });
  if (random() < 0.2) clock.front_ms += random() * 10 * HOUR_MS;
}

/**
 * One after another. TimescaleDB's recompression of a chunk is not MVCC-safe: a statement whose snapshot is older than
 * its plan (any in REPEATABLE READ, as the comparison is) loses the rows that were moved in between, also with a plain
 * SELECT. So a comparison and a compression never overlap; everything else may.
 */
class Turns {
  #last: Promise<unknown> = Promise.resolve();
  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

/** The policy's own runs would not wait for their turn; one that was about to begin finds no policy any more. */
async function removeCompressionPolicy(): Promise<void> {
  await sql`SELECT remove_compression_policy('diagnostics_sensordata')`;
  await until("the compression policy is not running", async () => {
    const running = await sql`SELECT FROM pg_stat_activity WHERE datname = current_database()
      AND (application_name LIKE 'Compression Policy%' OR application_name LIKE 'Columnstore Policy%')`;
    return running.length === 0;
  });
}

/** What else happens on a Community server. */
async function communityEvent(random: () => number, turns: Turns): Promise<void> {
  if (random() < 0.5) {
    await turns.take(async () => {
      await sql`SELECT compress_chunk(c, if_not_compressed => true)
          FROM (SELECT c FROM show_chunks('diagnostics_sensordata') c ORDER BY random() LIMIT 1) one`.catch(
        (error) => {
          if (!isDropRace(error)) throw error;
        },
      );
    });
    return;
  }
  const from_ms = BEGIN_MS + random() * 100 * DAY_MS;
  const [from, to] = [from_ms, from_ms + 10 * DAY_MS].map((ms) => new Date(ms).toISOString());
  await sql.unsafe(`CALL refresh_continuous_aggregate('diagnostics_sensordata_hourly_cagg', '${from}'::timestamptz,
    '${to}'::timestamptz)`);
}

/** Two actors; now and then one loses its connection or is stopped and started anew. */
class Crew {
  readonly #members: { actor: Maintenance; report: CountingReport }[] = [];
  #termsBefore = 0;

  /** How often one of them began to lead. */
  get terms(): number {
    return this.#members.reduce((sum, { report }) => sum + report.terms, this.#termsBefore);
  }

  constructor(private readonly clock: PlantClock) {
    this.#hire();
    this.#hire();
  }

  async disturb(random: () => number): Promise<void> {
    if (random() < 0.7) {
      await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'upkeep' AND random() < 0.7`;
      return;
    }
    const leaving = this.#members.shift()!;
    await leaving.actor.stop(random() < 0.5 ? 0 : 1_000);
    this.#termsBefore += leaving.report.terms;
    this.#hire();
  }

  async stop(): Promise<void> {
    for (const { actor } of this.#members) await actor.stop(5_000);
  }

  dropped(): number {
    return this.#members.reduce((sum, { report }) => sum + report.chunks, 0);
  }

  #hire(): void {
    const report = new CountingReport();
    const now = { quiet_ms: 0, longest_ms: 0, ended_only: false };
    const actor = new Maintenance(
      {
        database_url: service.url,
        session_name: "upkeep",
        interval_ms: 20,
        retention_days: RETENTION_DAYS,
        alerts: null,
        patience: { apache: now, community: now },
      },
      this.clock,
      QUIET_LOG,
      report,
    );
    actor.start();
    this.#members.push({ actor, report });
  }
}

/**
 * Runs `event` until the end and as often as is wanted, `pause_ms` apart on average; conflicts that pass are part of life.
 */
async function repeat(
  { end_ms, most_ms }: { end_ms: number; most_ms: number },
  random: () => number,
  pause_ms: number,
  event: () => Promise<unknown>,
  isEnough: (done: number) => boolean = (done) => done > 5,
): Promise<void> {
  let done = 0;
  while (performance.now() < end_ms || !isEnough(done)) {
    if (performance.now() > most_ms) throw new Error(`only ${done} times: ${event}`);
    try {
      await event();
      done += 1;
    } catch (error) {
      const passing = classify(error) === "unavailable" || sqlState(error) === "57P01";
      if (!passing) throw error;
    }
    await Bun.sleep(random() * 2 * pause_ms);
  }
}

describe(`the hourly view on the ${edition} edition`, () => {
  test(
    `equals a plain GROUP BY at every moment (TEST_SEED=${SEED})`,
    async () => {
      const clock = new PlantClock();
      const crew = new Crew(clock);
      const begin_ms = performance.now();
      const time = { end_ms: begin_ms + DURATION_MS, most_ms: begin_ms + DURATION_MS + LONG_MS };
      const manyWrites = (done: number) => done > 60;
      const stream = (n: number) => chance(SEED + n);
      const [w1, w2, c, m, e] = [1, 2, 3, 4, 5].map(stream) as [
        () => number,
        () => number,
        () => number,
        () => number,
        () => number,
      ];
      const turns = new Turns();
      const check = async () => expect(await turns.take(() => differences(sql))).toEqual([]);
      await Promise.all([
        repeat(time, w1, 4, () => write(w1, clock), manyWrites),
        repeat(time, w2, 4, () => write(w2, clock), manyWrites),
        repeat(time, c, 20, check),
        repeat(
          time,
          m,
          150,
          () => crew.disturb(m),
          (done) => done > 5 && crew.terms > 3,
        ),
        ...(edition === "community" ? [repeat(time, e, 150, () => communityEvent(e, turns))] : []),
      ]);
      await until("every hour is clean", async () => (await dirtyHours(sql)) === 0, LONG_MS);
      await check();
      const left = await until(
        "retention went along: nothing is older than the limit and one chunk",
        async () => {
          const [row] = await sql<{ rows: number; oldest_ms: number }[]>`SELECT count(*)::int AS rows,
        (extract(epoch FROM min(bucket)) * 1000)::float8 AS oldest_ms FROM diagnostics_sensordata_hourly`;
          return row!.oldest_ms > clock.front_ms - (RETENTION_DAYS + 8) * DAY_MS && row;
        },
        LONG_MS,
      );
      await check();
      await crew.stop();
      expect(left.rows).toBeGreaterThan(50);
      if (process.env.TEST_VERBOSE) console.log({ terms: crew.terms, ...left });
    },
    DURATION_MS + 3 * LONG_MS,
  );
});
