/** The writer's connection under every kind of loss: errors by class, no hang, no transaction that leaks into the next. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { DeadlineError } from "../../../src/ops/retry.ts";
import { ConnectionLostError, classify, sqlState } from "../../../src/store/errors.ts";
import { Database } from "../../../src/store/pool.ts";
import { WriterConnection } from "../../../src/store/writer/connection.ts";
import { createProxy, type TcpProxy } from "../../support/proxy.ts";
import { createTestDatabase, type TestService } from "../../support/test-services.ts";
import { until } from "../../support/until.ts";

let service: TestService;
let proxy: TcpProxy;
let database: Database;
beforeAll(async () => {
  service = await createTestDatabase();
  proxy = await createProxy(service.url);
  database = new Database({ url: service.url, size: 2, query_deadline_ms: 10_000 });
  await database.sql`CREATE TABLE note (text text)`;
});
beforeEach(async () => {
  proxy.resume();
  await database.sql`TRUNCATE note`;
});
afterAll(async () => {
  await proxy.close();
  await database.close();
  await service.drop();
});

/** Enough for a transaction to be over without a deadline's help. */
const PATIENT_MS = 60_000;
/** @param times of the connection; a test may change the deadline of its next transactions */
const connect = (times = { deadline_ms: PATIENT_MS }, url = proxy.through(service.url)) =>
  new WriterConnection({
    url,
    application_name: "wc-test",
    get deadline_ms() {
      return times.deadline_ms;
    },
  });
const notes = async () =>
  (await database.sql<{ text: string }[]>`SELECT text FROM note ORDER BY text`).map(({ text }) => text);
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const sessions = async () => {
  const rows = await database.sql`SELECT pid FROM pg_stat_activity WHERE application_name = 'wc-test'`;
  return rows.length;
};

test("COMMIT keeps, an error of the work rolls back, an error of the server keeps its SQLSTATE and the session", async () => {
  const connection = connect();
  await connection.transaction((tx) => tx.query("INSERT INTO note VALUES ('kept')"));
  const own = new Error("mine");
  expect(
    await errorOf(
      connection.transaction(async (tx) => {
        await tx.query("INSERT INTO note VALUES ('lost')");
        throw own;
      }),
    ),
  ).toBe(own);
  expect(sqlState(await errorOf(connection.transaction((tx) => tx.query("SELECT 1/0"))))).toBe("22012");
  const broken = await errorOf(
    connection.transaction((tx) => tx.copy("note", ["text"], Buffer.from("not binary"))),
  );
  expect(classify(broken)).toBe("data");
  await connection.transaction((tx) => tx.query("INSERT INTO note VALUES ('next')"));
  expect(await notes()).toEqual(["kept", "next"]);
  expect(await sessions()).toBe(1);
  await connection.close();
  await until("no session is left", async () => (await sessions()) === 0);
});

test("a transaction given up at its deadline cannot touch the next one", async () => {
  const times = { deadline_ms: 300 };
  const connection = connect(times);
  let late: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    late = resolve;
  });
  let lateOutcome: unknown;
  const first = await errorOf(
    connection.transaction(async (tx) => {
      await tx.query("INSERT INTO note VALUES ('first')");
      await gate;
      lateOutcome = await errorOf(tx.query("INSERT INTO note VALUES ('late')"));
      throw new Error("too late");
    }),
  );
  expect(first).toBeInstanceOf(DeadlineError);
  expect(classify(first)).toBe("unavailable");
  times.deadline_ms = PATIENT_MS;
  await connection.transaction(async (tx) => {
    await tx.query("INSERT INTO note VALUES ('second')");
    late();
    await until("the late statement was refused", () => lateOutcome !== undefined);
    await tx.query("INSERT INTO note VALUES ('second, too')");
  });
  expect(lateOutcome).toBeInstanceOf(ConnectionLostError);
  expect(await notes()).toEqual(["second", "second, too"]);
  await connection.close();
});

