/** The pool for ordinary queries outlives every kind of broken connection; no query waits for one that is gone. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { Database, StoreUnavailableError } from "../../src/store/pool.ts";
import { createProxy, type TcpProxy } from "../support/proxy.ts";
import { createTestDatabase, type TestService } from "../support/test-services.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const LANES = 4;
/** The deadline of a query that waits for a connection that is gone. */
const DEADLINE_MS = 60_000;
/** No query may take longer while connections come and go. */
const SLOWEST_MS = 30_000;
let service: TestService;
let proxy: TcpProxy;
let database: Database;
let stopLanes: (() => Promise<unknown>) | undefined;
const unhandled: unknown[] = [];
const onUnhandled = (error: unknown) => unhandled.push(error);

beforeAll(async () => {
  process.on("unhandledRejection", onUnhandled);
  service = await createTestDatabase();
}, TEST_MS);
beforeEach(async () => {
  unhandled.length = 0;
  proxy = await createProxy(service.url);
  database = new Database({ url: proxy.through(service.url), size: 2, query_deadline_ms: DEADLINE_MS });
});
afterEach(async () => {
  await stopLanes?.();
  await database.close(1);
  await proxy.close();
});
afterAll(async () => {
  process.off("unhandledRejection", onUnhandled);
  await service.drop();
});

/** Queries without end from several lanes; counts answers, and failures that are not the connection's are thrown. */
function busyLanes() {
  const seen = { answers: 0, failures: 0, slowest_ms: 0 };
  let stopping = false;
  const lane = async () => {
    while (!stopping) {
      const begin = performance.now();
      try {
        const rows = await database.run("one", (sql) => sql<{ one: number }[]>`SELECT ${1}::int AS one`);
        expect(rows[0]?.one).toBe(1);
        seen.answers += 1;
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        seen.failures += 1;
      }
      seen.slowest_ms = Math.max(seen.slowest_ms, performance.now() - begin);
      await Bun.sleep(1);
    }
  };
  const lanes = Promise.all(Array.from({ length: LANES }, lane));
  const stop = async () => {
    stopLanes = undefined;
    stopping = true;
    await lanes;
    return seen;
  };
  stopLanes = stop;
  return { seen, stop };
}

test(
  "connections are cut every few ms: every query ends soon, and none leaves a rejection behind",
  async () => {
    const { seen, stop } = busyLanes();
    const cutting = setInterval(() => proxy.cut(), 40);
    await until("many connections were lost", () => seen.failures >= 150, 120_000);
    clearInterval(cutting);
    const before = seen.answers;
    await until("queries are answered", () => seen.answers > before + 100, SLOWEST_MS);
    expect((await stop()).slowest_ms).toBeLessThan(SLOWEST_MS);
    expect(unhandled).toEqual([]);
  },
  TEST_MS,
);

test(
  "after an outage the first query connects at once, however long it was",
  async () => {
    proxy.refuse();
    for (let tries = 0; tries < 30; tries += 1) {
      await expect(database.ping()).rejects.toBeInstanceOf(StoreUnavailableError);
    }
    proxy.resume();
    const begin = performance.now();
    await database.ping();
    expect(performance.now() - begin).toBeLessThan(SLOWEST_MS);
    expect(unhandled).toEqual([]);
  },
  TEST_MS,
);

test("arrays reach the server as they are", async () => {
  const words = [
    "plain",
    "",
    "NULL",
    'quo"te',
    "back\\slash",
    "com,ma",
    "{brace}",
    " ",
    "ünïcode",
    "new\nline",
  ];
  const id = crypto.randomUUID();
  const [row] = await database.run(
    "arrays",
    (
      sql,
    ) => sql`SELECT to_json(${sql.array(words, 1009)}::text[]) AS words, to_json(${sql.array([id], 2951)}::uuid[]) AS ids,
      to_json(${sql.array([1, -2], 1007)}::int[]) AS ints, to_json(${sql.array([0.1, -1e300], 1022)}::float8[]) AS floats,
      cardinality(${sql.array([], 1009)}::text[]) AS empty`,
  );
  expect(row).toEqual({ words, ids: [id], ints: [1, -2], floats: [0.1, -1e300], empty: 0 });
});
