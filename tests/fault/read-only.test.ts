/** A database that is set to read only, as managed ones are on a full disk: nothing fails, everything waits, and goes on. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import postgres from "postgres";
import { seedOf } from "../support/fault/batches.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
let stack: Stack;
let admin: postgres.Sql;
beforeAll(async () => {
  stack = await Stack.create();
  admin = postgres(process.env.DATABASE_URL!, { max: 1 });
}, TEST_MS);
afterAll(async () => {
  await stack.close();
  await admin.end();
}, TEST_MS);

test(
  "batches are accepted and wait while the database takes no writes (25006), no job fails, and sessions are not kept that still refuse",
  async () => {
    const database = new URL(stack.urls.database).pathname.slice(1);
    const program = await stack.start("all");
    const load = await stack.load(seedOf("read-only"), { rate: 30 });
    const accepted = (more: number) => {
      const before = load.accepted.size;
      return until(`${more} more batches are accepted`, () => load.accepted.size >= before + more, 60_000);
    };
    const status = async () =>
      ((await (await fetch(`${stack.url}/readyz`)).json()) as { status: string }).status;
    await accepted(20);
    // Sessions that are open stay as they are: the service's are ended, so that its next ones refuse.
    await admin.unsafe(`ALTER DATABASE ${database} SET default_transaction_read_only = on`);
    await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${database} AND pid <> pg_backend_pid()`;
    await accepted(20);
    await until("/readyz says degraded", async () => (await status()) === "degraded", 60_000);
    await until("the log says it", () =>
      program.lines.some((line) => line.includes("read-only transaction")),
    );
    expect(await stack.reckoning.streamLength()).toBeGreaterThan(0);
    // Nobody ends the service's sessions now: it must give them up by itself.
    await admin.unsafe(`ALTER DATABASE ${database} RESET default_transaction_read_only`);
    await accepted(20);
    await load.stop();
    await stack.settle(load, 60_000);
    await until("/readyz says ready", async () => (await status()) === "ready", 60_000);
  },
  TEST_MS,
);
