/** When a worker says that it works. */
import { describe, expect, test } from "bun:test";
import { workerReadinessOf } from "../../../src/api/worker-app.ts";

const up = { state: "up", latency_ms: 1 } as const;
const down = { state: "down", latency_ms: 2_000 } as const;
const threads = (...states: string[]) => states.map((state) => ({ state }));

describe("a worker is", () => {
  test("ready when all of its threads run", () => {
    const readiness = workerReadinessOf({ redis: up, postgres: up }, threads("running", "running"));
    expect(readiness).toEqual({ status: "ready", reasons: [] });
  });
  test("degraded while a thread is replaced", () => {
    const readiness = workerReadinessOf({ redis: up, postgres: up }, threads("waiting", "running"));
    expect(readiness).toEqual({ status: "degraded", reasons: ["1 of 2 ingest threads run"] });
  });
  test.each([
    ["before the first thread", threads()],
    ["while they start", threads("starting", "starting")],
    ["while they finish what they have", threads("draining", "stopped")],
  ])("unavailable %s", (_, states) => {
    const readiness = workerReadinessOf({ redis: up, postgres: up }, states);
    expect(readiness).toEqual({ status: "unavailable", reasons: ["no ingest thread runs"] });
  });
  test("unavailable without Redis, and without PostgreSQL, and says all of it", () => {
    const readiness = workerReadinessOf({ redis: down, postgres: down }, threads("running", "waiting"));
    expect(readiness).toEqual({
      status: "unavailable",
      reasons: [
        "Redis is down or takes no writes",
        "PostgreSQL is down: batches wait",
        "1 of 2 ingest threads run",
      ],
    });
  });
});
