/** Redis or Postgres away, broken or silent: visible refusals, nothing half done, and recovery by itself. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { idempotencyKey } from "../../../src/stream/keys.ts";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { until } from "../../support/until.ts";

let bench: ApiBench;
let api: TestApi;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ config: { LOGIN_ATTEMPTS_PER_MINUTE: 1000 } });
});
afterEach(async () => {
  bench.redisProxy.resume();
  bench.postgresProxy.resume();
  await until("the API is ready again", async () => {
    const response = await api.fetch("/readyz");
    return ((await response.json()) as { status: string }).status === "ready";
  });
});
afterAll(() => bench.close());

const good = JSON.stringify(batchOf(2));
type Ready = { status: string; reasons: string[] };

async function expectRetryLater(response: Response): Promise<void> {
  await expectProblem(response, "service-unavailable");
  expect(Number(response.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
}

describe("without Redis", () => {
  test("batches, logins and polls of waiting jobs are refused with 503, finished jobs are still seen", async () => {
    const user = await api.tokenFor("producer");
    const { job_id } = (await (await api.ingest(user.token, good)).json()) as { job_id: string };
    const mirrored = (await (await api.ingest(user.token, good)).json()) as { job_id: string };
    await bench.database.sql`
      INSERT INTO diagnostics_ingestion_job (id, system_id, created_by, status, total_readings, created_at)
      VALUES (${mirrored.job_id}, ${batchOf(1).system_id}, ${user.id}, 'queued', 2, now())`;
    const account = await api.createUser("producer");
    const before = await bench.streamLength();
    bench.redisProxy.refuse();
    await expectRetryLater(await api.ingest(user.token, good));
    await expectRetryLater(await api.ingest(user.token, good, { "Idempotency-Key": "k" }));
    await expectRetryLater(await api.login(account.username, account.password));
    await expectRetryLater(await api.job(user.token, job_id));
    expect((await api.job(user.token, mirrored.job_id)).status).toBe(200);
    expect(await bench.streamLength()).toBe(before);
  });

  test("the service is alive and not ready, and says why", async () => {
    bench.redisProxy.refuse();
    expect((await api.fetch("/livez")).status).toBe(200);
    const ready = await until("not ready", async () => {
      const response = await api.fetch("/readyz");
      return response.status === 503 ? response : undefined;
    });
    expect(ready.headers.get("Retry-After")).not.toBeNull();
    expect((await ready.json()) as Ready).toEqual({
      status: "unavailable",
      reasons: ["Redis is down or takes no writes"],
    });
    const health = await api.fetch("/health");
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({
      status: "unavailable",
      dependencies: { redis: { state: "down", durability: null }, postgres: { state: "up" } },
      backlog: null,
    });
  });

  test("a silent Redis is a 503 within seconds, for a batch and for the probe", async () => {
    const { token } = await api.tokenFor("producer");
    bench.redisProxy.pause();
    const begin = performance.now();
    const [batch, probe] = await Promise.all([api.ingest(token, good), api.fetch("/readyz")]);
    await expectRetryLater(batch);
    expect(probe.status).toBe(503);
    expect(performance.now() - begin).toBeLessThan(30_000);
  });

  test("batches are accepted again by itself once it is back", async () => {
    const { token } = await api.tokenFor("producer");
    bench.redisProxy.refuse();
    await expectRetryLater(await api.ingest(token, good));
    bench.redisProxy.resume();
    await until("a batch is accepted", async () => (await api.ingest(token, good)).status === 202);
  });

  test("the client learns nothing about the inside", async () => {
    const { token } = await api.tokenFor("producer");
    bench.redisProxy.refuse();
    const text = await (await api.ingest(token, good)).text();
    expect(text).not.toMatch(/ECONN|127\.0\.0\.1|ioredis|Connection|stack/i);
  });
});

describe("Redis lost in the middle of a request with an Idempotency-Key", () => {
  test("leaves the key claimed: the job may exist, and a retry must not make a second one", async () => {
    const { token, id } = await api.tokenFor("producer");
    const key = idempotencyKey(0, id, "k");
    const before = await bench.streamLength();
    const body = heldBody(good);
    const request = api.ingest(token, body.stream, { "Idempotency-Key": "k" });
    await until("the key is claimed", async () => (await bench.redis.exists(key)) === 1);
    bench.redisProxy.refuse();
    body.release();
    await expectRetryLater(await request);
    bench.redisProxy.resume();
    await until("the API reaches Redis again", async () => (await api.fetch("/readyz")).status === 200);
    await expectProblem(await api.ingest(token, good, { "Idempotency-Key": "k" }), "idempotency-in-flight");
    expect(await bench.redis.pttl(key)).toBeGreaterThan(0);
    expect(await bench.streamLength()).toBe(before);
  });
});

/** A body whose first byte is sent at once and whose rest waits. */
function heldBody(text: string) {
  let release: () => void = () => undefined;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      const bytes = new TextEncoder().encode(text);
      controller.enqueue(bytes.subarray(0, 1));
      release = () => {
        controller.enqueue(bytes.subarray(1));
        controller.close();
      };
    },
  });
  return { stream, release: () => release() };
}

describe("a full backlog", () => {
  test.each([
    ["entries", { BACKLOG_MAX_ENTRIES: 1 }],
    ["bytes", { BACKLOG_MAX_BYTES: 1024 }],
  ] as const)(
    "by %s is a 503 with Retry-After, nothing is stored, the key is free, and /readyz says it",
    async (_, config) => {
      const small = await bench.start({ config });
      const { token } = await small.tokenFor("producer");
      await until("the backlog is full", async () => {
        const { status } = await small.ingest(token, JSON.stringify(batchOf(20)));
        return status === 503;
      });
      const before = await bench.streamLength();
      const refused = await small.ingest(token, good.padEnd(2000, " "), { "Idempotency-Key": "k" });
      await expectProblem(refused, "backlog-full");
      expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
      expect(await bench.streamLength()).toBe(before);
      const ready = await small.fetch("/readyz");
      expect(ready.status).toBe(503);
      expect(((await ready.json()) as Ready).reasons).toEqual(["the backlog has reached its bound"]);
      expect((await api.ingest(token, good.padEnd(2000, " "), { "Idempotency-Key": "k" })).status).toBe(202);
    },
  );
});

describe("without Postgres", () => {
  test("batches are accepted and polled, logins are refused with 503, and the service is degraded but ready", async () => {
    const { token } = await api.tokenFor("producer");
    const account = await api.createUser("producer");
    bench.postgresProxy.refuse();
    const response = await api.ingest(token, good);
    expect(response.status).toBe(202);
    const { job_id } = (await response.json()) as { job_id: string };
    expect((await api.job(token, job_id)).status).toBe(200);
    await expectRetryLater(await api.login(account.username, account.password));
    const ready = await api.fetch("/readyz");
    expect(ready.status).toBe(200);
    expect((await ready.json()) as Ready).toMatchObject({ status: "degraded" });
    const health = await api.fetch("/health");
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({
      status: "degraded",
      dependencies: { postgres: { state: "down" } },
    });
  });

  test("a job that Redis does not know may still exist: 503 and not 404", async () => {
    const { token } = await api.tokenFor("producer");
    bench.postgresProxy.refuse();
    await expectRetryLater(await api.job(token, "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a00"));
  });

  test("a silent one does not hold the probe", async () => {
    bench.postgresProxy.pause();
    const begin = performance.now();
    const ready = await api.fetch("/readyz");
    expect(((await ready.json()) as Ready).status).toBe("degraded");
    expect(performance.now() - begin).toBeLessThan(30_000);
  });
});
