/** Batches that wait in memory: what is sent when, what is tried again, and what is given up. */
import { describe, expect, test } from "bun:test";
import { NotAcceptedError } from "../../../src/client/index.ts";
import { clientOf, readingAt, readingsFrom, refusalOf, SYSTEM } from "../../support/client.ts";
import { numberOf, useClient } from "../../support/client-suite.ts";
import { until } from "../../support/until.ts";

const on = useClient();

describe("a batch is sent", () => {
  test("when it has enough readings", async () => {
    on.start({ batch: { max_readings: 3 } });
    for (let i = 0; i < 7; i += 1) await on.client.write(readingAt(i));
    await on.batchesSent(2);
    expect(on.batches()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  test("when it has enough bytes", async () => {
    on.start({ batch: { max_bytes: 1024 } });
    await on.client.writeMany(readingsFrom(0, 20));
    await on.batchesSent(2);
    expect(on.batches()[0]).toHaveLength(8);
    expect(on.fake.requests.at(-1)!.body.length).toBeLessThan(1024 + 100);
  });

  test("when its first reading has waited long enough, and not earlier", async () => {
    on.start({ batch: { max_age_ms: 500 } });
    await on.client.write(readingAt(0));
    await until("it waits", () => on.time.asleep.length === 1);
    on.time.advance(300);
    await on.client.write(readingAt(1));
    expect(on.time.asleep).toEqual([200]);
    on.time.advance(200);
    await on.batchesSent(1);
    expect(on.batches()).toEqual([[0, 1]]);
  });

  test("when it is flushed, and flush is over when it is acknowledged", async () => {
    on.start();
    await on.client.writeMany(readingsFrom(0, 3));
    await on.client.flush();
    expect(on.batches()).toEqual([[0, 1, 2]]);
    expect(on.fake.stored.size).toBe(3);
    expect(on.client.buffered_bytes).toBe(0);
  });

  test("whole, as the readings were when they were written", async () => {
    on.start();
    const reading = { ...readingAt(0), timestamp: new Date(Date.UTC(2026, 0, 1)), quality: 80 };
    await on.client.write(reading);
    reading.value = -1;
    reading.timestamp.setTime(0);
    await on.client.flush();
    const sent = JSON.parse(on.fake.requests.at(-1)!.body);
    const expected = { ...readingAt(0), quality: 80 };
    expect(sent).toEqual({ system_id: SYSTEM, readings: [expected] });
  });

  test("not larger than a request may be, however many readings come at once", async () => {
    on.start();
    await on.client.writeMany(readingsFrom(0, 12_000));
    await on.client.flush();
    expect(on.batches().map(({ length }) => length)).toEqual([5000, 5000, 2000]);
    expect(on.fake.stored.size).toBe(12_000);
  });

  test("again under its own key when its answer is lost", async () => {
    on.fake.script("ingest", "drop-after");
    const live = clientOf(on.fake.url);
    await live.write(readingAt(0));
    await live.flush();
    const keys = on.fake.requests
      .filter((r) => r.route === "ingest")
      .map((r) => r.headers["idempotency-key"]);
    expect(keys.length).toBeGreaterThan(1);
    expect(new Set(keys).size).toBe(1);
    expect(on.fake.jobs.size).toBe(1);
    await live.close();
  });

  test("compressed from a size on, unless that is not wanted", async () => {
    const encodings = () =>
      on.fake.requests.filter((r) => r.route === "ingest").map((r) => r.headers["content-encoding"]);
    on.start();
    await on.client.writeMany(readingsFrom(0, 3));
    await on.client.flush();
    await on.client.writeMany(readingsFrom(3, 20));
    await on.client.flush();
    expect(encodings()).toEqual([undefined, "gzip"]);
    await on.client.close();
    on.start({ compression: "none" });
    await on.client.writeMany(readingsFrom(30, 20));
    await on.client.flush();
    expect(encodings().at(-1)).toBeUndefined();
    expect(on.fake.stored.size).toBe(43);
  });
});

describe("while batches cannot be sent", () => {
  test("readings gather to full batches, so that few requests bring them", async () => {
    on.fake.script("ingest", "hang");
    on.start({ batch: { max_age_ms: 10, max_readings: 50 } });
    await on.client.write(readingAt(0));
    on.time.advance(10);
    await on.batchesSent(1);
    for (let i = 1; i <= 120; i += 1) {
      await on.client.write(readingAt(i));
      on.time.advance(10);
    }
    expect(on.fake.count("ingest")).toBe(1);
    on.fake.release();
    await until("the rest is sent", () => on.fake.stored.size === 121);
    expect(
      on
        .batches()
        .slice(1)
        .map(({ length }) => length),
    ).toEqual([50, 50, 20]);
  });

  test.each(["RateLimit", "RateLimit-Readings"])(
    "a used-up budget (%s) is left alone until it is filled",
    async (name) => {
      on.fake.limitHeaders = { [`${name}-Remaining`]: "0", [`${name}-Reset`]: "40" };
      on.start({ batch: { max_age_ms: 10 } });
      await on.client.write(readingAt(0));
      on.time.advance(10);
      await until("the first is in", () => on.fake.stored.size === 1);
      await until("nothing is under way", () => on.client.buffered_bytes === 0);
      await on.client.write(readingAt(1));
      await until("it waits for the budget", () => on.time.asleep.includes(40_000));
      on.time.advance(39_999);
      expect(on.fake.count("ingest")).toBe(1);
      on.time.advance(1);
      await on.batchesSent(2);
    },
  );

  test("a reset that is a moment, not seconds, stops the client for five minutes at most", async () => {
    const headers = { "RateLimit-Remaining": "0", "RateLimit-Reset": "1795783257" };
    on.fake.script("ingest", { status: 202, headers, body: { job_id: "j" } });
    on.start({ batch: { max_readings: 1 } });
    await on.client.writeMany(readingsFrom(0, 2));
    await until("it waits for the budget", () => on.time.asleep.includes(300_000));
    on.time.advance(300_000);
    await on.batchesSent(2);
  });

  test("Retry-After of a refusal is obeyed", async () => {
    on.fake.script("ingest", { status: 429, headers: { "Retry-After": "7" } });
    on.start({ batch: { max_readings: 1 } });
    await on.client.write(readingAt(0));
    await until("it waits", () => on.time.asleep.includes(7000));
    on.time.advance(6999);
    expect(on.fake.count("ingest")).toBe(1);
    on.time.advance(1);
    await on.batchesSent(2);
  });
});

describe("memory is bounded", () => {
  const small = { buffer: { max_bytes: 8192 }, batch: { max_readings: 5 } };

  test("a write waits for room, and goes on when batches are acknowledged", async () => {
    on.fake.script("ingest", "hang");
    on.start(small);
    let written = 0;
    const writing = (async () => {
      for (; written < 200; written += 1) await on.client.write(readingAt(written));
    })();
    await until("a batch is under way", () => on.fake.count("ingest") === 1);
    const stuck = written;
    expect(stuck).toBeLessThan(60);
    expect(on.client.buffered_bytes).toBeLessThanOrEqual(8192);
    on.fake.release();
    await writing;
    await on.client.flush();
    expect(on.fake.stored.size).toBe(200);
  });

  test("or is refused at once, if that is wanted; what was taken is sent", async () => {
    on.fake.script("ingest", "hang");
    on.start({ ...small, buffer: { max_bytes: 8192, when_full: "throw" } });
    let taken = 0;
    const error = await refusalOf(
      (async () => {
        for (; ; taken += 1) await on.client.write(readingAt(taken));
      })(),
    );
    expect(error).toMatchObject({ name: "BufferFullError" });
    await on.batchesSent(1);
    on.fake.release();
    await on.client.flush();
    expect(on.fake.stored.size).toBe(taken);
  });

  test("also against writes that nobody waits for", async () => {
    on.fake.script("ingest", "hang");
    on.start({ ...small, buffer: { max_bytes: 8192, max_waiting: 10 } });
    const outcomes = Promise.allSettled(Array.from({ length: 500 }, (_, i) => on.client.write(readingAt(i))));
    await on.batchesSent(1);
    on.fake.release();
    await on.client.flush();
    const settled = await outcomes;
    const taken = settled.filter(({ status }) => status === "fulfilled").length;
    const refused = settled.find(({ status }) => status === "rejected") as PromiseRejectedResult;
    expect(refused.reason.message).toContain("10 writes wait for room");
    expect(taken).toBeLessThan(100);
    expect(on.fake.stored.size).toBe(taken);
  });

  test("a reading that never fits is refused by itself", async () => {
    on.start(small);
    const error = await refusalOf(on.client.write({ ...readingAt(0), unit: "x".repeat(9000) }));
    expect(error.message).toContain("never fit");
    await on.client.write(readingAt(1));
    await on.client.flush();
    expect(on.fake.stored.size).toBe(1);
  });
});

describe("what the service refuses for good", () => {
  test.each([400, 415, 422])("with %d is told, and does not hold up what is behind", async (status) => {
    on.fake.script("ingest", { status, body: { type: "/problems/x", title: "Wrong", detail: "look here" } });
    const refused: unknown[] = [];
    on.start({
      batch: { max_readings: 2 },
      onRefused: (batch, error, readings) =>
        refused.push([batch.readings, error.status, readings().map(numberOf)]),
    });
    await on.client.writeMany(readingsFrom(0, 4));
    const error = await refusalOf(on.client.flush());
    expect(error).toBeInstanceOf(NotAcceptedError);
    expect(error).toMatchObject({ batches: 1, readings: 2 });
    expect(error.message).toContain("look here");
    expect(refused).toEqual([[2, status, [0, 1]]]);
    expect(on.batches()).toEqual([
      [0, 1],
      [2, 3],
    ]);
    await on.client.flush();
  });

  test("because it is too large is sent in halves", async () => {
    on.fake.script("ingest", { status: 413 }, { status: 413 });
    on.start();
    await on.client.writeMany(readingsFrom(0, 8));
    await on.client.flush();
    expect(on.batches()).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [0, 1, 2, 3],
      [0, 1],
      [2, 3],
      [4, 5, 6, 7],
    ]);
    expect(on.fake.jobs.size).toBe(3);
  });

  test("because it is more than a minute's budget is sent in halves too", async () => {
    const headers = { "Retry-After": "60", "RateLimit-Readings-Limit": "5" };
    on.fake.script("ingest", { status: 429, headers });
    on.start();
    await on.client.writeMany(readingsFrom(0, 8));
    await on.client.flush();
    expect(on.batches().map(({ length }) => length)).toEqual([8, 4, 4]);
  });

  test("even as a single reading, ends", async () => {
    on.fake.script("ingest", { status: 413 });
    on.start({ onProblem: () => undefined });
    await on.client.write(readingAt(0));
    expect(await refusalOf(on.client.flush())).toBeInstanceOf(NotAcceptedError);
    expect(on.fake.count("ingest")).toBe(1);
  });
});

describe("what only people can change", () => {
  test("is told by flush at once, loses nothing, and is tried again", async () => {
    const problems: string[] = [];
    on.start({
      auth: { username: "feeder-9", password: "new" },
      onProblem: ({ name }) => problems.push(name),
    });
    await on.client.write(readingAt(0));
    expect(await refusalOf(on.client.flush())).toMatchObject({ name: "LoginRefusedError" });
    expect(problems).toEqual(["LoginRefusedError"]);
    on.fake.addUser("feeder-9", "new");
    await on.client.flush();
    expect(on.fake.stored.size).toBe(1);
  });

  test.each([204, 302, 400, 402, 407, 421, 451])(
    "a %d that is not the service's own word holds the readings back, instead of setting them aside",
    async (status) => {
      on.fake.script("ingest", { status, body: "a gateway's page" }, { status, body: "a gateway's page" });
      const refused: number[] = [];
      on.start({ onProblem: () => undefined, onRefused: (_, error) => refused.push(error.status) });
      await on.client.write(readingAt(0));
      await refusalOf(on.client.flush());
      await on.client.flush().catch(() => undefined);
      await on.client.flush();
      expect(on.fake.stored.size).toBe(1);
      expect(refused).toEqual([]);
    },
  );

  test.each([403, 404])("an account that may not (%d) keeps its readings for later", async (status) => {
    on.fake.script("ingest", { status }, { status });
    on.start({ onProblem: () => undefined });
    await on.client.write(readingAt(0));
    expect(await refusalOf(on.client.flush())).toMatchObject({ name: "RequestRefusedError", status });
    await until("it pauses", () => on.time.asleep.includes(20));
    on.time.advance(20);
    await on.batchesSent(2);
    await until("it pauses again", () => on.time.asleep.includes(20));
    on.time.advance(20);
    await until("it is in", () => on.fake.stored.size === 1);
  });

  test("is a warning of the process where nobody listens", async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on("warning", listen);
    try {
      on.start({ auth: { username: "nobody", password: "x" } });
      await on.client.write(readingAt(0));
      await refusalOf(on.client.flush());
      await until("it warns", () => warnings.length === 1);
      expect(warnings[0]!.message).toContain('refuses the login of "nobody"');
    } finally {
      process.off("warning", listen);
    }
  });
});

test("several batches are under way at a time, if that is wanted, and memory is given back", async () => {
  on.fake.script("ingest", "hang", "hang", "hang");
  on.start({ concurrency: 3, batch: { max_readings: 1 } });
  await on.client.writeMany(readingsFrom(0, 10));
  await on.batchesSent(3);
  on.fake.release();
  await on.client.flush();
  expect(on.fake.stored.size).toBe(10);
  expect(on.client.buffered_bytes).toBe(0);
});
