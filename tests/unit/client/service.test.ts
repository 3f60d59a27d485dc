import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { parseRetryAfter_ms } from "../../../src/client/exchange.ts";
import {
  JobDeadlineError,
  LoginRefusedError,
  RequestRefusedError,
  RetriesExhaustedError,
  StoppedError,
  UnexpectedAnswerError,
} from "../../../src/client/index.ts";
import { refusalOf } from "../../support/client.ts";
import { FakeService, type Scripted } from "../../support/fake-service.ts";
import { clientOf, JumpingTime } from "../../support/feed.ts";
import { until } from "../../support/until.ts";

const BATCH = JSON.stringify({
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  readings: [
    {
      sensor_id: "550e8400-e29b-41d4-a716-446655440001",
      timestamp: new Date().toISOString(),
      value: 120,
      unit: "bar",
    },
    { sensor_id: "550e8400-e29b-41d4-a716-446655440001", timestamp: "yesterday", value: 120, unit: "bar" },
  ],
});

let fake: FakeService;
let time: JumpingTime;
beforeEach(async () => {
  fake = await FakeService.start();
  time = new JumpingTime();
});
afterEach(() => fake.stop());

describe("a batch is sent again until it is accepted once", () => {
  const cases: [string, Scripted, string, number][] = [
    ["429 with Retry-After", { status: 429, headers: { "Retry-After": "7" } }, "429", 7000],
    ["503 with Retry-After", { status: 503, headers: { "Retry-After": "2" } }, "503", 2000],
    [
      "503 with a Retry-After of a clock that is not ours",
      {
        status: 503,
        headers: { Date: "Thu, 01 Jan 2099 00:00:00 GMT", "Retry-After": "Thu, 01 Jan 2099 00:00:07 GMT" },
      },
      "503",
      7000,
    ],
    ["503 without Retry-After", { status: 503 }, "503", 50],
    ["500", { status: 500 }, "500", 50],
    ["502", { status: 502 }, "502", 50],
    ["504", { status: 504 }, "504", 50],
    ["408", { status: 408 }, "408", 50],
    ["409 while the key is in flight", { status: 409, headers: { "Retry-After": "1" } }, "409", 1000],
    ["a connection lost before the work", "drop", "connection", 50],
    ["a connection lost after the work", "drop-after", "connection", 50],
  ];
  test.each(cases)("after %s", async (_name, scripted, why, waited_ms) => {
    fake.script("ingest", scripted);
    const client = clientOf(fake.url, time);
    const acceptance = await client.send(BATCH, { idempotency_key: "key-1", label: "batch 1" });
    expect(fake.jobs.size).toBe(1);
    expect(fake.jobs.has(acceptance.job_id)).toBe(true);
    expect(time.slept).toEqual([waited_ms]);
    expect(Object.fromEntries(client.retries)).toEqual({ [why]: 1 });
    const keys = fake.requests.filter((r) => r.route === "ingest").map((r) => r.headers["idempotency-key"]);
    expect(keys).toEqual(["key-1", "key-1"]);
    expect(acceptance.replayed).toBe(scripted === "drop-after");
  });

  test("waits grow up to their bound", async () => {
    fake.script("ingest", ...Array.from({ length: 6 }, () => ({ status: 500 })));
    await clientOf(fake.url, time).send(BATCH, { idempotency_key: "key-1", label: "batch 1" });
    expect(time.slept).toEqual([50, 100, 200, 400, 500, 500]);
  });

  test("an attempt without an answer ends at its timeout", async () => {
    fake.script("ingest", "hang");
    const client = clientOf(fake.url, time, { attempt_timeout_ms: 100 });
    await client.send(BATCH, { idempotency_key: "key-1", label: "batch 1" });
    // A slow machine may need more attempts of this length, for nothing else.
    expect([...client.retries.keys()]).toEqual(["timeout"]);
    expect(fake.jobs.size).toBe(1);
  });
});

