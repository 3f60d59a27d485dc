/** Bodies that stall, never end, or are larger than they may be: the answer comes early and memory stays flat. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { connectRaw, head } from "../../support/raw-http.ts";
import { until } from "../../support/until.ts";

const MAX_BODY_BYTES = 1_000_000;
const BODY_TIMEOUT_MS = 500;
const PATH = "/api/v1/data/ingest";
let bench: ApiBench;
let api: TestApi;
/** What is tested on it is over before a body may take too long, also on a busy machine. */
let patient: TestApi;
let token: string;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ config: { MAX_BODY_BYTES, BODY_TIMEOUT_MS } });
  patient = await bench.start({ config: { MAX_BODY_BYTES, BODY_TIMEOUT_MS: 60_000 } });
  token = (await api.tokenFor("producer")).token;
});
afterAll(() => bench.close());

const headers = (more: Record<string, string | number>) => ({
  "Content-Type": "application/json",
  Authorization: `Bearer ${token}`,
  ...more,
});
const good = JSON.stringify(batchOf(2));
const open = async (more: Record<string, string | number>, to = api) => {
  const connection = await connectRaw(to.server.port);
  connection.write(head("POST", PATH, headers(more)));
  return connection;
};

describe("a body", () => {
  test.each([
    ["of a declared length", { "Content-Length": good.length }, good.slice(0, 5)],
    ["in chunks", { "Transfer-Encoding": "chunked" }, "5\r\nabcde\r\n"],
  ])("%s that stalls is a 408 at the deadline, and the connection is closed", async (_, more, part) => {
    const connection = await open(more);
    const begin = performance.now();
    connection.write(part);
    await until("an answer", () => connection.received().includes("\r\n\r\n"));
    expect(connection.received()).toStartWith("HTTP/1.1 408 ");
    expect(connection.received()).toContain("application/problem+json");
    expect(performance.now() - begin).toBeGreaterThan(BODY_TIMEOUT_MS - 50);
    await until("the connection is closed", connection.isClosed);
  });

  test.each([
    ["of a declared length", { "Content-Length": good.length }, good.slice(0, 5)],
    ["in chunks", { "Transfer-Encoding": "chunked" }, "5\r\nabcde\r\n"],
  ])("%s whose connection breaks is no error of the service", async (_, more, part) => {
    const cut = async () => {
      const text = await (await patient.fetch("/metrics")).text();
      return Number(/^http_requests_total\{[^}]*status="400"[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
    };
    const before = await cut();
    const connection = await open(more, patient);
    connection.write(part);
    connection.destroy();
    await until("the request has ended", async () => (await cut()) > before);
    expect(patient.logLines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  test("that comes slowly but in time is accepted", async () => {
    const connection = await open({ "Content-Length": good.length }, patient);
    const middle = Math.floor(good.length / 2);
    connection.write(good.slice(0, middle));
    // Not a wait for a state: the slowness is what is tested.
    await Bun.sleep(250);
    connection.write(good.slice(middle));
    await until("an answer", () => connection.received().includes("\r\n\r\n"));
    expect(connection.received()).toStartWith("HTTP/1.1 202 ");
    connection.destroy();
  });

  test("may be given more time than the server's longest idle timeout", async () => {
    const endless = await bench.start({ config: { BODY_TIMEOUT_MS: 600_000 } });
    expect((await endless.ingest(token, good)).status).toBe(202);
    expect((await endless.ingest(token, good)).status).toBe(202);
  });

  test("declared too large is a 413 before a byte of it was sent", async () => {
    const connection = await open({ "Content-Length": MAX_BODY_BYTES + 1 });
    await until("an answer", () => connection.received().includes("/problems/body-too-large"));
    expect(connection.received()).toStartWith("HTTP/1.1 413 ");
    connection.destroy();
  });

  test("declared as a petabyte is a 413 too", async () => {
    const connection = await open({ "Content-Length": 1e15 });
    await until("an answer", () => connection.received().includes("/problems/body-too-large"));
    connection.destroy();
  });

  test("without an end is a 413 at the bound, while it is still being sent", async () => {
    const connection = await open({ "Transfer-Encoding": "chunked" }, patient);
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const before_bytes = process.memoryUsage.rss();
    let sent_bytes = 0;
    await until("an answer", () => {
      connection.write(chunk);
      sent_bytes += 0x10000;
      return connection.received().includes("/problems/body-too-large");
    });
    expect(connection.received()).toStartWith("HTTP/1.1 413 ");
    expect(sent_bytes).toBeLessThan(MAX_BODY_BYTES * 30);
    expect(process.memoryUsage.rss() - before_bytes).toBeLessThan(200_000_000);
    connection.destroy();
  });

  test("of a client that goes away leaves nothing in the stream and is no fault of ours", async () => {
    const before = await bench.streamLength();
    const said = { "Content-Length": good.length, "X-Request-Id": "gone", "Idempotency-Key": "gone" };
    const connection = await open(said, patient);
    connection.write(good.slice(0, 10));
    await until("the body is being read", async () => (await bench.redis.keys("idem:*")).length > 0);
    connection.destroy();
    const line = await until("the request has ended", () =>
      patient.logLines.map((l) => JSON.parse(l)).find((l) => l.request_id === "gone"),
    );
    expect(line.status).toBe(400);
    await until("its key is free", async () => (await bench.redis.keys("idem:*")).length === 0);
    expect(await bench.streamLength()).toBe(before);
  });

  test("that is announced and does not come keeps nobody else out", async () => {
    const announced = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const said = { "Content-Length": MAX_BODY_BYTES, "Idempotency-Key": `said-${i}` };
        const connection = await open(said, patient);
        connection.write(" ");
        return connection;
      }),
    );
    await until("all of them are read", async () => (await bench.redis.keys("idem:*")).length >= 60);
    expect((await patient.ingest(token, good)).status).toBe(202);
    for (const connection of announced) connection.destroy();
    await until("their keys are free", async () => (await bench.redis.keys("idem:*")).length === 0);
  });

  test("is refused with 503 while the bodies in work fill the memory kept for them, and not after", async () => {
    const before = await bench.streamLength();
    const fill = async (i: number) => {
      const said = { "Content-Length": MAX_BODY_BYTES, "Idempotency-Key": `fill-${i}` };
      const connection = await open(said, patient);
      connection.write(" ".repeat(MAX_BODY_BYTES - 1));
      return connection;
    };
    const filling = await Promise.all(Array.from({ length: 16 }, (_, i) => fill(i)));
    await until("all of them are read", async () => (await bench.redis.keys("idem:*")).length === 16);
    const refused = await until("a refusal", async () => {
      // While the last of them comes, the batch that is tried may have its place, and it is refused itself.
      for (const [i, connection] of filling.entries()) {
        if (connection.received() === "") continue;
        connection.destroy();
        filling[i] = await fill(i);
      }
      const response = await patient.ingest(token, good);
      return response.status === 503 ? response : undefined;
    });
    await expectProblem(refused, "server-busy");
    expect(refused.headers.get("Retry-After")).toBe("1");
    for (const connection of filling) connection.destroy();
    await until("a batch is accepted", async () => (await patient.ingest(token, good)).status === 202);
    expect(await bench.streamLength()).toBeGreaterThan(before);
  });

  test("that follows a refused one on the same connection is read as a request of its own", async () => {
    const connection = await open({ "Content-Length": 4, "Content-Encoding": "br" });
    connection.write("abcd");
    await until("the refusal", () => connection.received().includes("unsupported-content-encoding"));
    connection.write(head("POST", PATH, headers({ "Content-Length": good.length })) + good);
    await until("the acceptance", () => connection.received().includes("HTTP/1.1 202 "));
    connection.destroy();
  });
});
