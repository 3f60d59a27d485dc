/**
 * The program within the test's own process: what the tests of child processes prove from outside is here seen from
 * inside, wiring included.
 */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystem } from "../../src/commands/accounts.ts";
import { CommandError, fail } from "../../src/commands/fail.ts";
import { migrateCommand } from "../../src/commands/migrate.ts";
import { replay } from "../../src/commands/replay.ts";
import { start } from "../../src/commands/start.ts";
import { verifyCommand } from "../../src/commands/verify.ts";
import { ConfigError } from "../../src/config/problems.ts";
import { importCommand } from "../../src/feed/import/command.ts";
import { simulateCommand } from "../../src/feed/simulate/command.ts";
import { choosePort } from "../../src/services/free-port.ts";
import { ADVISORY_LOCKS } from "../../src/store/advisory-locks.ts";
import { Database } from "../../src/store/pool.ts";
import { createTestDatabase, createTestRedis } from "../support/test-services.ts";
import { until } from "../support/until.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
let before: NodeJS.ProcessEnv;
let url: string;
let closing: (() => Promise<unknown>)[];

beforeEach(async () => {
  const [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
  const port = await choosePort(undefined, []);
  url = `http://127.0.0.1:${port}`;
  closing = [database.drop, redis.drop];
  before = { ...process.env };
  Object.assign(process.env, {
    APP_ENV: "development",
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    PORT: String(port),
    WORKER_THREADS: "1",
    LOG_LEVEL: "error",
  });
});

afterEach(async () => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  process.exitCode = 0;
  for (const close of closing) await close();
});

/** Runs the service while `use` works with it, and stops it as a signal does. */
async function withService(use: () => Promise<void>): Promise<void> {
  const ended = start("all");
  try {
    await Promise.race([
      until("the service is ready", async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok, 60_000),
      ended.then(() => Promise.reject(new Error("the service ended before it was ready"))),
    ]);
    await use();
  } finally {
    process.emit("SIGTERM");
    await ended;
  }
  expect(await fetch(`${url}/livez`).catch(() => null)).toBeNull();
}

/** Connected to the service's database until the test's end. */
function ownDatabase(): Database {
  const database = new Database({ url: process.env.DATABASE_URL ?? "", size: 1, query_deadline_ms: 5_000 });
  closing.unshift(() => database.close());
  return database;
}

const count = async (name: string) => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split("\n").find((l) => l.startsWith(`${name} `));
  return Number(line?.split(" ")[1] ?? Number.NaN);
};

test("a browser's session sees the workers, and a console that watches does not keep the service from stopping", async () => {
  let watched: Promise<string> | undefined;
  const begin = { value: 0 };
  await withService(async () => {
    const login = await fetch(`${url}/api/v1/auth/session`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username: "admin", password: "password" }),
    });
    const headers = { Cookie: login.headers.get("Set-Cookie")?.split(";")[0] ?? "" };
    await until("a worker at work", async () => {
      const answer = await fetch(`${url}/api/v1/workers`, { headers });
      const { items } = (await answer.json()) as { items: { state: string }[] };
      return items.length === 1 && items[0]!.state === "running";
    });
    watched = (await fetch(`${url}/api/v1/overview/events`, { headers })).text();
    begin.value = performance.now();
  });
  expect(await watched).toContain("event: overview");
  expect(performance.now() - begin.value).toBeLessThan(20_000);
});

