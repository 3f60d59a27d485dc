/** A read replica answers what it can answer, and clients see nothing of its bad days. A real streaming standby. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import postgres from "postgres";
import { Registry } from "prom-client";
import { systemClock } from "../../src/ops/clock.ts";
import { createLogger } from "../../src/ops/log.ts";
import { Reader } from "../../src/store/queries/reader.ts";
import { readReplicaMetrics } from "../../src/store/replica/replica-metrics.ts";
import { ReplicaWatch } from "../../src/store/replica/replica-watch.ts";
import { RoutedReader } from "../../src/store/replica/routed-reader.ts";
import { type Batch, BatchSource, randomFrom, SYSTEM_ID, seedOf } from "../support/fault/batches.ts";
import { postBatch } from "../support/fault/load.ts";
import { PrivateServices } from "../support/fault/private-services.ts";
import { Standby } from "../support/fault/standby.ts";
import { createProxy } from "../support/proxy.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
/** A batch has to be stored and asked for within it. */
const MAX_LAG_MS = 10_000;
const seed = seedOf("replica");
let services: PrivateServices;
let standby: Standby;
let stack: Stack;
let database: string;

beforeAll(async () => {
  services = await PrivateServices.start();
  standby = await Standby.of(services);
}, 180_000);
afterEach(async () => {
  await stack.close();
}, TEST_MS);
afterAll(async () => {
  await standby.close();
  await services.close();
}, TEST_MS);

/** A new stack with its service, whose replica is used already. */
async function start(through?: string): Promise<void> {
  const urls = await services.fresh();
  database = new URL(urls.database).pathname.slice(1);
  stack = new Stack(urls, { ...urls, database: through?.replace("DATABASE", database) ?? urls.database });
  await stack.start("all", {
    DATABASE_READ_URL: standby.url(database),
    DATABASE_READ_MAX_LAG_MS: String(MAX_LAG_MS),
  });
  await replicaIs("up");
}

const health = async () =>
  (await (await fetch(`${stack.url}/health`)).json()) as {
    status: string;
    reasons: string[];
    dependencies: { read_replica: { state: string; lag_ms: number | null } };
  };
const replicaIs = (state: string) =>
  until(
    `the replica is ${state}\n${stack.tail()}`,
    async () => {
      const { dependencies } = await health();
      return dependencies.read_replica.state === state;
    },
    60_000,
  );

const metric = async (name: string) => {
  const text = await (await fetch(`${stack.url}/metrics`)).text();
  return Number(new RegExp(`^${name.replace(/[{}"]/g, "\\$&")} (\\S+)$`, "m").exec(text)?.[1]);
};

interface Asked {
  readonly status: number;
  readonly body: string;
  /** ms since the epoch; null when the primary answered. */
  readonly asOf_ms: number | null;
}

