/** Queries are bounded: by a deadline in the database, by their callers' patience, and by the slots of their pool. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { StoreUnavailableError } from "../../../src/store/pool.ts";
import { QueryAbortedError, QueryTimeoutError } from "../../../src/store/queries/query-errors.ts";
import { Reader } from "../../../src/store/queries/reader.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { until } from "../../support/until.ts";
import { at, holdTable, Recording, readersAtWork, type Sensor } from "./recording.ts";

const READINGS = "diagnostics_sensordata";
const DEADLINE_MS = 2_000;
/** Enough for a request to be over without a deadline's help. */
const PATIENT_MS = 60_000;

let bench: ApiBench;
let quick: TestApi;
let patient: TestApi;
let recording: Recording;
let sensor: Sensor;
let letGo: (() => Promise<void>) | undefined;
beforeAll(async () => {
  bench = await ApiBench.create();
  quick = await bench.start({ config: { QUERY_DEADLINE_MS: DEADLINE_MS, QUERY_POOL_SIZE: 2 } });
  patient = await bench.start({ config: { QUERY_DEADLINE_MS: PATIENT_MS, QUERY_POOL_SIZE: 2 } });
  recording = await Recording.create(bench, quick);
  sensor = await recording.sensor("pump");
  await recording.steady(sensor, 10);
});
afterEach(async () => {
  await letGo?.();
  letGo = undefined;
  bench.postgresProxy.resume();
});
afterAll(() => bench.close());

const path = () =>
  `/api/v1/systems/${recording.system_id}/sensors/${sensor.id}/readings?from=${at(0)}&to=${at(60)}`;
const ask = (api: TestApi, query = "", signal?: AbortSignal) =>
  api.fetch(path() + query, {
    headers: { Authorization: `Bearer ${recording.token}` },
    ...(signal ? { signal } : {}),
  });
const working = (n: number) => until(`${n} readers at work`, async () => (await readersAtWork(bench)) === n);

describe("a query that takes too long", () => {
  test.each(["", "&format=csv"])("is ended by the database and answered with 504 %s", async (query) => {
    letGo = await holdTable(bench, READINGS);
    const begin = performance.now();
    const problem = await expectProblem(await ask(quick, query), "query-timeout");
    expect(performance.now() - begin).toBeLessThan(PATIENT_MS);
    expect(problem.detail).toContain(`${DEADLINE_MS / 1000} s`);
    await working(0);
  });

  test("leaves its connection usable", async () => {
    letGo = await holdTable(bench, READINGS);
    await Promise.all([ask(quick), ask(quick)]);
    await letGo();
    letGo = undefined;
    for (let i = 0; i < 4; i += 1) expect((await ask(quick)).status).toBe(200);
  });
});

describe("a client that goes away", () => {
  test.each(["", "&format=csv"])(
    "takes its statement with it while the database is at work %s",
    async (query) => {
      letGo = await holdTable(bench, READINGS);
      const patience = new AbortController();
      const answer = ask(patient, query, patience.signal).catch((error: unknown) => error);
      await working(1);
      patience.abort();
      expect(await answer).toBeInstanceOf(DOMException);
      // The table is still held and the deadline far away: nothing but the cancel can end the statement.
      await working(0);
    },
  );

  test("takes its place in the line with it", async () => {
    letGo = await holdTable(bench, READINGS);
    const patience = new AbortController();
    const ended = Array.from({ length: 6 }, () =>
      ask(patient, "", patience.signal).then(
        ({ status }) => status,
        () => "gone",
      ),
    );
    await working(2);
    patience.abort();
    const ways = Object.groupBy(await Promise.all(ended), String);
    // Who waits in the line for more than 2 s is told to come again: where the machine stood still for so long.
    expect(Object.keys(ways).filter((way) => way !== "503")).toEqual(["gone"]);
    expect(ways.gone!.length).toBeGreaterThanOrEqual(2);
    await working(0);
    await letGo();
    letGo = undefined;
    expect((await ask(patient)).status).toBe(200);
  });

  test("never ends the statement of another", async () => {
    for (let round = 0; round < 30; round += 1) {
      const patience = new AbortController();
      const leaving = ask(patient, "", patience.signal).catch(() => undefined);
      const staying = [ask(patient), ask(patient), ask(patient)];
      setTimeout(() => patience.abort(), round % 6);
      for (const response of await Promise.all(staying)) expect(response.status).toBe(200);
      await leaving;
    }
  });
});