test.each(["query", "copy"] as const)(
  "a session killed under a %s is a lost connection, and the next transaction has a new one",
  async (kind) => {
    const connection = connect();
    const outcome = errorOf(
      connection.transaction(async (tx) => {
        const [row] = await tx.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        const work = kind === "query" ? tx.query("SELECT pg_sleep(30)") : tx.query("SELECT 1");
        await database.sql`SELECT pg_terminate_backend(${row!.pid})`;
        await work;
        await tx.copy("note", ["text"], Buffer.alloc(5_000_000));
      }),
    );
    expect(classify(await outcome)).toBe("unavailable");
    await connection.transaction((tx) => tx.query("INSERT INTO note VALUES ('after')"));
    expect(await notes()).toEqual(["after"]);
    await connection.close();
  },
);

test("a cut connection is noticed while idle and while at work", async () => {
  const connection = connect();
  await connection.transaction((tx) => tx.query("SELECT 1"));
  proxy.cut();
  const second = await errorOf(connection.transaction((tx) => tx.query("SELECT 1")));
  expect(second === undefined || classify(second) === "unavailable").toBe(true);
  const third = connection.transaction((tx) => tx.query("SELECT pg_sleep(30)"));
  const outcome = errorOf(third);
  await until(
    "it is at work",
    async () =>
      (
        await database.sql`SELECT 1 FROM pg_stat_activity
    WHERE application_name = 'wc-test' AND query LIKE '%pg_sleep(30)%' AND state = 'active'`
      ).length > 0,
  );
  proxy.cut();
  expect(await outcome).toBeInstanceOf(ConnectionLostError);
  await connection.close();
});

test("a silent server: the deadline ends the transaction, and connecting has a deadline too", async () => {
  const times = { deadline_ms: PATIENT_MS };
  const connection = connect(times);
  await connection.transaction((tx) => tx.query("SELECT 1"));
  proxy.pause();
  times.deadline_ms = 500;
  expect(await errorOf(connection.transaction((tx) => tx.query("SELECT 1")))).toBeInstanceOf(DeadlineError);
  const begin = performance.now();
  expect(await errorOf(connection.transaction((tx) => tx.query("SELECT 1")))).toBeInstanceOf(
    ConnectionLostError,
  );
  expect(performance.now() - begin).toBeLessThan(30_000);
  proxy.resume();
  times.deadline_ms = PATIENT_MS;
  await connection.transaction((tx) => tx.query("INSERT INTO note VALUES ('again')"));
  expect(await notes()).toEqual(["again"]);
  await connection.close();
});

test.each([
  // A server that trusts this machine takes any password, and still no unknown user.
  ["an unknown user with a wrong password", { username: "unknown", password: "wrong" }],
  ["a database that does not exist", { pathname: "/nowhere" }],
  ["a port where nobody listens", { port: "1" }],
])("%s is nobody's batch's fault: unavailable, for the writer and for the pool", async (_, change) => {
  const url = Object.assign(new URL(service.url), change);
  const connection = connect({ deadline_ms: 5_000 }, url.href);
  expect(classify(await errorOf(connection.transaction((tx) => tx.query("SELECT 1"))))).toBe("unavailable");
  await connection.close();
  const pool = new Database({ url: url.href, size: 1, query_deadline_ms: 5_000 });
  expect(classify(await errorOf(pool.ping()))).toBe("unavailable");
  await pool.close(1);
});

test("the pool drops connections that are silent beyond the deadline, and serves again at once", async () => {
  const pool = new Database({ url: proxy.through(service.url), size: 2, query_deadline_ms: 5_000 });
  await pool.ping();
  const silent = proxy.connections();
  expect(silent).toBeGreaterThan(0);
  proxy.pause();
  const lost = await errorOf(pool.run("silent", (sql) => sql`SELECT 1`, 300));
  expect(classify(lost)).toBe("unavailable");
  const also = errorOf(pool.run("silent too", (sql) => sql`SELECT 1`, 300));
  await also;
  proxy.resume();
  await until("the pool serves", () =>
    pool.ping().then(
      () => true,
      () => false,
    ),
  );
  await pool.close(1);
});
