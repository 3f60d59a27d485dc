/**
 * The spool's promise, with a producer that is killed: every reading that the client took is in the database, once.
 * Once also in the sense that no job has stored or counted it a second time: batches come again under their keys.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choosePort } from "../../../src/services/free-port.ts";
import {
  consumerProject,
  ON_BUN,
  Producer,
  type ProducerSettings,
  type Runtime,
  run,
  withoutNode,
} from "../../support/client-programs.ts";
import { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

const DEADLINE_MS = 180_000;
/** Between two lives of a producer, for readings that were written but not reported any more. */
const GAP = 100_000;

let stack: Stack;
let folder: string;
let port: string;
let onNode: Runtime;
const producers: Producer[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hydraulic-crash-"));
  port = String(await choosePort(undefined, []));
  // Each life of a producer logs in.
  stack = await Stack.create({ LOGIN_ATTEMPTS_PER_MINUTE: "1000" });
  if (withoutNode() !== null) return;
  const project = await consumerProject(folder);
  onNode = {
    name: "Node.js",
    program: "node",
    module: join(project, "node_modules/hydraulic-ingest/client/index.js"),
  };
}, DEADLINE_MS);
beforeEach(async () => {
  await stack.reckoning.sql`TRUNCATE diagnostics_sensordata, diagnostics_ingestion_job CASCADE`;
  if (!stack.programs.at(-1)?.alive) await stack.start("all", { PORT: port });
});
afterEach(async () => {
  for (const producer of producers.splice(0)) await producer.kill();
  await rm(join(folder, "spool"), { recursive: true, force: true });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

function produce(
  runtime: Runtime,
  settings: Partial<ProducerSettings>,
  before: readonly string[] = [],
): Producer {
  const common = { url: `http://127.0.0.1:${port}`, folder: join(folder, "spool"), first: 0, count: 1e9 };
  const producer = new Producer(runtime, { ...common, after: "close", ...settings }, before);
  producers.push(producer);
  return producer;
}

async function storedNumbers(): Promise<number[]> {
  const rows = await stack.reckoning.sql<{ n: string }[]>`
    SELECT round(extract(epoch FROM timestamp - '2026-01-01T00:00:00Z'::timestamptz) * 1000) AS n
    FROM diagnostics_sensordata ORDER BY timestamp`;
  return rows.map(({ n }) => Number(n));
}

/** Stored readings that no life can have written: what it could not report any more follows upon the last one it did. */
function unreported(stored: readonly number[], taken: readonly number[]): number[] {
  const reported = new Set(taken);
  const last = new Map<number, number>();
  for (const number of taken) {
    const life = Math.floor(number / GAP);
    last.set(life, Math.max(number, last.get(life) ?? number));
  }
  return stored.filter((number) => {
    if (reported.has(number)) return false;
    const life = Math.floor(number / GAP);
    if (number !== (last.get(life) ?? life * GAP - 1) + 1) return true;
    last.set(life, number);
    return false;
  });
}

/** A last producer drains the spool; then everything that was taken is there, and nothing was counted twice. */
async function expectExactly(runtime: Runtime, taken: readonly number[]): Promise<void> {
  await produce(runtime, { count: 0 }).end();
  await stack.reckoning.drained(60_000, () => stack.tail());
  const stored = await storedNumbers();
  const known = new Set(stored);
  expect(taken.filter((number) => !known.has(number))).toEqual([]);
  expect(unreported(stored, taken)).toEqual([]);
  // All jobs have ended; a queued one is of an earlier test, mirrored after its table was emptied.
  const [jobs] = await stack.reckoning.sql<{ total: number; inserted: number; duplicate: number }[]>`
    SELECT sum(total_readings)::int AS total, sum(inserted_readings)::int AS inserted,
      sum(duplicate_readings)::int AS duplicate FROM diagnostics_ingestion_job WHERE status <> 'queued'`;
  expect(jobs).toEqual({ total: stored.length, inserted: stored.length, duplicate: 0 });
}

const runtimes: [string, () => Runtime][] = [["Bun", () => ON_BUN]];
if (withoutNode() === null) runtimes.push(["Node.js", () => onNode]);
else console.log(`Node.js is left out: ${withoutNode()}`);

describe.each(runtimes)("a producer on %s that is killed", (_name, runtimeOf) => {
  test(
    "again and again, while it writes and while it sends",
    async () => {
      const taken: number[] = [];
      for (const [life, enough] of [200, 800, 50, 1500, 400].entries()) {
        const batch = { max_readings: 20, max_age_ms: 5 };
        const producer = produce(runtimeOf(), { first: life * GAP, batch });
        await producer.hasTaken(enough);
        await producer.kill();
        taken.push(...producer.taken);
      }
      await expectExactly(runtimeOf(), taken);
    },
    DEADLINE_MS,
  );

  test(
    "while the service is down, which comes back later",
    async () => {
      await stack.programs.at(-1)!.kill();
      const first = produce(runtimeOf(), { batch: { max_readings: 50 } });
      await first.hasTaken(2000);
      await first.kill();
      const second = produce(runtimeOf(), { first: GAP, batch: { max_readings: 50 } });
      await second.hasTaken(500);
      await stack.start("all", { PORT: port });
      await until(
        "it is sent while it is written",
        async () => (await storedNumbers()).length > 1000,
        60_000,
      );
      await second.kill();
      await expectExactly(runtimeOf(), [...first.taken, ...second.taken]);
    },
    DEADLINE_MS,
  );
});

describe("a disk that takes no more", () => {
  test(
    "ends writes with an error, loses nothing, and is written again when it can be",
    async () => {
      await stack.programs.at(-1)!.kill();
      // The largest size of a file plays the full disk: a write beyond it is cut off in the middle.
      const limit = ["sh", "-c", 'trap "" XFSZ; ulimit -S -f 8; exec "$@"', "sh"];
      const producer = produce(ON_BUN, { batch: { max_readings: 10_000 } }, limit);
      await until("a write fails", () => producer.errors.length > 3, 60_000);
      expect(new Set(producer.errors)).toEqual(new Set(["SpoolWriteError"]));
      const stuck = producer.taken.length;
      expect(stuck).toBeGreaterThan(10);
      await run(["prlimit", "--pid", String(producer.pid), "--fsize=unlimited"], folder);
      await producer.hasTaken(stuck + 500);
      await producer.kill();
      await stack.start("all", { PORT: port });
      await expectExactly(ON_BUN, producer.taken);
    },
    DEADLINE_MS,
  );
});
