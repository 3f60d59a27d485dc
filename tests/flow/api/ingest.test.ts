/** What a good batch leaves behind, and that nothing on its way is lost or changed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { isUuid } from "../../../src/contract/job-id.ts";
import { streamKey } from "../../../src/stream/keys.ts";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";

let bench: ApiBench;
let api: TestApi;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
});
afterAll(() => bench.close());

/** Meta and body of the newest entry. */
async function lastEntry(): Promise<{ meta: Record<string, unknown>; body: string }> {
  const [entry] = await bench.redis.xrevrange(streamKey(0), "+", "-", "COUNT", 1);
  const fields = entry?.[1] ?? [];
  const field = (name: string) => fields[fields.indexOf(name) + 1] ?? "";
  return { meta: JSON.parse(field("m")), body: field("b") };
}
const good = JSON.stringify(batchOf(3));

describe("a good batch", () => {
  test("is answered 202 with its job, where to poll it and when", async () => {
    const { token } = await api.tokenFor("producer", { requests_per_minute: 20 });
    const response = await api.ingest(token, good);
    expect(response.status).toBe(202);
    const { job_id, status } = (await response.json()) as { job_id: string; status: string };
    expect(isUuid(job_id)).toBe(true);
    expect(status).toBe("queued");
    expect(response.headers.get("Location")).toBe(`/api/v1/jobs/${job_id}/`);
    expect(response.headers.get("Retry-After")).toBe("1");
    expect(response.headers.get("RateLimit-Limit")).toBe("20");
    expect(response.headers.get("RateLimit-Remaining")).toBe("19");
    expect(response.headers.get("RateLimit-Policy")).toBe("20;w=60");
    expect(response.headers.get("Idempotent-Replayed")).toBeNull();
  });

  test("is in the stream with its job, its sender and the text as sent", async () => {
    const { token, id } = await api.tokenFor("engineer");
    const begin_ms = Date.now();
    const body = `  ${JSON.stringify(batchOf(2), null, 2)}\n`;
    const response = await api.ingest(token, body, { "X-Request-Id": "trace:42" });
    const { job_id } = (await response.json()) as { job_id: string };
    const entry = await lastEntry();
    expect(entry.body).toBe(body);
    expect(entry.meta).toMatchObject({
      job_id,
      user_id: id,
      request_id: "trace:42",
      total_readings: 2,
      system_id: batchOf(1).system_id,
    });
    expect(entry.meta.received_at_ms).toBeGreaterThanOrEqual(begin_ms);
    expect(response.headers.get("X-Request-Id")).toBe("trace:42");
  });

  test("may name its system in capitals: it goes on in small letters", async () => {
    const { token } = await api.tokenFor("producer");
    const system_id = "550E8400-E29B-41D4-A716-44665544ABCD";
    expect((await api.ingest(token, JSON.stringify(batchOf(1, system_id)))).status).toBe(202);
    expect((await lastEntry()).meta.system_id).toBe(system_id.toLowerCase());
  });

  test.each([
    ["gzip", gzipSync(good)],
    ["x-gzip", gzipSync(good)],
    ["deflate", deflateSync(good)],
    ["zstd", zstdCompressSync(good)],
    ["identity", good],
  ])("may come as %s and is kept decompressed", async (coding, body) => {
    const { token } = await api.tokenFor("admin");
    const response = await api.ingest(token, body, { "Content-Encoding": coding });
    expect(response.status).toBe(202);
    expect((await lastEntry()).body).toBe(good);
  });

  test("may start with a byte order mark, which is not kept", async () => {
    const { token } = await api.tokenFor("producer");
    expect((await api.ingest(token, `\uFEFF${good}`)).status).toBe(202);
    expect((await lastEntry()).body).toBe(good);
  });

  test("may come in chunks without a length", async () => {
    const { token } = await api.tokenFor("producer");
    const body = new ReadableStream({
      start(controller) {
        for (const part of [good.slice(0, 10), good.slice(10, 11), good.slice(11)]) {
          controller.enqueue(new TextEncoder().encode(part));
        }
        controller.close();
      },
    });
    expect((await api.ingest(token, body)).status).toBe(202);
    expect((await lastEntry()).body).toBe(good);
  });

  test("may hold bad readings: they are for the quarantine, not for a 400", async () => {
    const { token } = await api.tokenFor("producer");
    const readings = [null, 1, "x", [], {}, { value: "NaN" }];
    const response = await api.ingest(token, JSON.stringify({ ...batchOf(1), readings }));
    expect(response.status).toBe(202);
    expect((await lastEntry()).meta.total_readings).toBe(readings.length);
  });

  test.each([1, 10_000])("may have %d readings", async (count) => {
    const { token } = await api.tokenFor("producer");
    expect((await api.ingest(token, JSON.stringify(batchOf(count)))).status).toBe(202);
    expect((await lastEntry()).meta.total_readings).toBe(count);
  });

  test("may use the address with a last slash", async () => {
    const { token } = await api.tokenFor("producer");
    const response = await api.fetch("/api/v1/data/ingest/", {
      method: "POST",
      headers: { "Content-Type": "application/json; charset=utf-8", Authorization: `bearer ${token}` },
      body: good,
    });
    expect(response.status).toBe(202);
  });

  test("is accepted by each role that may send", async () => {
    for (const role of ["producer", "engineer", "admin"] as const) {
      const { token } = await api.tokenFor(role);
      expect((await api.ingest(token, good)).status).toBe(202);
    }
  });

  test("leaves one log line with request, user, job, status and time", async () => {
    const { token, username } = await api.tokenFor("producer");
    const response = await api.ingest(token, good, { "X-Request-Id": "log-line" });
    const { job_id } = (await response.json()) as { job_id: string };
    const lines = api.logLines.map((line) => JSON.parse(line)).filter((l) => l.request_id === "log-line");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: "debug", user: username, job_id, status: 202 });
    expect(lines[0].ms).toBeGreaterThan(0);
  });
});
