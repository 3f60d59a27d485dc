/**
 * Reviewers at once, as in random.test.ts, while retention drops the chunks that they decide about, late readings bring
 * such chunks back, sensors get other ranges, tasks are about thousands of readings, and on Community chunks are
 * compressed. What must hold afterwards is asked of the tables.
 * REVIEW_SEED, REVIEW_ROUNDS and REVIEW_BULK (readings of the large tasks) make it another, or a longer, run.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Chance } from "../../../src/feed/simulate/chance.ts";
import { Maintenance } from "../../../src/ingest/maintenance.ts";
import type { OpenDesk } from "../../../src/review/open-desk.ts";
import { classify, isDropRace } from "../../../src/store/errors.ts";
import { RegistryError } from "../../../src/store/registry-errors.ts";
import { SensorRangeStore } from "../../../src/store/sensor-ranges.ts";
import { CountingReport, DAY_MS, differences, QUIET_LOG, serverEdition } from "../../support/hourly.ts";
import { reading, START_MS, SYSTEM, sensor } from "../../support/ingest-bench.ts";
import { decision, REVIEWER, ReviewBench } from "../../support/review.ts";
import {
  allowed,
  anyReading,
  killSessions,
  REVIEWERS,
  reviewAtRandom,
  SENSORS,
  workTasks,
} from "../../support/review-chance.ts";
import { wrongReviews } from "../../support/review-oracle.ts";
import { until } from "../../support/until.ts";
import { verifyDatabase } from "../../support/verify.ts";

const SEED = Number(process.env.REVIEW_SEED ?? 5);
const ROUNDS = Number(process.env.REVIEW_ROUNDS ?? 3);
const BULK = Number(process.env.REVIEW_BULK ?? 2_500);
const BATCH = 10_000;
const TURNS = 6;
/** Of a large task before it is cancelled, on average: most are finished. */
const portions = 20 + BULK / 250;
const WEEK_S = 7 * 86_400;
const RETENTION_DAYS = 35;
/** A few seconds of each of the weeks before the bench's first reading. */
const SECONDS = [0, 1, 2, 3, 4, 5].flatMap((week) => [0, 1, 2].map((second) => second - week * WEEK_S));
const CHUNK_MS = WEEK_S * 1_000;

const edition = await serverEdition();
let bench: ReviewBench;
/** Retention goes by it. */
const clock = {
  front_ms: START_MS,
  now_ms: () => clock.front_ms,
  monotonic_ms: () => (clock.elapsed_ms += 30_000),
  elapsed_ms: 0,
};
/** Chunks that end before it may have been dropped. */
const limit_ms = () => clock.front_ms - RETENTION_DAYS * DAY_MS;

beforeAll(async () => {
  bench = await ReviewBench.create();
});
afterAll(() => bench.close());

function maintenance(report: CountingReport): Maintenance {
  const now = { quiet_ms: 0, longest_ms: 0, ended_only: false };
  const settings = {
    database_url: bench.ingest.databaseUrl,
    session_name: "upkeep",
    interval_ms: 20,
    retention_days: RETENTION_DAYS,
    alerts: null,
    patience: { apache: now, community: now },
  };
  return new Maintenance(settings, clock, QUIET_LOG, report);
}

/** Refused readings of a sensor, spread over the weeks, all of other keys than those that are decided on one by one. */
async function sendBulk(chance: Chance): Promise<void> {
  const n = chance.below(SENSORS);
  const begin = 1_000 + chance.below(100_000);
  const all = Array.from({ length: BULK }, (_, i) => reading(n, begin + i - (i % 6) * WEEK_S, 900 + (i % 7)));
  for (let from = 0; from < BULK; from += BATCH) await bench.send(all.slice(from, from + BATCH));
}

async function decideOnBulk({ desk }: OpenDesk, chance: Chance): Promise<void> {
  for (let n = 0; n < 3; n += 1) {
    const action = chance.pick(["approve", "reopen", "reopen", "reject", "fix", "revalidate"] as const);
    const change = action === "fix" ? { shift_ms: chance.pick([0.5, 1_000, CHUNK_MS]) } : null;
    const conflict =
      action === "approve" || action === "fix" ? chance.pick([null, "keep", "replace"] as const) : null;
    await allowed(
      desk.enqueue(decision({ action, change, conflict, selection: { filter: { system_id: SYSTEM } } })),
    );
    await Bun.sleep(chance.below(300));
  }
}

/** Other ranges, so that readings are refused by one and taken by the next; the sensor's unit now and then. */
async function changeRanges(chance: Chance, isOver: () => boolean): Promise<void> {
  const ranges = new SensorRangeStore(bench.ingest.database);
  while (!isOver()) {
    const range = chance.pick([null, { min: 0, max: 55 }, { min: 0, max: 1_000 }, { min: 100, max: 905 }]);
    const key = { system_id: SYSTEM, sensor_id: sensor(chance.below(SENSORS)) };
    await ranges
      .set(key, { range, valid_from_ms: null, author: REVIEWER, expected: null })
      .catch((error: unknown) => {
        // Not sent yet.
        if (!(error instanceof RegistryError)) throw error;
      });
    await Bun.sleep(chance.below(60));
  }
}

