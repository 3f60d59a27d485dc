import { describe, expect, test } from "bun:test";
import { ReplyError } from "ioredis";
import { acceptOnce, fingerprintOf, idempotencyKeyFrom } from "../../../src/api/idempotency.ts";
import { ProblemError } from "../../../src/api/problem-error.ts";
import { createLogger } from "../../../src/ops/log.ts";
import { StreamUnavailableError } from "../../../src/stream/connection.ts";
import type { IdempotencyClaim, IdempotencyState } from "../../../src/stream/idempotency.ts";

const claim: IdempotencyClaim = { partition: 0, redisKey: "idem:{0}:u:k", token: "in-flight 1" };
const body = new TextEncoder().encode("{}");

function setUp(state: IdempotencyState, abandonFails = false) {
  const abandoned: IdempotencyClaim[] = [];
  const lines: string[] = [];
  const into = { write: (line: string) => lines.push(line) > 0 } as unknown as NodeJS.WritableStream;
  const log = createLogger({ level: "debug", format: "json" }, into);
  const store = {
    begin: async () => state,
    abandon: async (c: IdempotencyClaim) => {
      if (abandonFails) throw new StreamUnavailableError("away");
      abandoned.push(c);
    },
  };
  const run = (accept: () => Promise<string>) =>
    acceptOnce(store, log, { user_id: "u", key: "k", beside: "csv s", receive: async () => body, accept });
  return { abandoned, lines, run };
}
const failing = (error: Error) => () => Promise.reject(error);

describe("an Idempotency-Key", () => {
  test.each(["a", "!~", "x".repeat(255), "8e03978e-40d5-43dd-bc93-6894a57f9324"])("%p may be used", (key) => {
    expect(idempotencyKeyFrom(key)).toBe(key);
  });
  test.each(["", "a b", "x".repeat(256), "ü", "tab\t"])("%p is refused", (key) => {
    expect(() => idempotencyKeyFrom(key)).toThrow(ProblemError);
  });
});

describe("a request with a key", () => {
  test("frees it when it ends without a job", async () => {
    const { abandoned, run } = setUp({ kind: "fresh", claim });
    await expect(run(failing(new ProblemError("invalid-request")))).rejects.toBeInstanceOf(ProblemError);
    expect(abandoned).toEqual([claim]);
  });

  test("keeps it when Redis went away, because the job may exist", async () => {
    const { abandoned, run } = setUp({ kind: "fresh", claim });
    const lost = new StreamUnavailableError("lost", { cause: new Error("Connection is closed.") });
    await expect(run(failing(lost))).rejects.toBe(lost);
    expect(abandoned).toEqual([]);
  });

  test("frees it when Redis answered that it takes no writes", async () => {
    const { abandoned, run } = setUp({ kind: "fresh", claim });
    const full = new StreamUnavailableError("full", { cause: new ReplyError("OOM command not allowed") });
    await expect(run(failing(full))).rejects.toBe(full);
    expect(abandoned).toEqual([claim]);
  });

  test("that fails and cannot free it still ends with its own error, and says so in the log", async () => {
    const { lines, run } = setUp({ kind: "fresh", claim }, true);
    const wrong = new ProblemError("malformed-json");
    await expect(run(failing(wrong))).rejects.toBe(wrong);
    expect(lines.join("")).toContain("stays claimed");
  });

  test("gets the first answer when the body is the same", async () => {
    const { run } = setUp({ kind: "answered", job_id: "j", fingerprint: fingerprintOf(body, "csv s") });
    expect(await run(failing(new Error("must not run")))).toEqual({ job_id: "j", replayed: true });
  });

  test.each(["", "csv t", "ndjson s"])(
    "is another request when the body is the same and what stands beside it was %p",
    async (beside) => {
      const { run } = setUp({ kind: "answered", job_id: "j", fingerprint: fingerprintOf(body, beside) });
      await expect(run(failing(new Error("must not run")))).rejects.toMatchObject({
        problem: "idempotency-mismatch",
      });
    },
  );
});
