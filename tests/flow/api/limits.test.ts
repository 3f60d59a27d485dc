/** Budgets of a user: shared by every process, overridable per user, and told in headers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";

let bench: ApiBench;
let one: TestApi;
let two: TestApi;
beforeAll(async () => {
  bench = await ApiBench.create();
  one = await bench.start();
  two = await bench.start();
});
afterAll(() => bench.close());

const small = JSON.stringify(batchOf(1));
const byDefault = { requests_per_minute: null, readings_per_minute: null };

describe("requests a minute", () => {
  test("are 15 by default, counted over all processes, and the 16th is refused and not stored", async () => {
    const { token } = await one.tokenFor("producer", byDefault);
    const apis = Array.from({ length: 15 }, (_, i) => (i % 2 ? one : two));
    const accepted = await Promise.all(apis.map((api) => api.ingest(token, small)));
    expect(accepted.map((r) => r.status)).toEqual(Array(15).fill(202));
    const left = accepted.map((r) => Number(r.headers.get("RateLimit-Remaining"))).sort((a, b) => a - b);
    expect(left).toEqual(Array.from({ length: 15 }, (_, i) => i));
    const before = await bench.streamLength();
    for (const api of [one, two]) {
      const refused = await api.ingest(token, small);
      await expectProblem(refused, "rate-limited");
      const wait_s = Number(refused.headers.get("Retry-After"));
      expect(wait_s).toBeWithin(1, 61);
      expect(refused.headers.get("RateLimit-Limit")).toBe("15");
      expect(refused.headers.get("RateLimit-Remaining")).toBe("0");
      expect(refused.headers.get("RateLimit-Reset")).toBe(String(wait_s));
    }
    expect(await bench.streamLength()).toBe(before);
  });

  test("are counted per user", async () => {
    const first = await one.tokenFor("producer", { requests_per_minute: 1 });
    const second = await one.tokenFor("producer", { requests_per_minute: 1 });
    expect((await one.ingest(first.token, small)).status).toBe(202);
    expect((await one.ingest(second.token, small)).status).toBe(202);
    await expectProblem(await one.ingest(first.token, small), "rate-limited");
  });

  test("are free again when the window has ended, and Retry-After says when that is", async () => {
    const { token, id } = await one.tokenFor("producer", { requests_per_minute: 1 });
    expect((await one.ingest(token, small)).status).toBe(202);
    await bench.redis.pexpire(`limit:requests:${id}`, 30_000);
    const refused = await one.ingest(token, small);
    await expectProblem(refused, "rate-limited");
    expect(Number(refused.headers.get("Retry-After"))).toBeWithin(1, 31);
    await bench.redis.pexpire(`limit:requests:${id}`, 0);
    expect((await one.ingest(token, small)).status).toBe(202);
  });

  test("are counted on when Redis has lost its scripts", async () => {
    const { token } = await one.tokenFor("producer", { requests_per_minute: 2 });
    expect((await one.ingest(token, small)).status).toBe(202);
    await bench.redis.script("FLUSH");
    expect((await one.ingest(token, small)).status).toBe(202);
    await expectProblem(await one.ingest(token, small), "rate-limited");
  });

  test("limit neither polling nor probes", async () => {
    const { token } = await one.tokenFor("producer", { requests_per_minute: 1 });
    const { job_id } = (await (await one.ingest(token, small)).json()) as { job_id: string };
    for (let i = 0; i < 5; i += 1) {
      expect((await one.job(token, job_id)).status).toBe(200);
      expect((await one.fetch("/livez")).status).toBe(200);
    }
  });
});

describe("readings a minute", () => {
  test("are shared by all processes; a batch that does not fit is refused whole, a smaller one still fits", async () => {
    const { token } = await one.tokenFor("producer", { readings_per_minute: 10 });
    expect((await one.ingest(token, JSON.stringify(batchOf(7)))).status).toBe(202);
    const before = await bench.streamLength();
    const refused = await two.ingest(token, JSON.stringify(batchOf(4)));
    const { detail } = await expectProblem(refused, "rate-limited");
    expect(detail).toContain("3 are left, the batch has 4");
    expect(refused.headers.get("RateLimit-Limit")).toBe("10");
    expect(refused.headers.get("RateLimit-Remaining")).toBe("3");
    expect(Number(refused.headers.get("Retry-After"))).toBeWithin(1, 61);
    expect(await bench.streamLength()).toBe(before);
    expect((await two.ingest(token, JSON.stringify(batchOf(3)))).status).toBe(202);
  });

  test("smaller than one batch: the answer says to split it", async () => {
    const { token } = await one.tokenFor("producer", { readings_per_minute: 5 });
    const { detail } = await expectProblem(
      await one.ingest(token, JSON.stringify(batchOf(6))),
      "rate-limited",
    );
    expect(detail).toContain("split it");
  });

  test("are free again when the batch is refused for another reason: at the bound a producer keeps its minute", async () => {
    const api = await bench.start({ config: { BACKLOG_MAX_ENTRIES: 1 } });
    await bench.redis.flushdb();
    const { token } = await api.tokenFor("producer", { readings_per_minute: 10 });
    expect((await api.ingest(token, JSON.stringify(batchOf(2)))).status).toBe(202);
    for (const headers of [{}, { "Idempotency-Key": "k" }] as Record<string, string>[]) {
      for (let n = 0; n < 3; n += 1) {
        const refused = await api.ingest(token, JSON.stringify(batchOf(8)), headers);
        await expectProblem(refused, "backlog-full");
        expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
        expect(refused.headers.get("RateLimit-Readings-Remaining")).toBe("8");
      }
    }
    await bench.redis.del("ingest:{0}", "backlog:{0}");
    const taken = await api.ingest(token, JSON.stringify(batchOf(8)));
    expect(taken.status).toBe(202);
    expect(taken.headers.get("RateLimit-Readings-Remaining")).toBe("0");
  });

  test("come from the configuration for users without a limit of their own", async () => {
    const api = await bench.start({ config: { RATE_LIMIT_READINGS_PER_MINUTE: 4 } });
    const { token } = await api.tokenFor("producer", byDefault);
    expect((await api.ingest(token, JSON.stringify(batchOf(4)))).status).toBe(202);
    await expectProblem(await api.ingest(token, small), "rate-limited");
  });
});
