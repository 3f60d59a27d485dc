/** A worker as an orchestrator and Prometheus see it: probes and metrics on a port of its own, and only when asked. */
import { afterEach, expect, test } from "bun:test";
import { choosePort } from "../../src/services/free-port.ts";
import { runProgram } from "../support/fault/program.ts";
import { expectProblem } from "../support/problem.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
let stack: Stack;

afterEach(() => stack.close(), TEST_MS);

/** What production gives a worker: no key that signs tokens. */
async function probedWorker(settings: Readonly<Record<string, string>> = {}) {
  const port = String(await choosePort(undefined, []));
  const program = await stack.start("worker", {
    APP_ENV: "production",
    WORKER_THREADS: "2",
    WORKER_OPS_PORT: port,
    ...settings,
  });
  return { program, port, url: `http://127.0.0.1:${port}` };
}

const readiness = async (url: string) => {
  const response = await fetch(`${url}/readyz`);
  return {
    code: response.status,
    response,
    ...((await response.json()) as { status: string; reasons: string[] }),
  };
};

test(
  "a production worker without a key for tokens is alive, ready, measured, and gone with its process",
  async () => {
    stack = await Stack.create();
    const { program, url } = await probedWorker();
    const live = await fetch(`${url}/livez`);
    expect([live.status, await live.json()]).toEqual([200, { status: "alive" }]);
    await until("both threads run", async () => (await readiness(url)).status === "ready");
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get("Content-Type")).toContain("text/plain; version=0.0.4");
    const text = await metrics.text();
    expect(text).toContain('hydraulic_workers{state="running"} 2');
    expect(text).toContain("hydraulic_maintenance_leading");
    const started_s = Number(/^process_start_time_seconds (\S+)$/m.exec(text)?.[1]);
    expect(Date.now() / 1000 - started_s).toBeWithin(0, TEST_MS / 1000);
    await expectProblem(await fetch(`${url}/api/v1/jobs`), "not-found");
    await expectProblem(await fetch(`${url}/livez`, { method: "POST" }), "method-not-allowed");
    program.signal("SIGTERM");
    expect((await program.end(60_000)).code).toBe(0);
    expect(await fetch(`${url}/livez`).catch(() => null)).toBeNull();
  },
  TEST_MS,
);

test(
  "a worker without Redis or PostgreSQL stays alive, is not ready, says why, and is ready again by itself",
  async () => {
    const proxied = await Stack.createProxied();
    stack = proxied.stack;
    const { url } = await probedWorker();
    const comes = (status: string, reason?: string) =>
      until(`${status} ${reason ?? ""}`, async () => {
        const now = await readiness(url);
        return now.status === status && (reason === undefined || now.reasons.includes(reason)) && now;
      });
    await comes("ready");
    for (const [proxy, reason] of [
      [proxied.redis, "Redis is down or takes no writes"],
      [proxied.postgres, "PostgreSQL is down: batches wait"],
    ] as const) {
      proxy.refuse();
      const { code, response } = await comes("unavailable", reason);
      expect(code).toBe(503);
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
      expect((await fetch(`${url}/livez`)).status).toBe(200);
      expect((await fetch(`${url}/metrics`)).status).toBe(200);
      proxy.resume();
      await comes("ready");
    }
  },
  TEST_MS,
);

test(
  "only a worker opens the port, and only when it is set",
  async () => {
    stack = await Stack.create();
    const port = String(await choosePort(undefined, []));
    const all = await stack.start("all", { WORKER_OPS_PORT: port });
    expect(await fetch(`http://127.0.0.1:${port}/livez`).catch(() => null)).toBeNull();
    expect((await fetch(`${all.url}/livez`)).status).toBe(200);
    const silent = await stack.start("worker", { WORKER_OPS_PORT: "0" });
    expect(silent.lines.find((line) => line.includes('"msg":"ready"'))).not.toContain('"url"');
  },
  TEST_MS,
);

test(
  "a port that another program has is told with its variable, and nothing is started",
  async () => {
    stack = await Stack.create();
    const { port } = await probedWorker();
    const second = await runProgram(["start", "worker"], stack.environment({ WORKER_OPS_PORT: port }));
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`port ${port} on 127.0.0.1 is taken by another program`);
    expect(second.stderr).toContain("WORKER_OPS_PORT=");
    expect(second.stdout).toBe("");
  },
  TEST_MS,
);
