/** The server's life: a taken port, the ordered stop, and what every answer has. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { idleTimeout_s, PortTakenError, startServer } from "../../../src/api/server.ts";
import { PROBLEMS, type ProblemName } from "../../../src/contract/problem.ts";
import { createLogger } from "../../../src/ops/log.ts";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { connectRaw, head } from "../../support/raw-http.ts";
import { until } from "../../support/until.ts";

let bench: ApiBench;
let api: TestApi;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({
    workers: [{ name: "ingest-1", state: "running", heartbeat_age_ms: 12, restarts: 0 }],
  });
});
afterAll(() => bench.close());

describe("every answer", () => {
  const paths = [
    "/livez",
    "/readyz",
    "/health",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/nothing",
    "/problems/forbidden",
  ];
  test.each(paths)("of %s has a request id and forbids sniffing, framing and referrers", async (path) => {
    const response = await api.fetch(path);
    await response.arrayBuffer();
    expect(response.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(response.headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(response.headers.get("Content-Security-Policy")).toContain("frame-ancestors 'none'");
    expect(response.headers.get("Content-Security-Policy")).not.toContain("unsafe");
  });

  test.each([
    ["a", "a"],
    ["trace/42:b=c@d.e_f-g+h", "trace/42:b=c@d.e_f-g+h"],
    ["x".repeat(128), "x".repeat(128)],
    ["x".repeat(129), null],
    ["a b", null],
    ['"quoted"', null],
    ["<script>", null],
  ])("repeats the request's own id %p when that is safe", async (sent, repeated) => {
    const id = (await api.fetch("/livez", { headers: { "X-Request-Id": sent } })).headers.get("X-Request-Id");
    if (repeated === null) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    else expect(id).toBe(repeated);
  });
});

describe("an address", () => {
  test.each([
    "/",
    "/nothing",
    "/api",
    "/api/v1/sensors",
    "/api/v2/data/ingest",
    "/docs/../package.json",
    "/docs/constructor",
    "/docs/swagger-ui.css.map",
  ])("%s that does not exist is a 404 problem", async (path) => {
    await expectProblem(await api.fetch(path), "not-found");
  });
  test.each([
    ["GET", "/api/v1/data/ingest", "POST"],
    ["PUT", "/api/v1/data/ingest/", "POST"],
    ["GET", "/api/v1/auth/login", "POST"],
    ["DELETE", "/api/v1/jobs/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a00", "GET, HEAD"],
    ["POST", "/livez", "GET, HEAD"],
    ["PATCH", "/openapi.json/", "GET, HEAD"],
  ])("that exists for other methods is a 405 with Allow: %s %s", async (method, path, allow) => {
    const response = await api.fetch(path, { method });
    await expectProblem(response, "method-not-allowed");
    expect(response.headers.get("Allow")).toBe(allow);
  });
  test.each(["/livez", "/openapi.json", "/docs", "/api/v1/jobs", "/nowhere"])(
    "answers HEAD of %s as GET, without a body and without a length that GET has not (RFC 9110 section 8.6)",
    async (path) => {
      const [head, full] = [await api.fetch(path, { method: "HEAD" }), await api.fetch(path)];
      expect(head.status).toBe(full.status);
      expect(head.headers.get("Content-Type")).toBe(full.headers.get("Content-Type"));
      expect(await head.text()).toBe("");
      expect([null, full.headers.get("Content-Length")]).toContain(head.headers.get("Content-Length"));
    },
  );
});

describe("a Host that is none", () => {
  // Bun makes no URL of such a request; RFC 9112 section 3.2 wants 400.
  test.each(["", "a b", "a@b", "a/../b", "a?b", "[::1", "<script>", "a:99999"])(
    "is a 400 problem, not an error of the service: %j",
    async (host) => {
      const connection = await connectRaw(api.server.port);
      connection.write(head("GET", "/api/v1/systems", { Host: host }));
      await until("the connection is closed", connection.isClosed);
      expect(connection.received()).toStartWith("HTTP/1.1 400 ");
      expect(connection.received()).toContain("application/problem+json");
      expect(connection.received()).toContain('"type":"/problems/invalid-request"');
      expect(
        api.logLines.filter((line) => line.includes('"level":"error"') && line.includes("Invalid URL")),
      ).toEqual([]);
    },
  );
});

describe("problem types", () => {
  test.each(Object.keys(PROBLEMS) as ProblemName[])(
    "/problems/%s resolves, as JSON and as a page",
    async (name) => {
      const { title, status, about } = PROBLEMS[name];
      const json = await api.fetch(`/problems/${name}`);
      expect(await json.json()).toEqual({ type: `/problems/${name}`, title, status, about });
      const page = await api.fetch(`/problems/${name}`, { headers: { Accept: "text/html,*/*;q=0.8" } });
      expect(page.headers.get("Content-Type")).toStartWith("text/html");
      expect(await page.text()).toContain(title);
    },
  );
  test("that do not exist are a 404", async () => {
    for (const name of ["nothing", "constructor", "__proto__"]) {
      await expectProblem(await api.fetch(`/problems/${name}`), "not-found");
    }
  });
});