async function latest(token: string, headers: Record<string, string> = {}): Promise<Asked> {
  const url = `${stack.url}/api/v1/systems/${SYSTEM_ID}/latest?limit=1000`;
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}`, ...headers } });
  const at = response.headers.get("X-Data-As-Of");
  return {
    status: response.status,
    body: await response.text(),
    asOf_ms: at === null ? null : Date.parse(at),
  };
}

/** Sends a batch and waits until it is stored. @returns the moment after that, ms since the epoch */
async function store(token: string, batch: Batch): Promise<number> {
  const response = await postBatch(stack.url, token, batch);
  const { job_id } = (await response.json()) as { job_id: string };
  await until("the batch is stored", async () => {
    const job = await fetch(`${stack.url}/api/v1/jobs/${job_id}/`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    return ((await job.json()) as { status: string }).status === "completed";
  });
  return Date.now();
}

test(
  "questions go to the replica, whose answers say how old they are; who asks for no copy has what was stored last; too far behind, the primary answers",
  async () => {
    await start();
    const token = await stack.login();
    const source = new BatchSource(randomFrom(seed), 10, 0);
    const [first, second] = [source.next(), source.next()];
    const stored_ms = await store(token, first);
    const seen = await until("the replica has the batch", async () => {
      const answer = await latest(token);
      expect(answer.status).toBe(200);
      return answer.asOf_ms !== null && answer.asOf_ms > stored_ms ? answer : undefined;
    });
    expect(seen.body).toContain(first.sensor_id);
    const sessions = await standby.ask<{ name: string; state: string }>(
      `SELECT application_name AS name FROM pg_stat_activity WHERE datname = '${database}'`,
    );
    expect(sessions.map(({ name }) => name)).toContain("hydraulic-reader");
    expect(await metric("hydraulic_database_read_replica_up")).toBe(1);
    expect(await metric("hydraulic_database_read_replica_queries_total")).toBeGreaterThan(0);

    await standby.pause();
    try {
      await store(token, second);
      const old = await latest(token);
      expect(old.asOf_ms).not.toBeNull();
      expect(old.body).not.toContain(second.sensor_id);
      const fresh = await latest(token, { "Cache-Control": "no-cache" });
      expect({ status: fresh.status, asOf_ms: fresh.asOf_ms }).toEqual({ status: 200, asOf_ms: null });
      expect(fresh.body).toContain(second.sensor_id);
      const asked = await fetch(
        `${stack.url}/api/v1/systems/${SYSTEM_ID}/sensors/${second.sensor_id}/readings`,
        { headers: { Authorization: `Bearer ${token}` } },
      );
      // The replica does not know the sensor; nobody is told that there is none.
      expect(asked.status).toBe(200);

      await replicaIs("behind");
      const instead = await latest(token);
      expect({ status: instead.status, asOf_ms: instead.asOf_ms }).toEqual({ status: 200, asOf_ms: null });
      expect(instead.body).toContain(second.sensor_id);
      const { status, reasons, dependencies } = await health();
      expect(status).toBe("degraded");
      expect(reasons).toEqual(["the read replica is too far behind: the primary is asked instead"]);
      expect(dependencies.read_replica.lag_ms).toBeGreaterThan(MAX_LAG_MS);
      expect(await metric("hydraulic_database_read_replica_up")).toBe(0);
      expect(await metric("hydraulic_database_read_replica_lag_seconds")).toBeGreaterThan(MAX_LAG_MS / 1000);
      expect(
        await metric('hydraulic_database_read_replica_fallbacks_total{reason="behind"}'),
      ).toBeGreaterThan(0);
    } finally {
      await standby.resume();
    }
    await replicaIs("up");
    const again = await latest(token);
    expect(again.asOf_ms).not.toBeNull();
    expect(again.body).toContain(second.sensor_id);
  },
  TEST_MS,
);

test(
  "the replica dies under questions: clients see no error, the primary answers; it comes back and is used again",
  async () => {
    await start();
    const token = await stack.login();
    await store(token, new BatchSource(randomFrom(seed + 1), 10, 0).next());
    const answers: Asked[] = [];
    let isOver = false;
    const asking = Promise.all(
      [1, 2, 3].map(async () => {
        while (!isOver) answers.push(await latest(token));
      }),
    );
    const since = () => answers.length;
    const askedBy = (from: number, isReplica: boolean) =>
      answers.slice(from).filter(({ asOf_ms }) => (asOf_ms !== null) === isReplica).length;
    await until("the replica answers", () => askedBy(0, true) >= 20);
    await standby.crash();
    const down = since();
    await until("the primary answers", () => askedBy(down, false) >= 20);
    await replicaIs("away");
    expect((await health()).status).toBe("degraded");
    const back = since();
    await standby.start();
    await replicaIs("up");
    await until("the replica answers again", () => askedBy(back, true) >= 20);
    isOver = true;
    await asking;
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  },
  TEST_MS,
);

test(
  "a question that recovery cancels is asked again of the primary: no error, and the replica stays in use",
  async () => {
    await start();
    await standby.ask("ALTER SYSTEM SET max_standby_streaming_delay = 0");
    await standby.ask("SELECT pg_reload_conf()");
    const primaryUrl = stack.urls.database;
    const open = (url: string) => new Reader({ url, size: 2, deadline_ms: 120_000 });
    const [primary, copy] = [open(primaryUrl), open(standby.url(database))];
    const log = createLogger({ level: "error", format: "json" });
    const settings = { max_lag_ms: 30_000, interval_ms: 50 };
    const watch = new ReplicaWatch(settings, primary, copy, systemClock, log);
    const registry = new Registry();
    const routed = new RoutedReader(primary, copy, watch, readReplicaMetrics(registry, watch), log);
    const sql = postgres(primaryUrl, { max: 1, onnotice: () => undefined });
    watch.start();
    try {
      await until("the replica is used", () => watch.health.state === "up");
      await sql`CREATE TABLE held (i int)`;
      // On the replica it takes longer than the test: only the conflict ends it there.
      const statement = (s: number) => ({
        label: "held",
        text: `SELECT pg_is_in_recovery() AS copy, CASE WHEN pg_is_in_recovery() THEN pg_sleep(${s})::text END
          FROM (SELECT count(*) FROM held) h`,
        values: [],
      });
      await until("the replica has the table", () =>
        copy.rows<{ copy: boolean }>(statement(0)).then(
          () => true,
          () => false,
        ),
      );
      const asked = routed.rows<{ copy: boolean }>(statement(100));
      await until("the question runs on the replica", async () => {
        const [row] = await standby.ask<{ n: number }>(
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(100)%' AND pid <> pg_backend_pid()",
        );
        return row!.n > 0;
      });
      // The standby replays the lock, and does not wait for whoever reads.
      await sql.begin((tx) => tx`LOCK TABLE held IN ACCESS EXCLUSIVE MODE`);
      expect((await asked)[0]?.copy).toBe(false);
      const text = await registry.metrics();
      expect(text).toContain('hydraulic_database_read_replica_fallbacks_total{reason="conflict"} 1');
      expect(watch.health.state).toBe("up");
    } finally {
      await watch.stop();
      await Promise.all([primary.close(), copy.close(), sql.end()]);
    }
  },
  TEST_MS,
);

test(
  "the primary ends and the replica takes its place behind the same name: batches wait and are stored there, no job fails",
  async () => {
    const proxy = await createProxy(services.databaseUrl);
    try {
      await start(proxy.through(services.databaseUrl).replace(/\/[^/]*$/, "/DATABASE"));
      const load = await stack.load(seed + 3, { rate: 30 });
      await until("batches are accepted", () => load.accepted.size >= 20);
      await services.stopPostgres();
      const before = load.accepted.size;
      // Before the standby is promoted the name leads to a server that takes no writes.
      proxy.leadTo(standby.url(database));
      await until("batches are accepted meanwhile", () => load.accepted.size >= before + 20, 60_000);
      await until("the standby is seen as one", async () =>
        (await health()).reasons.some((reason) => reason.startsWith("PostgreSQL is down or takes no writes")),
      );
      await standby.promote();
      await until(
        "batches are stored again",
        async () => (await stack.reckoning.streamLength()) === 0,
        60_000,
      );
      await replicaIs("foreign");
      expect((await health()).reasons).toEqual([
        "DATABASE_READ_URL leads to no standby of the primary: the primary is asked instead",
      ]);
      await load.stop();
      const promoted = new Stack({ database: standby.url(database), redis: stack.urls.redis });
      await promoted.settle(load, 60_000);
      await promoted.close();
    } finally {
      await proxy.close();
    }
  },
  TEST_MS,
);
