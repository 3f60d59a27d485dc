/** Workers of all processes and the overview, at one look and as events that end when they should. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { FormatRegistry } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { OverviewHistory } from "../../../src/api/overview-history.ts";
import { OverviewSampler, TooManyListenersError } from "../../../src/api/overview-sampler.ts";
import { JobViewSchema } from "../../../src/contract/job.ts";
import { isUuid } from "../../../src/contract/job-id.ts";
import {
  type Overview,
  OverviewHistorySchema,
  type OverviewHistoryView,
  OverviewSchema,
  type WorkerView,
} from "../../../src/contract/oversight.ts";
import { Heartbeat } from "../../../src/ingest/heartbeat.ts";
import type { FromThread } from "../../../src/ingest/messages.ts";
import { systemClock } from "../../../src/ops/clock.ts";
import { createQueries } from "../../../src/store/queries/queries.ts";
import { Reader } from "../../../src/store/queries/reader.ts";
import { StreamUnavailableError } from "../../../src/stream/connection.ts";
import { StreamHealth } from "../../../src/stream/health.ts";
import { workerKey } from "../../../src/stream/keys.ts";
import { WorkerBoard } from "../../../src/stream/worker-board.ts";
import { ApiBench, batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import { QUIET_LOG } from "../../support/hourly.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf } from "../../support/registry.ts";
import { sseFields, sseParts } from "../../support/sse.ts";
import { until } from "../../support/until.ts";

FormatRegistry.Set("uuid", isUuid);
FormatRegistry.Set("date-time", (text) => !Number.isNaN(Date.parse(text)));

let bench: ApiBench;
let api: TestApi;
let reviewer: TestUser;
const beating: Heartbeat[] = [];
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  reviewer = await api.tokenFor("reviewer");
});
afterEach(async () => {
  for (const heartbeat of beating.splice(0)) await heartbeat.stop();
  bench.redisProxy.resume();
  bench.postgresProxy.resume();
});
afterAll(() => bench.close());

const get = (path: string, user = reviewer, init: RequestInit = {}) =>
  api.fetch(path, { ...init, headers: { Authorization: `Bearer ${user.token}` } });
const workers = async () => (await bodyOf<{ items: WorkerView[] }>(await get("/api/v1/workers"))).items;

/** A worker process with one thread. */
function beat(process: string): Heartbeat {
  const summary = {
    slot: 0,
    state: "running" as const,
    consumer: `${process}:0.1`,
    restarts: 1,
    in_hand: 3,
    silent_ms: 40,
    last_error: null,
  };
  const heartbeat = new Heartbeat(new WorkerBoard(bench.redis), process, () => [summary], QUIET_LOG, 50);
  heartbeat.start();
  beating.push(heartbeat);
  return heartbeat;
}
const committed = (inserted: number, invalid_unit: number) =>
  ({
    kind: "committed",
    report: { inserted, duplicate: 0, quarantined: { invalid_unit } },
  }) as unknown as FromThread;

describe("the workers", () => {
  test("of several processes are shown while they give signs of life", async () => {
    beat("host-b:2");
    beat("host-a:1");
    const found = await until("two workers", async () => {
      const items = await workers();
      return items.length === 2 && items;
    });
    expect(found[0]).toEqual({
      name: "host-a:1:0.1",
      process: "host-a:1",
      state: "running",
      heartbeat_age_ms: expect.any(Number),
      restarts: 1,
      in_hand: 3,
    });
    expect(found[0]!.heartbeat_age_ms).toBeWithin(40, 5_000);
    expect(await bench.redis.pttl(workerKey("host-a:1"))).toBeWithin(10_000, 15_001);
    await beating.pop()!.stop();
    expect((await workers()).map((w) => w.process)).toEqual(["host-b:2"]);
    await beating.pop()!.stop();
    await bench.redis.zadd("workers", Date.now(), "died without a word");
    expect(await workers()).toEqual([]);
  });
});