describe("an error that nobody expected", () => {
  test("is a 500 that tells the client nothing, and is in the log with its stack under the request's id", async () => {
    const broken = await bench.start();
    broken.app.get("/broken", () => {
      throw new TypeError("the inner secret");
    });
    const response = await fetch(`${broken.server.url}/broken`, { headers: { "X-Request-Id": "broken-1" } });
    const text = JSON.stringify(await expectProblem(response, "internal-error"));
    expect(text).not.toContain("secret");
    const lines = broken.logLines.map((line) => JSON.parse(line)).filter((l) => l.request_id === "broken-1");
    expect(lines.map((l) => l.level)).toEqual(["error", "info"]);
    expect(lines[0].err).toMatchObject({ type: "TypeError", message: "the inner secret" });
    expect(lines[0].err.stack).toContain("server.test.ts");
  });
});

describe("a value thrown that is no Error", () => {
  test("is a 500 problem too, and in the log under the same id", async () => {
    const broken = await bench.start();
    broken.app.get("/broken", () => {
      throw "the inner secret";
    });
    const response = await fetch(`${broken.server.url}/broken`);
    const id = response.headers.get("X-Request-Id") ?? "";
    expect(response.status).toBe(500);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ type: "/problems/internal-error", instance: `urn:uuid:${id}` });
    expect(text).not.toContain("secret");
    expect(broken.logLines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ level: "error", request_id: id }),
    );
  });
});

describe("/health and /metrics", () => {
  test("health lists dependencies, backlog and workers", async () => {
    // What does not answer within two seconds is down for it: a machine may be too slow once.
    const health = await until("all is well", async () => {
      const said = (await (await api.fetch("/health")).json()) as { status: string };
      return said.status === "ready" && said;
    });
    expect(health).toMatchObject({
      status: "ready",
      reasons: [],
      dependencies: { redis: { state: "up", durability: "everysec" }, postgres: { state: "up" } },
      backlog: { full: false, dead_letters: 0 },
      workers: [{ name: "ingest-1", state: "running" }],
    });
  });

  test("metrics count requests by the route's pattern, and no path makes a series of its own", async () => {
    const { token } = await api.tokenFor("producer");
    for (let i = 0; i < 3; i += 1) {
      await api.job(token, crypto.randomUUID());
      await api.fetch(`/random/${crypto.randomUUID()}`, { method: i === 0 ? "GET" : "PROPFIND" });
    }
    const response = await api.fetch("/metrics");
    expect(response.headers.get("Content-Type")).toStartWith("text/plain; version=0.0.4");
    const text = await response.text();
    expect(text).toContain('http_requests_total{route="/api/v1/jobs/:job_id",method="GET",status="404"} 3');
    expect(text).toMatch(/http_requests_total\{route="unmatched",method="GET",status="404"\} \d+/);
    expect(text).toMatch(/http_requests_total\{route="unmatched",method="other",status="404"\} 2/);
    expect(text).toMatch(
      /http_request_duration_seconds_bucket\{le="0.001",route="\/livez",method="GET"\} \d+/,
    );
    expect(text).not.toContain("/random/");
  });
});

describe("the server", () => {
  test("says that a port is taken, by its own error", () => {
    const log = createLogger({ level: "error", format: "json" });
    const bounds = { trusted_proxies: [], body_timeout_ms: 1_000, query_deadline_ms: 1_000 };
    const again = {
      hostname: "127.0.0.1",
      port: api.server.port,
      ...bounds,
      log,
    };
    expect(() => startServer(api.app, again)).toThrow(PortTakenError);
  });

  test.each([
    [1_000, 10_000, 20],
    [30_000, 10_000, 40],
    [600_000, 10_000, 255],
    [100, 240_000, 250],
  ])(
    "waits longer in silence than a body of %d ms or a query of %d ms takes: %d s",
    (body, query, idle_s) => {
      expect(idleTimeout_s({ body_timeout_ms: body, query_deadline_ms: query })).toBe(idle_s);
    },
  );

  test("stops in order: no new connections, idle ones closed, requests in work answered", async () => {
    const stopping = await bench.start();
    const { token } = await stopping.tokenFor("producer");
    const idle = await connectRaw(stopping.server.port);
    idle.write(head("GET", "/livez", {}));
    await until("the idle connection has its answer", () => idle.received().includes("alive"));
    const body = JSON.stringify(batchOf(1));
    const working = await connectRaw(stopping.server.port);
    const headers = {
      "Content-Type": "application/json",
      Authorization: `Bearer ${token}`,
      "Content-Length": body.length,
      "Idempotency-Key": "stop",
    };
    working.write(head("POST", "/api/v1/data/ingest", headers) + body.slice(0, 5));
    await until("the request is in work", async () => (await bench.redis.keys("idem:*")).length > 0);
    const stopped = stopping.server.stop(10_000);
    await until("the idle connection is closed", idle.isClosed);
    await expect(stopping.fetch("/livez")).rejects.toThrow();
    working.write(body.slice(5));
    await until("the request in work is answered", () => working.received().includes("HTTP/1.1 202 "));
    await stopped;
    await until("its connection is closed", working.isClosed);
  });

  test("cuts what does not end within the grace", async () => {
    const stopping = await bench.start();
    let entered = false;
    stopping.app.get("/never", () => {
      entered = true;
      return new Promise<Response>(() => undefined);
    });
    const stuck = await connectRaw(stopping.server.port);
    stuck.write(head("GET", "/never", { "X-Request-Id": "never" }));
    await until("the request is in work", () => entered);
    const begin = performance.now();
    await stopping.server.stop(200);
    expect(performance.now() - begin).toBeLessThan(30_000);
    await until("the connection is closed", stuck.isClosed);
    expect(stopping.logLines.join("")).toContain("requests are cut off");
  });
});