describe("one process from start to stop", () => {
  test("takes what simulate and import send, counts it in its metrics and stops in order", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hydraulic-program-"));
    closing.push(() => rm(folder, { recursive: true }));
    const file = join(folder, "press.csv");
    await Bun.write(file, "timestamp,pump\n2026-11-01T00:00:00Z,120.5\n2026-11-01T00:00:01Z,121\n");
    await withService(async () => {
      const shared = ["--url", url, "--system", SYSTEM];
      const simulate = ["--rate", "5000", "--readings", "1000", "--users", "2", "--faults", "0.1", "--json"];
      await simulateCommand().parseAsync([...shared, ...simulate], { from: "user" });
      expect(process.exitCode ?? 0).toBe(0);
      await importCommand().parseAsync([file, ...shared, "--column", "pump=bar"], { from: "user" });
      expect(process.exitCode ?? 0).toBe(0);
      // A job has ended a moment before its thread tells what it was.
      const counted = (name: string, isRight: (value: number) => boolean) =>
        until(name, async () => isRight(await count(name)));
      await counted('hydraulic_readings_total{outcome="inserted"}', (n) => n > 800);
      await counted('hydraulic_readings_total{outcome="invalid_unit"}', (n) => n > 0);
      await counted("hydraulic_stream_entries", (n) => n === 0);
      await counted('hydraulic_workers{state="running"}', (n) => n === 1);
    });
    expect(process.exitCode ?? 0).toBe(0);
  });

  test("none of its parts shuts another one out: with webhooks and reviews led, the maintenance gets its work done", async () => {
    await withService(async () => {
      const few = ["--rate", "5000", "--readings", "500", "--faults", "0.2", "--json"];
      await simulateCommand().parseAsync(["--url", url, "--system", SYSTEM, ...few], { from: "user" });
      const { sql } = ownDatabase();
      await until("all that is led is led", async () => {
        const rows = await sql<{ objid: string }[]>`
          SELECT objid::text FROM pg_locks WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
        const held = rows.map(({ objid }) => Number(objid));
        const { maintenance, review, webhooks } = ADVISORY_LOCKS;
        return [maintenance, review, webhooks].every((lock) => held.includes(lock));
      });
      await until("refused readings are added up", async () => {
        const [row] = await sql<{ open: number; added: number }[]>`
          SELECT (SELECT count(*)::int FROM diagnostics_quarantine_change) AS open,
            (SELECT coalesce(sum(pending), 0)::int FROM diagnostics_quarantine_total) AS added`;
        return row!.open === 0 && row!.added > 0;
      });
      expect(await count("hydraulic_maintenance_failures_total")).toBe(0);
    });
  });

  test("keeps its data for the commands that follow", async () => {
    await withService(async () => undefined);
    await migrateCommand();
    await createSystem("Press 7", { id: "11111111-2222-4333-8444-555555555555" });
    await expect(createSystem("Press 8", { id: SYSTEM })).rejects.toThrow(CommandError);
    await expect(createSystem("Press 9", { id: "seven" })).rejects.toThrow(CommandError);
    await replay({});
    await replay({ all: true });
    await expect(replay({ job: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a00" })).rejects.toThrow(CommandError);
  });

  test("finds its own database in order, and measures in a schema that it drops", async () => {
    await withService(async () => {
      const feed = ["--url", url, "--readings", "2000", "--rate", "20000"];
      await simulateCommand().parseAsync(feed, { from: "user" });
      await verifyCommand().parseAsync(["--seed", "7"], { from: "user" });
      expect(process.exitCode ?? 0).toBe(0);
    });
    // Figures of so small a run may miss their targets; that it ends, and leaves nothing, is what counts here.
    await verifyCommand().parseAsync(["--json", "--benchmark", "--rows", "20000"], { from: "user" });
    const left = await ownDatabase()
      .sql`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'hydraulic_verify%'`;
    expect([...left]).toEqual([]);
  });

  test("refuses a wrong configuration before anything is opened", async () => {
    process.env.WORKER_THREADS = "many";
    await expect(start("all")).rejects.toThrow(ConfigError);
    fail(new ConfigError([{ name: "WORKER_THREADS", value: "many", allowed: "a whole number" }]));
    expect(process.exitCode).toBe(1);
  });

  test("refuses a port that another program has", async () => {
    const other = Bun.serve({
      port: Number(new URL(url).port),
      hostname: "127.0.0.1",
      fetch: () => new Response(),
    });
    try {
      await expect(start("all")).rejects.toThrow(CommandError);
    } finally {
      await other.stop(true);
    }
  });
});