describe("the overview", () => {
  test("says what there is, and rates from the second look on", async () => {
    const heartbeat = beat("host:1");
    await until("a worker", async () => (await workers()).length === 1);
    const first: Overview = await bodyOf(await get("/api/v1/overview"));
    expect([...Value.Errors(OverviewSchema, first)]).toEqual([]);
    expect(first).toMatchObject({
      accepted_rows_per_s: null,
      committed_rows_per_s: null,
      quarantined_share: null,
    });
    const { token, id } = await api.tokenFor("producer");
    await api.ingest(token, JSON.stringify(batchOf(200)));
    heartbeat.hear(committed(150, 50));
    heartbeat.hear({ kind: "ready" });
    await until("the heartbeat has told it", async () => {
      const [told] = await new WorkerBoard(bench.redis).all();
      return told?.counts.inserted === 150;
    });
    await bench.database.sql`
      INSERT INTO diagnostics_ingestion_job (id, system_id, created_by, status, total_readings, created_at)
      VALUES (${crypto.randomUUID()}, ${batchOf(1).system_id}, ${id}, 'queued', 200, now())`;
    await Bun.sleep(1_100);
    const second: Overview = await bodyOf(await get("/api/v1/overview"));
    expect([...Value.Errors(OverviewSchema, second)]).toEqual([]);
    // Over the time between the looks, however long that was.
    const between_s = (Date.parse(second.at) - Date.parse(first.at)) / 1_000;
    expect(second.accepted_rows_per_s! * between_s).toBeWithin(150, 250);
    expect(second.committed_rows_per_s! * between_s).toBeWithin(110, 190);
    expect(second).toMatchObject({
      quarantined_share: 0.25,
      backlog: { entries: 1, lag: 1 },
      workers: { processes: 1, threads: 1, running: 1, in_hand: 3 },
      pending: 0,
      alerts: [],
    });
    expect([...Value.Errors(JobViewSchema, second.jobs[0])]).toEqual([]);
  });

  test("is not for producers", async () => {
    const producer = await api.tokenFor("producer");
    for (const path of [
      "/api/v1/overview",
      "/api/v1/overview/events",
      "/api/v1/overview/history",
      "/api/v1/workers",
    ]) {
      await expectProblem(await get(path, producer), "forbidden");
      await expectProblem(await get(`${path}?x=1`), "invalid-request");
    }
  });

  test("goes on while PostgreSQL is away, says so, and has what Redis knows", async () => {
    const { token } = await api.tokenFor("producer");
    expect((await api.ingest(token, JSON.stringify(batchOf(7)))).status).toBe(202);
    // A look that is older than this batch would be shared for a second.
    const before = await until("a look that knows of the batch", async () => {
      const now: Overview = await bodyOf(await get("/api/v1/overview"));
      return now.backlog.entries > 0 && now;
    });
    expect(before.database).toBe("up");
    bench.postgresProxy.refuse();
    const client = new AbortController();
    const response = await get("/api/v1/overview/events", reviewer, { signal: client.signal });
    expect((await api.ingest(token, JSON.stringify(batchOf(7)))).status).toBe(202);
    for await (const part of sseParts(response)) {
      const now = JSON.parse(sseFields(part).data ?? "null") as Overview | null;
      if (now?.database !== "down" || now.backlog.entries <= before.backlog.entries) continue;
      expect(now.jobs.map(({ job_id }) => job_id)).toEqual(before.jobs.map(({ job_id }) => job_id));
      expect(now.pending).toBe(before.pending);
      break;
    }
    client.abort();
    bench.postgresProxy.resume();
    await until("the database is back", async () => {
      const now: Overview = await bodyOf(await get("/api/v1/overview"));
      return now.database === "up";
    });
  });

  test("is a 503 while Redis is away", async () => {
    bench.redisProxy.refuse();
    await until("the last look is old", async () => (await get("/api/v1/overview")).status === 503);
    await expectProblem(await get("/api/v1/overview"), "service-unavailable");
    await expectProblem(await get("/api/v1/overview/events"), "service-unavailable");
    bench.redisProxy.resume();
    await until("Redis is back", async () => (await get("/api/v1/overview")).status === 200);
  });
});