describe("retries end", () => {
  test("at the deadline, with the number of attempts and the last cause", async () => {
    fake.script("ingest", ...Array.from({ length: 50 }, () => ({ status: 503 })));
    const error = await refusalOf(
      clientOf(fake.url, time, { deadline_ms: 3000 }).send(BATCH, { idempotency_key: "k", label: "batch 9" }),
    );
    expect(error).toBeInstanceOf(RetriesExhaustedError);
    expect(error).toMatchObject({ last: "503" });
    expect(time.elapsed_ms).toBeLessThan(3000);
    expect((error as RetriesExhaustedError).attempts).toBe(fake.count("ingest"));
  });

  test("at once when Retry-After points beyond the deadline", async () => {
    fake.script("ingest", { status: 429, headers: { "Retry-After": "61" } });
    const error = await refusalOf(
      clientOf(fake.url, time).send(BATCH, { idempotency_key: "k", label: "batch 1" }),
    );
    expect(error).toBeInstanceOf(RetriesExhaustedError);
    expect(time.slept).toEqual([]);
  });

  test("when an answer never ends: it is not read into memory", async () => {
    let sent_bytes = 0;
    const chunk = new Uint8Array(1 << 20);
    using endless = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () =>
        new Response(
          new ReadableStream({
            pull: (controller) => {
              sent_bytes += chunk.byteLength;
              controller.enqueue(chunk);
            },
          }),
        ),
    });
    const once = { deadline_ms: 20_000, first_backoff_ms: 1e9, max_backoff_ms: 1e9 };
    const client = clientOf(endless.url.origin, time, once);
    const error = await refusalOf(client.send(BATCH, { idempotency_key: "k", label: "batch 1" }));
    expect(error).toBeInstanceOf(RetriesExhaustedError);
    expect(String(error.cause)).toContain("longer than 16777216 bytes");
    expect(sent_bytes).toBeLessThan(10 * 16_777_216);
  });

  test("when nothing listens", async () => {
    await fake.stop();
    const error = await refusalOf(clientOf(fake.url, time).login());
    expect(error).toMatchObject({ name: "RetriesExhaustedError", last: "connection" });
    expect((error as Error).cause).toBeInstanceOf(Error);
    fake = await FakeService.start();
  });

  test.each([400, 403, 404, 413, 415, 422])("at once with %d, whose problem is told", async (status) => {
    const body = {
      title: "Wrong",
      detail: "look here",
      errors: [{ pointer: "/readings", detail: "too many" }],
    };
    fake.script("ingest", { status, body });
    const error = await refusalOf(
      clientOf(fake.url, time).send(BATCH, { idempotency_key: "k", label: "batch 1" }),
    );
    expect(error).toBeInstanceOf(RequestRefusedError);
    expect((error as Error).message).toBe(
      `batch 1 was refused with ${status}: look here; /readings: too many`,
    );
    expect(fake.count("ingest")).toBe(1);
  });

  test("when the signal fires during a request", async () => {
    fake.script("ingest", "hang");
    const stop = new AbortController();
    const sending = refusalOf(
      clientOf(fake.url, time).send(BATCH, { idempotency_key: "k", label: "batch 1", signal: stop.signal }),
    );
    await until("the request arrives", () => fake.count("ingest") === 1);
    stop.abort();
    expect(await sending).toBeInstanceOf(StoppedError);
  });

  test("with an answer that is not what the API promises", async () => {
    for (const body of ["<html>", { job: 1 }, null]) {
      fake.script("ingest", { status: 202, body });
      const error = await refusalOf(
        clientOf(fake.url, time).send(BATCH, { idempotency_key: "k", label: "batch 1" }),
      );
      expect(error).toBeInstanceOf(UnexpectedAnswerError);
    }
  });
});

describe("the token", () => {
  test("is asked for once by requests at the same time", async () => {
    const client = clientOf(fake.url, time);
    await Promise.all(
      ["a", "b", "c"].map((key) => client.send(BATCH, { idempotency_key: key, label: "batch" })),
    );
    expect(fake.count("login")).toBe(1);
  });

  test("is renewed before it expires", async () => {
    const client = clientOf(fake.url, time);
    await client.login();
    time.elapsed_ms = 3_539_000;
    await client.login();
    expect(fake.count("login")).toBe(1);
    time.elapsed_ms = 3_541_000;
    await client.login();
    expect(fake.count("login")).toBe(2);
  });

  test("is renewed once after a 401, and the batch is sent again", async () => {
    const client = clientOf(fake.url, time);
    await client.login();
    fake.revokeTokens();
    await Promise.all(
      ["a", "b", "c"].map((key) => client.send(BATCH, { idempotency_key: key, label: "batch" })),
    );
    expect(fake.count("login")).toBe(2);
    expect(fake.jobs.size).toBe(3);
  });

  test("that is refused although it is new ends the request", async () => {
    fake.script("ingest", { status: 401 }, { status: 401 });
    const error = await refusalOf(
      clientOf(fake.url, time).send(BATCH, { idempotency_key: "k", label: "batch 1" }),
    );
    expect(error).toMatchObject({ name: "RequestRefusedError", status: 401 });
    expect(fake.count("login")).toBe(2);
  });

  test("is not given for a wrong password, and that is not tried again", async () => {
    const client = clientOf(fake.url, time, {}, { username: "feeder-1", password: "wrong" });
    expect(await refusalOf(client.login())).toBeInstanceOf(LoginRefusedError);
    expect(fake.count("login")).toBe(1);
  });

  test("is waited for when logins are throttled", async () => {
    fake.script("login", { status: 429, headers: { "Retry-After": "30" } });
    await clientOf(fake.url, time).login();
    expect(time.slept).toEqual([30_000]);
  });
});

describe("a job is followed to its end", () => {
  test("through its states, with its counts and the reasons of what was refused", async () => {
    const client = clientOf(fake.url, time);
    const { job_id } = await client.send(BATCH, { idempotency_key: "k", label: "batch 1" });
    const job = await client.waitForJob(job_id, { deadline_ms: 10_000 });
    expect(job).toMatchObject({ status: "completed", total_readings: 2, inserted_readings: 1 });
    const page = await client.quarantinePage(job_id);
    expect(page.counts).toEqual({ invalid_timestamp: 1 });
    expect(page.items.map((item) => item.ordinal)).toEqual([1]);
  });

  test("or to the deadline", async () => {
    await fake.stop();
    fake = await FakeService.start({ polls_until_done: 1_000_000 });
    const client = clientOf(fake.url, time);
    const { job_id } = await client.send(BATCH, { idempotency_key: "k", label: "batch 1" });
    const error = await refusalOf(client.waitForJob(job_id, { deadline_ms: 5000 }));
    expect(error).toBeInstanceOf(JobDeadlineError);
    expect(error).toMatchObject({ job_id, status: "processing" });
    expect(time.elapsed_ms).toBeLessThanOrEqual(5000);
  });
});

describe("Retry-After is read as RFC 9110 has it", () => {
  const now_ms = Date.UTC(2026, 0, 1);
  test.each([
    ["0", 0],
    ["120", 120_000],
    [" 3 ", 3000],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
    ["-1", 0],
    ["1.5", 0],
    ["soon", 0],
    ["", 0],
    [null, 0],
  ])("%p is %d ms", (header, expected_ms) => {
    expect(parseRetryAfter_ms(header, now_ms)).toBe(expected_ms);
  });
});
