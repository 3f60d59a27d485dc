/** Two worker processes write the same sensors and timestamps at once: no deadlock, and every count adds up. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomFrom, SYSTEM_ID, seedOf } from "../support/fault/batches.ts";
import { postBatch } from "../support/fault/load.ts";
import { Stack } from "../support/stack.ts";

const TEST_MS = 240_000;
const SENSORS = 20;
const INSTANTS = 100;
const BATCHES = 120;
const READINGS = 500;
const LANES = 8;
const seed = seedOf("overlap");
let stack: Stack;

beforeEach(async () => {
  stack = await Stack.create();
}, TEST_MS);
afterEach(async () => {
  await stack.close();
}, TEST_MS);

interface Sent {
  readonly sensor_id: string;
  readonly timestamp: string;
  readonly value: number;
}

const keyOf = ({ sensor_id, timestamp }: Sent) => `${sensor_id} ${timestamp}`;

/** Batches over the same keys, every other one in the opposite order; a value repeats often, so some are identical. */
function overlapping(random: () => number): Sent[][] {
  const begin_ms = Date.now() - 3_600_000;
  const keys = Array.from({ length: SENSORS }, () => crypto.randomUUID()).flatMap((sensor_id) =>
    Array.from({ length: INSTANTS }, (_, i) => ({
      sensor_id,
      timestamp: new Date(begin_ms + i * 1000).toISOString(),
    })),
  );
  return Array.from({ length: BATCHES }, (_, n) => {
    const from = Math.floor(random() * (keys.length - READINGS));
    const chosen = keys.slice(from, from + READINGS);
    const readings = chosen.map((key) => ({ ...key, value: 100 + Math.floor(random() * 3) }));
    return n % 2 === 0 ? readings : readings.reverse();
  });
}

/** Send all of them from several producers at once. @returns what each job was sent */
async function sendAll(batches: readonly Sent[][], token: string): Promise<Map<string, Sent[]>> {
  const jobs = new Map<string, Sent[]>();
  const left = [...batches];
  const lane = async () => {
    for (let readings = left.shift(); readings; readings = left.shift()) {
      const full = readings.map((r) => ({ ...r, unit: "bar", quality: 95 }));
      const body = JSON.stringify({ system_id: SYSTEM_ID, readings: full });
      const response = await postBatch(stack.url, token, { key: crypto.randomUUID(), body });
      expect(response.status).toBe(202);
      jobs.set(((await response.json()) as { job_id: string }).job_id, readings);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return jobs;
}

test(
  "two worker processes with overlapping batches in opposite orders: no deadlock, every reading accounted for",
  async () => {
    const { sql } = stack.reckoning;
    await stack.start("api");
    const workers = await Promise.all([
      stack.start("worker", { WORKER_THREADS: "2" }),
      stack.start("worker", { WORKER_THREADS: "2" }),
    ]);
    const jobs = await sendAll(overlapping(randomFrom(seed)), await stack.login());
    await stack.reckoning.drained(60_000, () => stack.tail());
    await stack.reckoning.expectQuiet();

    const stored = new Map(
      (
        await sql<{ sensor_id: string; timestamp: Date; value: number }[]>`
        SELECT sensor_id, "timestamp", value FROM diagnostics_sensordata`
      ).map((r) => [keyOf({ ...r, timestamp: r.timestamp.toISOString() }), r.value]),
    );
    expect([...stored.keys()].sort()).toEqual([...new Set([...jobs.values()].flat().map(keyOf))].sort());
    const ledger = await sql<
      {
        id: string;
        status: string;
        inserted: number;
        duplicate: number;
        quarantined: number;
        refused: number;
      }[]
    >`SELECT id, status, inserted_readings AS inserted, duplicate_readings AS duplicate,
        quarantined_readings AS quarantined, (SELECT count(*)::int FROM diagnostics_quarantined_reading q
          WHERE q.job_id = job.id AND q.reason = 'duplicate') AS refused
      FROM diagnostics_ingestion_job job`;
    expect(ledger.map(({ id }) => id).sort()).toEqual([...jobs.keys()].sort());
    for (const { id, status, inserted, duplicate, quarantined, refused } of ledger) {
      const different = jobs.get(id)!.filter((sent) => stored.get(keyOf(sent)) !== sent.value).length;
      expect({ status, same: inserted + duplicate, quarantined, refused }).toEqual({
        status: "completed",
        same: READINGS - different,
        quarantined: different,
        refused: different,
      });
    }
    expect(ledger.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(stored.size);

    // A session reports its statistics at the latest when it ends.
    for (const worker of workers) worker.signal("SIGTERM");
    for (const worker of workers) expect((await worker.end(60_000)).code).toBe(0);
    const [statistics] = await sql<{ deadlocks: number }[]>`
      SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()`;
    expect(statistics?.deadlocks).toBe(0);
    const writers = await sql<{ worker: string }[]>`SELECT DISTINCT worker FROM diagnostics_ingestion_job`;
    expect(writers.length).toBeGreaterThan(1);
  },
  TEST_MS,
);