describe("more queries than the pool takes", () => {
  test("are refused with 503 and Retry-After, while log-in and health answer", async () => {
    letGo = await holdTable(bench, READINGS);
    const patience = new AbortController();
    const held = Array.from({ length: 2 }, () => ask(patient, "", patience.signal).catch(() => "gone"));
    await working(2);
    const user = await patient.createUser("engineer");
    const waiting = Array.from({ length: 20 }, () => ask(patient));
    expect((await patient.login(user.username, user.password)).status).toBe(200);
    const health = (await (await patient.fetch("/health")).json()) as {
      dependencies: { postgres: { state: string } };
    };
    expect(health.dependencies.postgres.state).toBe("up");
    for (const response of await Promise.all(waiting)) {
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
      await expectProblem(response, "server-busy");
    }
    expect(await readersAtWork(bench)).toBe(2);
    patience.abort();
    await Promise.all(held);
  });
});

describe("the reader", () => {
  const open = (url = process.env.DATABASE_URL ?? "") =>
    new Reader({ url, size: 1, deadline_ms: PATIENT_MS });
  const one = { label: "one", text: "SELECT 1 AS one", values: [] };

  test("tells a deadline from a caller who went away", async () => {
    const hurried = new Reader({ url: process.env.DATABASE_URL ?? "", size: 1, deadline_ms: 200 });
    const slow = { label: "slow", text: "SELECT pg_sleep(30)", values: [] };
    await expect(hurried.rows(slow)).rejects.toBeInstanceOf(QueryTimeoutError);
    await hurried.close();
    const reader = open();
    const patience = AbortSignal.timeout(50);
    await expect(reader.rows(slow, { signal: patience })).rejects.toBeInstanceOf(QueryAbortedError);
    await expect(reader.rows(one, { signal: patience })).rejects.toBeInstanceOf(QueryAbortedError);
    expect(await reader.rows<{ one: number }>(one)).toEqual([{ one: 1 }]);
    expect(reader.load).toEqual({ running: 0, waiting: 0 });
    await reader.close();
  });

  test("writes nothing", async () => {
    const reader = open();
    const write = { label: "write", text: "CREATE TABLE written_by_reader ()", values: [] };
    // read_only_sql_transaction
    await expect(reader.rows(write)).rejects.toMatchObject({ cause: { code: "25006" } });
    await reader.close();
  });

  test("says that the store is away when its connection is killed, and goes on with a new one", async () => {
    const reader = open();
    const kill = { label: "kill", text: "SELECT pg_terminate_backend(pg_backend_pid())", values: [] };
    for (let i = 0; i < 3; i += 1) {
      await expect(reader.rows(kill)).rejects.toBeInstanceOf(StoreUnavailableError);
      expect(await reader.rows<{ one: number }>(one)).toEqual([{ one: 1 }]);
    }
    await reader.close();
  });

  test("keeps timestamps to the microsecond, in RFC 3339", async () => {
    const reader = open();
    const stamps = ["2026-01-31T12:00:00.123456Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59.5Z"];
    const rows = await reader.rows<{ at: string }>({
      label: "stamps",
      text: "SELECT t AS at FROM unnest($1::timestamptz[]) t",
      values: [stamps],
    });
    expect(rows.map((row) => row.at)).toEqual(stamps);
    await reader.close();
  });
});

test("without PostgreSQL a query is a 503, and answers again afterwards", async () => {
  bench.postgresProxy.refuse();
  await expectProblem(await ask(patient), "service-unavailable");
  bench.postgresProxy.resume();
  await until("queries answer again", async () => (await ask(patient)).status === 200);
});
