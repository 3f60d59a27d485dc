/** PostgreSQL is slow, frozen, full or without connections: batches wait up to the backlog's bound, then 503; no restart. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type postgres from "postgres";
import { type Batch, seedOf } from "../support/fault/batches.ts";
import { type Fault, toTheBoundAndBack } from "../support/fault/bound.ts";
import { OwnPostgres } from "../support/fault/own-postgres.ts";
import { testWithDisk } from "../support/fault/small-disk.ts";
import { Stack } from "../support/stack.ts";
import { createTestRedis, type TestService } from "../support/test-services.ts";

const TEST_MS = 240_000;
const BOUND_ENTRIES = 40;
const ROLE = "service";
const seed = seedOf("postgres-bounds");
let server: OwnPostgres;
let redis: TestService;
let admin: postgres.Sql;
let stack: Stack;
/** By all loads: the programs are never started again. */
const accepted = new Map<string, Batch>();

beforeAll(async () => {
  [server, redis] = await Promise.all([OwnPostgres.start(), createTestRedis()]);
  const url = await server.createDatabase(ROLE);
  admin = server.admin(ROLE);
  const own = { database: server.adminUrl(ROLE), redis: redis.url };
  const settings = { BACKLOG_MAX_ENTRIES: String(BOUND_ENTRIES) };
  stack = new Stack(own, { ...own, database: url }, settings);
  await stack.start("api");
  await stack.start("worker");
}, 180_000);

afterAll(async () => {
  await stack.close();
  await admin.end();
  await Promise.all([server.close(), redis.drop()]);
}, TEST_MS);

let unlock: () => Promise<void> = async () => undefined;
const isFull = async () => expect(await stack.reckoning.streamLength()).toBeLessThanOrEqual(BOUND_ENTRIES);
/** Reading is refused in time, too. */
const readingIsRefused = async () => {
  await isFull();
  const response = await fetch(`${stack.url}/api/v1/jobs`, { headers: { Authorization: `Bearer ${token}` } });
  expect(response.status).toBe(503);
  expect(Number(response.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
};
let token = "";

const FAULTS: [string, Fault, typeof testWithDisk][] = [
  [
    "lets nobody write into the hypertable for long",
    {
      harm: async () => {
        const session = await admin.reserve();
        await session`BEGIN`;
        await session`LOCK TABLE diagnostics_sensordata IN EXCLUSIVE MODE`;
        unlock = async () => {
          await session`COMMIT`;
          session.release();
        };
      },
      heal: () => unlock(),
      during: isFull,
    },
    test,
  ],
  ["is frozen", { harm: () => server.freeze(), heal: () => server.thaw(), during: readingIsRefused }, test],
  [
    "gives no more connections",
    {
      harm: async () => {
        await admin.unsafe(`ALTER ROLE ${ROLE} CONNECTION LIMIT 0`);
        await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${ROLE}`;
      },
      heal: () => admin.unsafe(`ALTER ROLE ${ROLE} CONNECTION LIMIT -1`),
      during: readingIsRefused,
    },
    test,
  ],
  [
    "has a full disk",
    {
      harm: () => server.fillDisk(),
      heal: () => server.emptyDisk(),
      during: async () => {
        await isFull();
        const told = stack.programs[1]!.lines.filter((line) => line.includes("No space left on device"));
        expect(told.length).toBeGreaterThan(0);
      },
    },
    testWithDisk,
  ],
];

for (const [does, fault, possibly] of FAULTS) {
  possibly(
    `PostgreSQL ${does}: accepted up to the bound, then refused; memory stays flat, all goes on by itself, nothing is lost`,
    async () => {
      token = await stack.login();
      const load = await stack.load(seed + accepted.size, { token, lanes: 24, rate: 300 });
      await toTheBoundAndBack(stack, load, fault, accepted);
    },
    TEST_MS,
  );
}