/** Retention goes on in jumps of days. */
async function moveFront(chance: Chance, days: number): Promise<void> {
  for (let moved = 0; moved < days; ) {
    const step = 1 + chance.below(3);
    moved += step;
    clock.front_ms += step * DAY_MS;
    await Bun.sleep(chance.below(150));
  }
}

async function compress(chance: Chance, isOver: () => boolean): Promise<void> {
  const { sql } = bench.ingest.database;
  while (edition === "community" && !isOver()) {
    await sql`SELECT compress_chunk(c, if_not_compressed => true) FROM (
      SELECT c FROM show_chunks('diagnostics_sensordata') c ORDER BY random() LIMIT 1) one`.catch(
      (error: unknown) => {
        if (!isDropRace(error) && classify(error) !== "unavailable") throw error;
      },
    );
    await Bun.sleep(50 + chance.below(300));
  }
}

/** Chunks that are older than retention keeps them. */
async function overdueChunks(): Promise<number> {
  const [row] = await bench.ingest.database.sql<{ n: number }[]>`
    SELECT count(*)::int AS n FROM timescaledb_information.chunks
    WHERE hypertable_name = 'diagnostics_sensordata' AND range_end <= ${new Date(limit_ms())}`;
  return row!.n;
}

async function expectRight(round: number): Promise<void> {
  const { sql } = bench.ingest.database;
  const kept_from = new Date(Math.floor(limit_ms() / CHUNK_MS) * CHUNK_MS).toISOString();
  expect({ round, wrong: await wrongReviews(sql, kept_from) }).toEqual({ round, wrong: [] });
  expect({ round, wrong: await differences(sql) }).toEqual({ round, wrong: [] });
  const now = { now_ms: clock.now_ms, monotonic_ms: () => 0 };
  const found = await verifyDatabase(bench.ingest.databaseUrl, {
    clock: now,
    expected: { retention_days: RETENTION_DAYS },
  });
  // In a longer run nothing may be left to count.
  expect(found.get("accounts")).toMatchObject({
    verdict: expect.stringMatching(/^(ok|n\/a)$/),
    figures: { differences: [], dropped_before: 0, dropped_between: 0, wrong_counters: [] },
  });
}

test(`whatever is dropped beside reviews, everything else is stored, taken back and recorded once (seed ${SEED})`, async () => {
  const chance = new Chance(SEED, "reviews beside retention");
  const report = new CountingReport();
  const batch = () => Array.from({ length: 20 }, () => anyReading(chance, SECONDS));
  await bench.send(batch());
  const desks = Array.from({ length: REVIEWERS + 2 }, () => bench.desk());
  const [first, second, ...reviewers] = desks as [OpenDesk, OpenDesk, ...OpenDesk[]];
  for (let round = 0; round < ROUNDS; round += 1) {
    const own = () => new Chance(SEED, `round ${round}, ${chance.below(1_000_000)}`);
    let over = false;
    const isOver = () => over;
    await sendBulk(chance);
    const keeper = maintenance(report);
    keeper.start();
    const others = [
      workTasks(first, own(), isOver, portions),
      workTasks(second, own(), isOver, portions),
      killSessions(bench, own(), isOver),
      changeRanges(own(), isOver),
      compress(own(), isOver),
    ];
    const ingest = async () => {
      for (let n = 0; n < 3; n += 1) await bench.send(batch());
    };
    const decided = reviewers.map((desk) => reviewAtRandom(desk, bench, own(), SECONDS, TURNS));
    await Promise.all([
      ...decided,
      decideOnBulk(reviewers[0]!, own()),
      moveFront(own(), 6),
      ingest(),
    ]).finally(() => {
      over = true;
    });
    await Promise.all(others);
    clock.front_ms += 3 * DAY_MS;
    await until("retention is done", async () => (await overdueChunks()) === 0, 30_000);
    await keeper.stop(5_000);
    await expectRight(round);
  }
  expect(report.chunks).toBeGreaterThan(1);
  if (process.env.REVIEW_ROUNDS) {
    const { sql } = bench.ingest.database;
    console.log(
      JSON.stringify({
        dropped: report.chunks,
        failures: report.failures,
        outcomes:
          await sql`SELECT after ->> 'outcome' AS outcome, count(*)::int AS n FROM diagnostics_audit WHERE subject_type = 'reading' GROUP BY 1`,
        tasks:
          await sql`SELECT action, state, count(*)::int AS n, max(selected)::int AS largest FROM diagnostics_review_task GROUP BY 1, 2`,
      }),
    );
  }
}, 3_600_000);
