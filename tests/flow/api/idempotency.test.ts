/** One job for one Idempotency-Key of one user. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { IdempotencyStore } from "../../../src/stream/idempotency.ts";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { connectRaw, head } from "../../support/raw-http.ts";
import { until } from "../../support/until.ts";

let bench: ApiBench;
let api: TestApi;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
});
afterAll(() => bench.close());

const good = JSON.stringify(batchOf(2));
const other = JSON.stringify(batchOf(3));
const jobOf = async (response: Response) => ((await response.json()) as { job_id: string }).job_id;

describe("an Idempotency-Key", () => {
  test("sent again with the same batch gives the first answer and no second job", async () => {
    const { token } = await api.tokenFor("producer");
    const first = await api.ingest(token, good, { "Idempotency-Key": "k1" });
    const before = await bench.streamLength();
    const again = await api.ingest(token, good, { "Idempotency-Key": "k1" });
    expect(again.status).toBe(202);
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    expect(first.headers.get("Idempotent-Replayed")).toBeNull();
    expect(again.headers.get("Location")).toBe(first.headers.get("Location"));
    expect(await jobOf(again)).toBe(await jobOf(first));
    expect(await bench.streamLength()).toBe(before);
  });

  test("stands for the batch, however it is compressed", async () => {
    const { token } = await api.tokenFor("producer");
    const first = await api.ingest(token, good, { "Idempotency-Key": "k1" });
    const zipped = await api.ingest(token, gzipSync(good), {
      "Idempotency-Key": "k1",
      "Content-Encoding": "gzip",
    });
    expect(zipped.headers.get("Idempotent-Replayed")).toBe("true");
    expect(await jobOf(zipped)).toBe(await jobOf(first));
  });

  test("sent with another batch is refused with 422", async () => {
    const { token } = await api.tokenFor("producer");
    expect((await api.ingest(token, good, { "Idempotency-Key": "k1" })).status).toBe(202);
    const before = await bench.streamLength();
    await expectProblem(await api.ingest(token, other, { "Idempotency-Key": "k1" }), "idempotency-mismatch");
    expect(await bench.streamLength()).toBe(before);
  });

  test("in flight is refused with 409 and Retry-After", async () => {
    const { token, id } = await api.tokenFor("producer");
    const { kind } = await new IdempotencyStore(bench.redis, 1, 60_000).begin(id, "k1");
    expect(kind).toBe("fresh");
    const response = await api.ingest(token, good, { "Idempotency-Key": "k1" });
    await expectProblem(response, "idempotency-in-flight");
    expect(response.headers.get("Retry-After")).toBe("1");
  });

  test("used by 20 requests at once makes one job", async () => {
    const { token } = await api.tokenFor("producer");
    const before = await bench.streamLength();
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => api.ingest(token, good, { "Idempotency-Key": "k1" })),
    );
    const statuses = new Set(responses.map((r) => r.status));
    expect([...statuses].every((s) => s === 202 || s === 409)).toBe(true);
    const jobs = await Promise.all(responses.filter((r) => r.status === 202).map(jobOf));
    expect(jobs.length).toBeGreaterThan(0);
    expect(new Set(jobs).size).toBe(1);
    expect(await bench.streamLength()).toBe(before + 1);
  });

  test.each([
    ["malformed-json", "{", {}],
    ["invalid-request", "{}", {}],
    ["malformed-encoding", good, { "Content-Encoding": "gzip" }],
  ] as const)("of a request that ended with %s is free again", async (problem, body, headers) => {
    const { token } = await api.tokenFor("producer");
    await expectProblem(await api.ingest(token, body, { "Idempotency-Key": "k1", ...headers }), problem);
    const response = await api.ingest(token, good, { "Idempotency-Key": "k1" });
    expect(response.status).toBe(202);
    expect(response.headers.get("Idempotent-Replayed")).toBeNull();
  });

  test("that another request has taken over meanwhile makes no second job: 409, and then its answer", async () => {
    const { token, id } = await api.tokenFor("producer");
    const slow = await connectRaw(api.server.port);
    slow.write(
      head("POST", "/api/v1/data/ingest", {
        "Content-Type": "application/json",
        Authorization: `Bearer ${token}`,
        "Idempotency-Key": "k1",
        "Content-Length": good.length,
      }),
    );
    slow.write(good.slice(0, 10));
    const held = () => bench.redis.keys(`idem:*:${id}:*`);
    const [claim] = await until("the key is claimed", async () => {
      const keys = await held();
      return keys.length > 0 && keys;
    });
    // As if the claim had run out while the process stood still.
    await bench.redis.del(claim!);
    const job_id = await jobOf(await api.ingest(token, good, { "Idempotency-Key": "k1" }));
    const before = await bench.streamLength();
    slow.write(good.slice(10));
    await until("an answer", () => slow.received().includes("\r\n\r\n"));
    expect(slow.received()).toStartWith("HTTP/1.1 409 ");
    expect(slow.received()).toContain("/problems/idempotency-in-flight");
    slow.destroy();
    expect(await bench.streamLength()).toBe(before);
    expect(await jobOf(await api.ingest(token, good, { "Idempotency-Key": "k1" }))).toBe(job_id);
  });

  test("of another user is another key", async () => {
    const [one, two] = [await api.tokenFor("producer"), await api.tokenFor("producer")];
    const first = await jobOf(await api.ingest(one.token, good, { "Idempotency-Key": "k1" }));
    const second = await jobOf(await api.ingest(two.token, good, { "Idempotency-Key": "k1" }));
    expect(second).not.toBe(first);
  });

  test("replayed takes nothing from the budget of readings", async () => {
    const { token } = await api.tokenFor("producer", { readings_per_minute: 3 });
    expect((await api.ingest(token, good, { "Idempotency-Key": "k1" })).status).toBe(202);
    expect((await api.ingest(token, good, { "Idempotency-Key": "k1" })).status).toBe(202);
    await expectProblem(await api.ingest(token, good, { "Idempotency-Key": "k2" }), "rate-limited");
  });
});
