/** What is changed in the registry over HTTP soon holds in a running service (5 s where nothing else is busy). */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { DEMO_SYSTEM_ID, DEMO_USER } from "../../src/contract/demo.ts";
import type { JobView } from "../../src/contract/job.ts";
import { Database } from "../../src/store/pool.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TAKES_EFFECT_MS = 30_000;

let stack: Stack;
let database: Database;
let token: string;
let feeder: string;
let sensor_id: string;
let second = 0;
beforeAll(async () => {
  stack = await Stack.create();
  await stack.start("all");
  database = new Database({ url: stack.urls.database, size: 1, query_deadline_ms: 5_000 });
  token = (await call<{ access_token: string }>("POST", "/api/v1/auth/login", DEMO_USER)).access_token;
  feeder = await stack.login();
  const sensors = `/api/v1/systems/${DEMO_SYSTEM_ID}/sensors`;
  sensor_id = (await call<{ id: string }>("POST", sensors, { name: "pump", unit: "bar" })).id;
});
afterAll(async () => {
  await database?.close(1);
  await stack?.close();
});

async function call<T>(method: string, path: string, body?: unknown, as = token): Promise<T> {
  const response = await fetch(stack.url + path, {
    method,
    headers: {
      ...(as ? { Authorization: `Bearer ${as}` } : {}),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.ok, text).toBe(true);
  return JSON.parse(text) as T;
}

interface Outcome {
  readonly reason: string;
  readonly range_version: number | null;
}

/** Send one reading of 500 bar; null when it was stored, else why it was quarantined. */
async function send(): Promise<Outcome | null> {
  second += 1;
  const timestamp = new Date(Date.now() - 3_600_000 + second * 1_000).toISOString();
  const batch = { system_id: DEMO_SYSTEM_ID, readings: [{ sensor_id, timestamp, value: 500, unit: "bar" }] };
  const { job_id } = await call<{ job_id: string }>("POST", "/api/v1/data/ingest", batch, feeder);
  await until("the job has ended", async () => {
    const job = await call<JobView>("GET", `/api/v1/jobs/${job_id}/`, undefined, feeder);
    return job.is_completed;
  });
  const rows = await database.sql<Outcome[]>`
    SELECT reason, range_version FROM diagnostics_quarantined_reading WHERE job_id = ${job_id}`;
  return rows[0] ?? null;
}

/** Change something; the outcome of a reading must be the expected one before the time is over. */
async function expectAfter(change: () => Promise<unknown>, expected: Outcome | null): Promise<void> {
  await change();
  let last: Outcome | null | undefined;
  await until(
    `${JSON.stringify(expected)} for a reading`,
    async () => {
      last = await send();
      return Bun.deepEquals(last, expected);
    },
    TAKES_EFFECT_MS,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; last was ${JSON.stringify(last)}\n${stack.tail()}`);
  });
}

test("ranges judge, by their version, and what is archived takes no readings until it is restored", async () => {
  const system = `/api/v1/systems/${DEMO_SYSTEM_ID}`;
  const sensor = `${system}/sensors/${sensor_id}`;
  const range = (body: unknown) => () => call("PUT", `${sensor}/range`, body);
  const refused = (range_version: number) => ({ reason: "out_of_range", range_version });
  expect(await send()).toBeNull();
  await expectAfter(range({ min: 0, max: 350 }), refused(1));
  await expectAfter(range({ min: 0, max: 600 }), null);
  await expectAfter(range({ min: 501, max: 600 }), refused(3));
  await expectAfter(range({}), null);
  const archived = { reason: "system_not_found", range_version: null };
  await expectAfter(() => call("DELETE", sensor), archived);
  await expectAfter(() => call("POST", `${sensor}/restore`), null);
  await expectAfter(() => call("DELETE", system), archived);
  await expectAfter(() => call("POST", `${system}/restore`), null);
});
