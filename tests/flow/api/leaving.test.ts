/** What clients feel of an API that is about to stop: told to go elsewhere, served all the same, answered at the end. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { connectRaw, head } from "../../support/raw-http.ts";
import { until } from "../../support/until.ts";

let bench: ApiBench;
beforeAll(async () => {
  bench = await ApiBench.create();
});
afterAll(() => bench.close());

/** A batch of which the last bytes are still to come. */
async function uploadTo(api: TestApi, key: string) {
  const { token, id } = await api.tokenFor("producer");
  const body = JSON.stringify(batchOf(1));
  const upload = await connectRaw(api.server.port);
  const headers = {
    "Content-Type": "application/json",
    Authorization: `Bearer ${token}`,
    "Content-Length": body.length,
    "Idempotency-Key": key,
  };
  upload.write(head("POST", "/api/v1/data/ingest", headers) + body.slice(0, 5));
  await until("the request is in work", async () => (await bench.redis.keys(`idem:*:${id}:*`)).length > 0);
  return { ...upload, rest: body.slice(5) };
}

test("from the wish to stop on it is not ready, alive, still serves, and ends each connection with the answer", async () => {
  const api = await bench.start();
  const kept = await connectRaw(api.server.port);
  kept.write(head("GET", "/livez", {}));
  await until("the connection is kept", () => kept.received().includes("alive"));
  expect(kept.received()).not.toContain("Connection: close");
  const upload = await uploadTo(api, "leaving");
  api.stop.wanted.abort();

  const ready = await api.fetch("/readyz");
  expect(ready.status).toBe(503);
  expect(ready.headers.get("Retry-After")).toBe("5");
  expect(await ready.json()).toEqual({ status: "unavailable", reasons: ["the process is about to stop"] });
  const health = await api.fetch("/health");
  expect(await health.json()).toMatchObject({
    status: "unavailable",
    dependencies: { redis: { state: "up" } },
  });
  kept.write(head("GET", "/livez", {}));
  await until("the kept connection is ended with its answer", kept.isClosed);
  expect(kept.received()).toMatch(/200 OK.*200 OK.*alive/s);
  expect(kept.received()).toContain("Connection: close");
  upload.write(upload.rest);
  await until("the upload is accepted", () => upload.received().includes("HTTP/1.1 202 "));
  await until("and its connection ended", upload.isClosed);
  expect(upload.received()).toContain("Connection: close");
});

test("an upload that is too slow for the stop is answered 503 with a time to come again, and nothing of it is kept", async () => {
  const api = await bench.start();
  const before = await bench.streamLength();
  const upload = await uploadTo(api, "too-slow");
  const stopped = api.server.stop(1_000, () => api.stop.hurry.abort());
  await until("it is answered", upload.isClosed);
  await stopped;
  const [headers = "", body = ""] = upload.received().split("\r\n\r\n");
  expect(headers).toStartWith("HTTP/1.1 503 ");
  expect(headers).toContain("Connection: close");
  expect(headers).toContain("Retry-After: 1");
  expect(JSON.parse(body)).toMatchObject({ type: "/problems/service-unavailable", status: 503 });
  expect(api.logLines.join("")).not.toContain("requests are cut off");
  expect(await bench.streamLength()).toBe(before);
});
