/** The life of a job as events: from the present state to the end, resumed on any process, for its owner alone. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { FormatRegistry } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { JobViewSchema } from "../../../src/contract/job.ts";
import { isUuid, newJobId } from "../../../src/contract/job-id.ts";
import { SystemStore } from "../../../src/store/systems.ts";
import { jobKey } from "../../../src/stream/keys.ts";
import { ApiBench, batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import { type BenchWorker, startWorker } from "../../support/bench-worker.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf } from "../../support/registry.ts";
import { sseEvents } from "../../support/sse.ts";
import { until } from "../../support/until.ts";

FormatRegistry.Set("uuid", isUuid);
FormatRegistry.Set("date-time", (text) => !Number.isNaN(Date.parse(text)));

let bench: ApiBench;
let api: TestApi;
let producer: TestUser;
const workers: BenchWorker[] = [];
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  producer = await api.tokenFor("producer");
  await new SystemStore(bench.database).create(batchOf(1).system_id, "bench");
});
afterEach(async () => {
  bench.redisProxy.resume();
  for (const worker of workers.splice(0)) await worker.stop();
});
afterAll(() => bench.close());

const work = () => workers.push(startWorker(bench));
const send = async (batch: object = batchOf(2)) =>
  (await bodyOf<{ job_id: string }>(await api.ingest(producer.token, JSON.stringify(batch)), 202)).job_id;
const watch = (job_id: string, last?: string, of = api, token = producer.token) =>
  of.call(token, "GET", `/api/v1/jobs/${job_id}/events`, undefined, last ? { "Last-Event-ID": last } : {});
const names = (events: readonly Record<string, string>[]) => events.map(({ event }) => event);

/** Reads up to the first event, and goes on in the background. */
async function begun(response: Response) {
  const events: Record<string, string>[] = [];
  const ended = (async () => {
    for await (const event of sseEvents(response)) events.push(event);
  })();
  await until("the first event", () => events.length > 0);
  return { events, ended };
}

test("tells the present state at once, then each change, and ends with the job", async () => {
  const job_id = await send();
  const response = await watch(job_id);
  expect(response.headers.get("Content-Type")).toBe("text/event-stream");
  const { events, ended } = await begun(response);
  expect(names(events)).toEqual(["queued"]);
  work();
  await ended;
  expect(["queued,completed", "queued,processing,completed"]).toContain(names(events).join());
  for (const { event, data, id, retry } of events) {
    const job = JSON.parse(data!);
    expect([...Value.Errors(JobViewSchema, job)]).toEqual([]);
    expect(job).toMatchObject({ job_id, status: event });
    expect(id).toMatch(/^\d-\d+$/);
    expect(retry).toBe("2000");
  }
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
});

test("a job in work is told as processing, and a failed one ends with its message", async () => {
  const job_id = await send(batchOf(1, crypto.randomUUID()));
  const { events, ended } = await begun(await watch(job_id));
  await bench.redis.hiBegin(1, jobKey(job_id), Date.now());
  await until("the second event", () => events.length === 2);
  work();
  await ended;
  expect(names(events)).toEqual(["queued", "processing", "failed"]);
  expect(JSON.parse(events[2]!.data!).error_message).toContain("not registered");
});

test("goes on after the last event on another process, and says when there is nothing more", async () => {
  const other = await bench.start();
  const job_id = await send();
  const first = await begun(await watch(job_id));
  const resumed = watch(job_id, first.events[0]!.id, other);
  work();
  await first.ended;
  const rest = await Array.fromAsync(sseEvents(await resumed));
  expect(names(rest)).not.toContain("queued");
  expect(rest.at(-1)).toEqual(first.events.at(-1)!);
  const end = rest.at(-1)!.id;
  for (const process of [api, other]) expect((await watch(job_id, end, process)).status).toBe(204);
  const whole = await Array.fromAsync(sseEvents(await watch(job_id)));
  expect(whole).toEqual([rest.at(-1)!]);
  // Postgres tells the same when Redis has forgotten.
  await bench.redis.del(jobKey(job_id));
  expect((await watch(job_id, end)).status).toBe(204);
  expect(await Array.fromAsync(sseEvents(await watch(job_id)))).toEqual(whole);
});

test("survives a Redis that comes back, and misses no end", async () => {
  const job_id = await send();
  const { events, ended } = await begun(await watch(job_id));
  bench.redisProxy.refuse();
  work();
  await until("the job has ended", async () => (await bench.streamLength()) === 0);
  expect(names(events)).toEqual(["queued"]);
  bench.redisProxy.resume();
  await ended;
  expect(names(events).at(-1)).toBe("completed");
});

test("is for those who may see the job, by token and by cookie", async () => {
  const job_id = await send();
  const stranger = await api.tokenFor("producer");
  await expectProblem(await watch(job_id, undefined, api, stranger.token), "job-not-found");
  await expectProblem(await watch(newJobId(0)), "job-not-found");
  await expectProblem(await watch("nothing"), "invalid-job-id");
  await expectProblem(await api.fetch(`/api/v1/jobs/${job_id}/events`), "authentication-required");
  const user = await api.createUser("reviewer");
  const session = await api.fetch("/api/v1/auth/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username: user.username, password: user.password }),
  });
  const Cookie = session.headers.get("Set-Cookie")?.split(";")[0] ?? "";
  const response = await api.fetch(`/api/v1/jobs/${job_id}/events`, { headers: { Cookie } });
  expect(response.status).toBe(200);
  await response.body?.cancel();
  await bench.redis.flushdb();
});

test("the head alone takes no place of those who listen", async () => {
  const path = `/api/v1/jobs/${await send()}/events`;
  for (const place of [path, "/api/v1/overview/events"]) {
    const user = await api.tokenFor("reviewer");
    expect((await api.call(user.token, "HEAD", place)).status).toBe(200);
  }
  // Those of the tests before may end a moment later than their clients have gone.
  await until("nobody listens", async () =>
    (await (await api.fetch("/metrics")).text()).includes('hydraulic_job_followers{kind="events"} 0'),
  );
});

test("ends when the token does and when the server is about to stop", async () => {
  const job_id = await send();
  const { token } = await api.tokenFor("reviewer");
  const late = await bench.start({ clock: new ManualClock(Date.now() + 3_597_000) });
  const expiring = await Array.fromAsync(sseEvents(await watch(job_id, undefined, late, token)));
  expect(names(expiring)).toEqual(["queued"]);
  const stopping = await bench.start();
  const { ended } = await begun(await watch(job_id, undefined, stopping));
  stopping.stop.closing.abort();
  await stopping.server.stop(5_000);
  await ended;
});
