/** Entries that cannot be processed, amid load: they end in the dead letters and hold nobody up; replay brings them back. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { encodeEntry } from "../../src/contract/entry.ts";
import { newJobId } from "../../src/contract/job-id.ts";
import { backlogKey, deadKey, streamKey } from "../../src/stream/keys.ts";
import { BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { type Load, postBatch } from "../support/fault/load.ts";
import { runProgram } from "../support/fault/program.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
/** Longest time that a batch may wait because of another one's poison. */
const HELD_UP_MS = 30_000;
const seed = seedOf("poison");
let stack: Stack;

beforeEach(async () => {
  stack = await Stack.create();
}, TEST_MS);
afterEach(async () => {
  await stack.close();
}, TEST_MS);

/** Entries that no program wrote. A number as version would be a newer program's, and wait for it. */
async function addGarbage(): Promise<number> {
  const { redis } = stack.reckoning;
  const meta = {
    job_id: newJobId(0),
    system_id: crypto.randomUUID(),
    user_id: crypto.randomUUID(),
    request_id: "poison",
    total_readings: 3,
    received_at_ms: Date.now(),
  };
  const entries = [
    ["what", "ever"],
    ["v", "one", "m", JSON.stringify(meta), "b", "{}"],
    ["v", "1", "m", "not JSON", "b", "{}"],
    encodeEntry({ ...meta, job_id: newJobId(0) }, Buffer.from([0xff, 0x00, 0xfe])),
    encodeEntry({ ...meta, job_id: newJobId(0) }, Buffer.from('{"readings":[1]}')),
  ];
  for (const fields of entries) {
    const size = Buffer.byteLength((fields[5] ?? "") as string);
    await redis
      .multi()
      .xadd(streamKey(0), "*", ...(fields as string[]))
      .incrby(backlogKey(0), size)
      .exec();
  }
  return entries.length;
}

/** Time from acceptance to the end of the slowest job, ms. */
async function slowestJob_ms(): Promise<number> {
  const [row] = await stack.reckoning.sql<{ ms: number }[]>`
    SELECT max(extract(epoch FROM completed_at - created_at))::float8 * 1000 AS ms
    FROM diagnostics_ingestion_job WHERE status = 'completed'`;
  return row?.ms ?? 0;
}

const someMore = (load: Load, more: number) => {
  const goal = load.accepted.size + more;
  return until("more batches are accepted", () => load.accepted.size >= goal);
};

test(
  "entries that no codec understands go to the dead letters and hold nobody up",
  async () => {
    await stack.start("all");
    const load = await stack.load(seed);
    await someMore(load, 30);
    const garbage = await addGarbage();
    await someMore(load, 60);
    await load.stop();
    await stack.reckoning.drained(60_000, () => stack.tail());
    expect(await stack.reckoning.redis.xlen(deadKey(0))).toBe(garbage);
    expect(await slowestJob_ms()).toBeLessThan(HELD_UP_MS);
    await stack.reckoning.sql`DELETE FROM diagnostics_ingestion_job WHERE status = 'failed'`;
    await stack.reckoning.redis.del(deadKey(0));
    await stack.reckoning.expectExactly(load.accepted);
  },
  TEST_MS,
);

test(
  "a batch that PostgreSQL cannot take is found among others, buried, and finishes after replay",
  async () => {
    const { sql, redis } = stack.reckoning;
    const source = new BatchSource(randomFrom(seed), 50);
    const poison = source.next();
    await stack.start("api");
    // A fault of no class that says what to do: neither the infrastructure's nor a row's (P0001).
    await sql.unsafe(`
      CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'poison'; END $$;
      CREATE TRIGGER refuse_poison BEFORE INSERT ON diagnostics_sensordata FOR EACH ROW
        WHEN (NEW.sensor_id = '${poison.sensor_id}') EXECUTE FUNCTION refuse_poison();`);
    const token = await stack.login();
    // The backlog is there before the worker is, so that the poison is written in one group with others.
    const load = await stack.load(seed, { token, next: () => source.next(), rate: 200 });
    const response = await postBatch(stack.url, token, poison);
    const { job_id } = (await response.json()) as { job_id: string };
    await someMore(load, 150);
    await stack.start("worker");
    await someMore(load, 30);
    await load.stop();
    const begin_ms = performance.now();
    await stack.reckoning.drained(60_000, () => stack.tail());
    expect(performance.now() - begin_ms).toBeLessThan(HELD_UP_MS);
    expect(await redis.xlen(deadKey(0))).toBe(1);
    const [job] = await sql`SELECT status, error_message FROM diagnostics_ingestion_job WHERE id = ${job_id}`;
    expect(job).toEqual({ status: "failed", error_message: "poison" });

    const listed = await runProgram(["replay"], stack.environment());
    expect(listed.stdout).toContain(job_id);
    expect(listed.stdout).toEndWith("1 dead letter\n");
    await sql.unsafe("DROP TRIGGER refuse_poison ON diagnostics_sensordata");
    const replayed = await runProgram(["replay", "--job", job_id], stack.environment());
    expect([replayed.code, replayed.stdout]).toEqual([0, "1 replayed\n"]);
    load.accepted.set(job_id, poison);
    await stack.settle(load);
    const again = await runProgram(["replay", "--job", job_id], stack.environment());
    expect([again.code, again.stderr]).toEqual([1, `error: there is no dead letter of job ${job_id}\n`]);
  },
  TEST_MS,
);