describe("the events", () => {
  test("come at once and then every second, with ids and retry", async () => {
    const client = new AbortController();
    const begin = performance.now();
    const response = await get("/api/v1/overview/events", reviewer, { signal: client.signal });
    expect(response.headers.get("Content-Type")).toBe("text/event-stream");
    const seen: string[] = [];
    for await (const event of sseParts(response)) if (seen.push(event) === 3) break;
    client.abort();
    expect(performance.now() - begin).toBeGreaterThan(900);
    const times = new Set<string>();
    for (const [i, event] of seen.entries()) {
      const fields = sseFields(event);
      expect(fields).toMatchObject({ event: "overview", id: String(i + 1), retry: "2000" });
      const overview = JSON.parse(fields.data!) as Overview;
      expect([...Value.Errors(OverviewSchema, overview)]).toEqual([]);
      times.add(overview.at);
    }
    expect(times.size).toBe(3);
  });

  test("end when the server is about to stop", async () => {
    const own = await bench.start();
    const { token } = await own.tokenFor("reviewer");
    const response = await own.fetch("/api/v1/overview/events", {
      headers: { Authorization: `Bearer ${token}` },
    });
    const events = sseParts(response)[Symbol.asyncIterator]();
    expect((await events.next()).done).toBe(false);
    own.stop.closing.abort();
    const begin = performance.now();
    await own.server.stop(60_000);
    expect(performance.now() - begin).toBeLessThan(30_000);
    while (!(await events.next()).done);
  });

  test("end when the token does", async () => {
    const { token } = await api.tokenFor("reviewer");
    const { exp } = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()) as { exp: number };
    const late = await bench.start({ clock: new ManualClock(exp * 1_000 - 6_000) });
    const response = await late.fetch("/api/v1/overview/events", {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    expect((await Array.fromAsync(sseParts(response))).length).toBeWithin(1, 9);
  });
});

describe("the history", () => {
  test("has the rates from before anybody looked, with a gap while Redis is away, and is bounded", async () => {
    const clock = new ManualClock();
    const bounds = { partitions: 1, max_entries: 10, max_bytes: 10, idempotency_ttl_s: 1 };
    const beats = new WorkerBoard(bench.redis);
    let accepted = 0;
    let isAway = false;
    const health = new StreamHealth(bench.redis, bounds);
    const streamHealth = {
      probe: () => health.probe(),
      look: () => health.look(),
      accepted: () =>
        isAway ? Promise.reject(new StreamUnavailableError("away")) : Promise.resolve(accepted),
    };
    const timed = { now_ms: () => clock.time_ms, monotonic_ms: () => clock.time_ms };
    const history = new OverviewHistory({ streamHealth, workerBoard: beats, clock: timed, log: QUIET_LOG });
    for (let i = 0; i < 200; i++) {
      isAway = i === 190;
      await history.note().catch((error: unknown) => expect(error).toBeInstanceOf(StreamUnavailableError));
      clock.time_ms += 2_000;
      accepted += 2_000;
    }
    const { points } = history;
    expect(points).toHaveLength(150);
    expect(points.at(-1)).toEqual({
      at: new Date(clock.time_ms - 2_000).toISOString(),
      accepted_rows_per_s: 1_000,
      committed_rows_per_s: 0,
    });
    const gaps = points.slice(1).map(({ at }, i) => Date.parse(at) - Date.parse(points[i]!.at));
    expect(gaps.filter((gap_ms) => gap_ms === 4_000)).toHaveLength(1);
    expect(gaps.filter((gap_ms) => gap_ms === 2_000)).toHaveLength(148);
  });

  test("is told to readers as the process keeps it", async () => {
    await api.history.note();
    const told = await bodyOf<OverviewHistoryView>(await get("/api/v1/overview/history"));
    expect(Value.Check(OverviewHistorySchema, told)).toBe(true);
    expect(told.points).toEqual([...api.history.points]);
    expect(told.points).toHaveLength(1);
  });
});

test("whoever opens the overview is told the rates at once, not after two looks of their own", async () => {
  const fresh = await bench.start();
  const { token } = await fresh.tokenFor("reviewer");
  await fresh.history.note();
  const response = await fresh.fetch("/api/v1/overview", { headers: { Authorization: `Bearer ${token}` } });
  expect(await response.json()).toMatchObject({ accepted_rows_per_s: 0, committed_rows_per_s: 0 });
});

describe("the sampler", () => {
  test("asks once a second for any number of listeners, not at all without, and bounds them", async () => {
    let looks = 0;
    const board = new WorkerBoard(bench.redis);
    const counted = {
      all() {
        looks += 1;
        return board.all();
      },
    };
    const reader = new Reader({ url: bench.database.url, size: 2, deadline_ms: 5_000 });
    const bounds = { partitions: 1, max_entries: 10, max_bytes: 10, idempotency_ttl_s: 1 };
    const shared = {
      streamHealth: new StreamHealth(bench.redis, bounds),
      clock: systemClock,
      log: QUIET_LOG,
    };
    const sampler = new OverviewSampler(
      {
        ...shared,
        workerBoard: counted,
        overviewHistory: new OverviewHistory({ ...shared, workerBoard: board }),
        queries: createQueries(reader),
      },
      100,
    );
    let heard = 0;
    const leave = Array.from({ length: 100 }, () => sampler.listen(() => (heard += 1)));
    expect(() => sampler.listen(() => undefined)).toThrow(TooManyListenersError);
    await until("two looks", () => heard >= 200);
    await Promise.all(Array.from({ length: 20 }, () => sampler.latest()));
    // A look for all of them together; one may still be to be told, and one was for the twenty if theirs was old.
    expect(looks).toBeWithin(heard / 100, heard / 100 + 3);
    for (const end of leave) end();
    expect(sampler.listeners).toBe(0);
    await Bun.sleep(1_200);
    const before = looks;
    await Bun.sleep(1_200);
    expect(looks).toBe(before);
    await reader.close();
  });
});
