/** A request that wants to wait for the end of its job gets the job, or its 202 when the time is over. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { FormatRegistry } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { type JobView, JobViewSchema } from "../../../src/contract/job.ts";
import { isUuid } from "../../../src/contract/job-id.ts";
import { SystemStore } from "../../../src/store/systems.ts";
import { ApiBench, batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import { type BenchWorker, startWorker } from "../../support/bench-worker.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf } from "../../support/registry.ts";
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
  await bench.redis.flushdb();
});
afterAll(() => bench.close());

const work = () => workers.push(startWorker(bench));
const send = (headers: Record<string, string>, batch: object = batchOf(3), to = api) =>
  to.ingest(producer.token, JSON.stringify(batch), headers);
/** Requests that wait, as the metrics tell. */
async function waiting(of = api): Promise<number> {
  const metrics = await (await of.fetch("/metrics")).text();
  return Number(/^hydraulic_job_followers\{kind="waits"\} (\d+)$/m.exec(metrics)?.[1]);
}
const waits = (count: number, of = api) =>
  until(`${count} requests wait`, async () => (await waiting(of)) === count);

test("Prefer: wait=N is answered with the job as soon as its readings are committed", async () => {
  work();
  const response = await send({ Prefer: "respond-async, wait=20" });
  expect(response.headers.get("Preference-Applied")).toBe("wait=20");
  const job = await bodyOf<JobView>(response);
  expect([...Value.Errors(JobViewSchema, job)]).toEqual([]);
  expect(job).toMatchObject({ status: "completed", total_readings: 3, is_completed: true });
  expect(response.headers.get("Content-Location")).toBe(`/api/v1/jobs/${job.job_id}/`);
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  expect(response.headers.get("RateLimit-Limit")).toBeString();
  const [row] = await bench.database.sql`
    SELECT status FROM diagnostics_ingestion_job WHERE id = ${job.job_id}`;
  expect(row).toEqual({ status: "completed" });
});

test("?wait=committed does the same for clients that cannot send the header", async () => {
  work();
  const response = await api.fetch("/api/v1/data/ingest?wait=committed", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${producer.token}` },
    body: JSON.stringify(batchOf(2)),
  });
  expect(response.headers.get("Preference-Applied")).toBeNull();
  expect(await bodyOf<JobView>(response)).toMatchObject({ status: "completed" });
});

test("a job that fails is answered too, with its message", async () => {
  work();
  const response = await send({ Prefer: "wait=20" }, batchOf(2, crypto.randomUUID()));
  const job = await bodyOf<JobView>(response);
  expect(job).toMatchObject({ status: "failed", quarantined_readings: 2 });
  expect(job.error_message).toContain("not registered");
});

test("without a worker the usual 202 comes when the time is over, and at once for those who do not wait", async () => {
  const begin = performance.now();
  const response = await send({ Prefer: 'wait="1"' });
  expect(performance.now() - begin).toBeGreaterThan(950);
  expect(response.headers.get("Preference-Applied")).toBe("wait=1");
  const { job_id, status } = await bodyOf<{ job_id: string; status: string }>(response, 202);
  expect(status).toBe("queued");
  expect(response.headers.get("Location")).toBe(`/api/v1/jobs/${job_id}/`);
  expect(response.headers.get("Retry-After")).toBe("1");
  for (const Prefer of ["respond-async", "wait=0", "wait=-1", "wait=soon", "wait"]) {
    const other = await send({ Prefer });
    expect(other.status).toBe(202);
  }
});

test("no wait is longer than WAIT_MAX_SECONDS, and the answer says so", async () => {
  const short = await bench.start({ config: { WAIT_MAX_SECONDS: 1 } });
  const response = await send({ Prefer: "wait=99999" }, batchOf(1), short);
  expect(response.status).toBe(202);
  expect(response.headers.get("Preference-Applied")).toBe("wait=1");
});

test("an unknown word for ?wait is refused before anything is stored", async () => {
  const response = await api.fetch("/api/v1/data/ingest?wait=stored", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${producer.token}` },
    body: JSON.stringify(batchOf(2)),
  });
  const { errors } = await expectProblem(response, "invalid-request");
  expect(errors?.[0]?.pointer).toBe("/wait");
  expect(await bench.streamLength()).toBe(0);
});

test("a replay of an Idempotency-Key waits for the same job", async () => {
  const keyed = { "Idempotency-Key": crypto.randomUUID() };
  const first = await bodyOf<{ job_id: string }>(await send(keyed), 202);
  const replays = [send({ ...keyed, Prefer: "wait=20" }), send({ ...keyed, Prefer: "wait=20" })];
  await waits(2);
  work();
  for (const replay of replays) {
    const response = await replay;
    expect(response.headers.get("Idempotent-Replayed")).toBe("true");
    expect(await bodyOf<JobView>(response)).toMatchObject({ job_id: first.job_id, status: "completed" });
  }
  const late = await send({ ...keyed, Prefer: "wait=20" });
  expect(await bodyOf<JobView>(late)).toMatchObject({ job_id: first.job_id, status: "completed" });
});

test("a client that goes away is waited for no longer, and its batch is stored all the same", async () => {
  const client = new AbortController();
  const request = api.fetch("/api/v1/data/ingest", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${producer.token}`,
      Prefer: "wait=30",
    },
    body: JSON.stringify(batchOf(2)),
    signal: client.signal,
  });
  await waits(1);
  client.abort();
  await request.then(
    () => expect.unreachable(),
    (error: Error) => expect(error.name).toBe("AbortError"),
  );
  await waits(0);
  expect(await bench.streamLength()).toBe(1);
});

test("a key that is revoked waits for nothing any more; its batch is stored all the same", async () => {
  const made = await api.call(producer.token, "POST", "/api/v1/keys", { name: "w", scopes: ["ingest"] });
  const { key, secret } = await bodyOf<{ key: { id: string }; secret: string }>(made, 201);
  const request = api.ingest(secret, JSON.stringify(batchOf(2)), { Prefer: "wait=30" });
  await waits(1);
  await bodyOf(await api.call(producer.token, "DELETE", `/api/v1/keys/${key.id}`));
  await waits(0);
  expect((await request).status).toBe(202);
  expect(await bench.streamLength()).toBe(1);
});

test("the stop of the server ends every wait with a 202", async () => {
  const own = await bench.start();
  const requests = [
    send({ Prefer: "wait=30" }, batchOf(1), own),
    send({ Prefer: "wait=30" }, batchOf(2), own),
  ];
  await waits(2, own);
  own.stop.closing.abort();
  await own.server.stop(5_000);
  for (const request of requests) expect((await request).status).toBe(202);
});

test("what was told while the connection to Redis was away is looked up after it", async () => {
  const request = send({ Prefer: "wait=25" });
  await waits(1);
  bench.redisProxy.refuse();
  work();
  const worker = workers.at(-1)!;
  await until("the job has ended", async () => (await bench.streamLength()) === 0);
  await worker.stop();
  workers.pop();
  bench.redisProxy.resume();
  expect(await bodyOf<JobView>(await request)).toMatchObject({ status: "completed" });
});

test("a Redis that falls silent costs the waiting nothing but the time", async () => {
  const request = send({ Prefer: "wait=5" });
  await waits(1);
  bench.redisProxy.pause();
  const response = await request;
  expect(response.status).toBe(202);
});
