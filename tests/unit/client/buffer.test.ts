import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  type ClientOptions,
  type HydraulicClient,
  NotAcceptedError,
  type Reading,
  UnsentError,
} from "../../../src/client/index.ts";
import { clientOf, readingAt, readingsFrom, refusalOf, SYSTEM } from "../../support/client.ts";
import { FakeService } from "../../support/fake-service.ts";
import { StandingTime } from "../../support/standing-time.ts";
import { until } from "../../support/until.ts";

let fake: FakeService;
let time: StandingTime;
let client: HydraulicClient;
beforeEach(async () => {
  fake = await FakeService.start();
  time = new StandingTime();
});
afterEach(async () => {
  await client?.close({ deadline_ms: 0 }).catch(() => undefined);
  await fake.stop();
});

function start(options: Partial<ClientOptions> = {}): HydraulicClient {
  client = clientOf(fake.url, { surroundings: time, ...options });
  return client;
}

/** Batches as they came, as the numbers of their readings. */
function batches(): number[][] {
  return fake.requests
    .filter(({ route }) => route === "ingest")
    .map(({ body }) => (JSON.parse(body) as { readings: Reading[] }).readings.map(numberOf));
}

function numberOf({ timestamp }: Reading): number {
  return Date.parse(String(timestamp)) - Date.UTC(2026, 0, 1);
}

const batchesSent = (count: number) =>
  until(`${count} batches are sent`, () => fake.count("ingest") === count);

describe("a batch is sent", () => {
  test("when it has enough readings", async () => {
    start({ batch: { max_readings: 3 } });
    for (let i = 0; i < 7; i += 1) await client.write(readingAt(i));
    await batchesSent(2);
    expect(batches()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  test("when it has enough bytes", async () => {
    start({ batch: { max_bytes: 1024 } });
    await client.writeMany(readingsFrom(0, 20));
    await batchesSent(2);
    expect(batches()[0]).toHaveLength(8);
    expect(fake.requests.at(-1)!.body.length).toBeLessThan(1024 + 100);
  });

  test("when its first reading has waited long enough, and not earlier", async () => {
    start({ batch: { max_age_ms: 500 } });
    await client.write(readingAt(0));
    await until("it waits", () => time.asleep.length === 1);
    time.advance(300);
    await client.write(readingAt(1));
    expect(time.asleep).toEqual([200]);
    time.advance(200);
    await batchesSent(1);
    expect(batches()).toEqual([[0, 1]]);
  });

  test("when it is flushed, and flush is over when it is acknowledged", async () => {
    start();
    await client.writeMany(readingsFrom(0, 3));
    await client.flush();
    expect(batches()).toEqual([[0, 1, 2]]);
    expect(fake.stored.size).toBe(3);
    expect(client.buffered_bytes).toBe(0);
  });

  test("whole, as the readings were when they were written", async () => {
    start();
    const reading = { ...readingAt(0), timestamp: new Date(Date.UTC(2026, 0, 1)), quality: 80 };
    await client.write(reading);
    reading.value = -1;
    reading.timestamp.setTime(0);
    await client.flush();
    const sent = JSON.parse(fake.requests.at(-1)!.body);
    const expected = { ...readingAt(0), quality: 80 };
    expect(sent).toEqual({ system_id: SYSTEM, readings: [expected] });
  });

  test("not larger than a request may be, however many readings come at once", async () => {
    start();
    await client.writeMany(readingsFrom(0, 12_000));
    await client.flush();
    expect(batches().map(({ length }) => length)).toEqual([5000, 5000, 2000]);
    expect(fake.stored.size).toBe(12_000);
  });

  test("again under its own key when its answer is lost", async () => {
    fake.script("ingest", "drop-after");
    const live = clientOf(fake.url);
    await live.write(readingAt(0));
    await live.flush();
    const keys = fake.requests.filter((r) => r.route === "ingest").map((r) => r.headers["idempotency-key"]);
    expect(keys.length).toBeGreaterThan(1);
    expect(new Set(keys).size).toBe(1);
    expect(fake.jobs.size).toBe(1);
    await live.close();
  });

  test("compressed from a size on, unless that is not wanted", async () => {
    const encodings = () =>
      fake.requests.filter((r) => r.route === "ingest").map((r) => r.headers["content-encoding"]);
    start();
    await client.writeMany(readingsFrom(0, 3));
    await client.flush();
    await client.writeMany(readingsFrom(3, 20));
    await client.flush();
    expect(encodings()).toEqual([undefined, "gzip"]);
    await client.close();
    start({ compression: "none" });
    await client.writeMany(readingsFrom(30, 20));
    await client.flush();
    expect(encodings().at(-1)).toBeUndefined();
    expect(fake.stored.size).toBe(43);
  });
});

describe("while batches cannot be sent", () => {
  test("readings gather to full batches, so that few requests bring them", async () => {
    fake.script("ingest", "hang");
    start({ batch: { max_age_ms: 10, max_readings: 50 } });
    await client.write(readingAt(0));
    time.advance(10);
    await batchesSent(1);
    for (let i = 1; i <= 120; i += 1) {
      await client.write(readingAt(i));
      time.advance(10);
    }
    expect(fake.count("ingest")).toBe(1);
    fake.release();
    await until("the rest is sent", () => fake.stored.size === 121);
    expect(
      batches()
        .slice(1)
        .map(({ length }) => length),
    ).toEqual([50, 50, 20]);
  });

  test.each(["RateLimit", "RateLimit-Readings"])(
    "a used-up budget (%s) is left alone until it is filled",
    async (name) => {
      fake.limitHeaders = { [`${name}-Remaining`]: "0", [`${name}-Reset`]: "40" };
      start({ batch: { max_age_ms: 10 } });
      await client.write(readingAt(0));
      time.advance(10);
      await until("the first is in", () => fake.stored.size === 1);
      await until("nothing is under way", () => client.buffered_bytes === 0);
      await client.write(readingAt(1));
      await until("it waits for the budget", () => time.asleep.includes(40_000));
      time.advance(39_999);
      expect(fake.count("ingest")).toBe(1);
      time.advance(1);
      await batchesSent(2);
    },
  );

  test("a reset that is a moment, not seconds, stops the client for five minutes at most", async () => {
    const headers = { "RateLimit-Remaining": "0", "RateLimit-Reset": "1795783257" };
    fake.script("ingest", { status: 202, headers, body: { job_id: "j" } });
    start({ batch: { max_readings: 1 } });
    await client.writeMany(readingsFrom(0, 2));
    await until("it waits for the budget", () => time.asleep.includes(300_000));
    time.advance(300_000);
    await batchesSent(2);
  });

  test("Retry-After of a refusal is obeyed", async () => {
    fake.script("ingest", { status: 429, headers: { "Retry-After": "7" } });
    start({ batch: { max_readings: 1 } });
    await client.write(readingAt(0));
    await until("it waits", () => time.asleep.includes(7000));
    time.advance(6999);
    expect(fake.count("ingest")).toBe(1);
    time.advance(1);
    await batchesSent(2);
  });
});

describe("memory is bounded", () => {
  const small = { buffer: { max_bytes: 8192 }, batch: { max_readings: 5 } };

  test("a write waits for room, and goes on when batches are acknowledged", async () => {
    fake.script("ingest", "hang");
    start(small);
    let written = 0;
    const writing = (async () => {
      for (; written < 200; written += 1) await client.write(readingAt(written));
    })();
    await until("a batch is under way", () => fake.count("ingest") === 1);
    const stuck = written;
    expect(stuck).toBeLessThan(60);
    expect(client.buffered_bytes).toBeLessThanOrEqual(8192);
    fake.release();
    await writing;
    await client.flush();
    expect(fake.stored.size).toBe(200);
  });

  test("or is refused at once, if that is wanted; what was taken is sent", async () => {
    fake.script("ingest", "hang");
    start({ ...small, buffer: { max_bytes: 8192, when_full: "throw" } });
    let taken = 0;
    const error = await refusalOf(
      (async () => {
        for (; ; taken += 1) await client.write(readingAt(taken));
      })(),
    );
    expect(error).toMatchObject({ name: "BufferFullError" });
    await batchesSent(1);
    fake.release();
    await client.flush();
    expect(fake.stored.size).toBe(taken);
  });

  test("also against writes that nobody waits for", async () => {
    fake.script("ingest", "hang");
    start({ ...small, buffer: { max_bytes: 8192, max_waiting: 10 } });
    const outcomes = Promise.allSettled(Array.from({ length: 500 }, (_, i) => client.write(readingAt(i))));
    await batchesSent(1);
    fake.release();
    await client.flush();
    const settled = await outcomes;
    const taken = settled.filter(({ status }) => status === "fulfilled").length;
    const refused = settled.find(({ status }) => status === "rejected") as PromiseRejectedResult;
    expect(refused.reason.message).toContain("10 writes wait for room");
    expect(taken).toBeLessThan(100);
    expect(fake.stored.size).toBe(taken);
  });

  test("a reading that never fits is refused by itself", async () => {
    start(small);
    const error = await refusalOf(client.write({ ...readingAt(0), unit: "x".repeat(9000) }));
    expect(error.message).toContain("never fit");
    await client.write(readingAt(1));
    await client.flush();
    expect(fake.stored.size).toBe(1);
  });
});

describe("what the service refuses for good", () => {
  test.each([400, 415, 422])("with %d is told, and does not hold up what is behind", async (status) => {
    fake.script("ingest", { status, body: { type: "/problems/x", title: "Wrong", detail: "look here" } });
    const refused: unknown[] = [];
    start({
      batch: { max_readings: 2 },
      onRefused: (batch, error, readings) =>
        refused.push([batch.readings, error.status, readings().map(numberOf)]),
    });
    await client.writeMany(readingsFrom(0, 4));
    const error = await refusalOf(client.flush());
    expect(error).toBeInstanceOf(NotAcceptedError);
    expect(error).toMatchObject({ batches: 1, readings: 2 });
    expect(error.message).toContain("look here");
    expect(refused).toEqual([[2, status, [0, 1]]]);
    expect(batches()).toEqual([
      [0, 1],
      [2, 3],
    ]);
    await client.flush();
  });

  test("because it is too large is sent in halves", async () => {
    fake.script("ingest", { status: 413 }, { status: 413 });
    start();
    await client.writeMany(readingsFrom(0, 8));
    await client.flush();
    expect(batches()).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [0, 1, 2, 3],
      [0, 1],
      [2, 3],
      [4, 5, 6, 7],
    ]);
    expect(fake.jobs.size).toBe(3);
  });

  test("because it is more than a minute's budget is sent in halves too", async () => {
    const headers = { "Retry-After": "60", "RateLimit-Readings-Limit": "5" };
    fake.script("ingest", { status: 429, headers });
    start();
    await client.writeMany(readingsFrom(0, 8));
    await client.flush();
    expect(batches().map(({ length }) => length)).toEqual([8, 4, 4]);
  });

  test("even as a single reading, ends", async () => {
    fake.script("ingest", { status: 413 });
    start({ onProblem: () => undefined });
    await client.write(readingAt(0));
    expect(await refusalOf(client.flush())).toBeInstanceOf(NotAcceptedError);
    expect(fake.count("ingest")).toBe(1);
  });
});

describe("what only people can change", () => {
  test("is told by flush at once, loses nothing, and is tried again", async () => {
    const problems: string[] = [];
    start({ auth: { username: "feeder-9", password: "new" }, onProblem: ({ name }) => problems.push(name) });
    await client.write(readingAt(0));
    expect(await refusalOf(client.flush())).toMatchObject({ name: "LoginRefusedError" });
    expect(problems).toEqual(["LoginRefusedError"]);
    fake.addUser("feeder-9", "new");
    await client.flush();
    expect(fake.stored.size).toBe(1);
  });

  test.each([204, 302, 400, 402, 407, 421, 451])(
    "a %d that is not the service's own word holds the readings back, instead of setting them aside",
    async (status) => {
      fake.script("ingest", { status, body: "a gateway's page" }, { status, body: "a gateway's page" });
      const refused: number[] = [];
      start({ onProblem: () => undefined, onRefused: (_, error) => refused.push(error.status) });
      await client.write(readingAt(0));
      await refusalOf(client.flush());
      await client.flush().catch(() => undefined);
      await client.flush();
      expect(fake.stored.size).toBe(1);
      expect(refused).toEqual([]);
    },
  );

  test.each([403, 404])("an account that may not (%d) keeps its readings for later", async (status) => {
    fake.script("ingest", { status }, { status });
    start({ onProblem: () => undefined });
    await client.write(readingAt(0));
    expect(await refusalOf(client.flush())).toMatchObject({ name: "RequestRefusedError", status });
    await until("it pauses", () => time.asleep.includes(20));
    time.advance(20);
    await batchesSent(2);
    await until("it pauses again", () => time.asleep.includes(20));
    time.advance(20);
    await until("it is in", () => fake.stored.size === 1);
  });

  test("is a warning of the process where nobody listens", async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on("warning", listen);
    try {
      start({ auth: { username: "nobody", password: "x" } });
      await client.write(readingAt(0));
      await refusalOf(client.flush());
      await until("it warns", () => warnings.length === 1);
      expect(warnings[0]!.message).toContain('refuses the login of "nobody"');
    } finally {
      process.off("warning", listen);
    }
  });
});

describe("flush", () => {
  test("waits for writes that nobody waited for", async () => {
    start({ buffer: { max_bytes: 8192 }, batch: { max_readings: 5 } });
    const writes = Array.from({ length: 300 }, (_, i) => client.write(readingAt(i)));
    await client.flush();
    await Promise.all(writes);
    expect(fake.stored.size).toBe(300);
  });

  test("ends at its deadline and says what was last in the way; the readings stay", async () => {
    fake.script("ingest", ...Array.from({ length: 3 }, () => ({ status: 503 })));
    start();
    await client.write(readingAt(0));
    const flushed = refusalOf(client.flush({ deadline_ms: 1000 }));
    for (let i = 0; i < 3; i += 1) {
      await until(
        "it was refused",
        () => fake.count("ingest") === i + 1 && time.asleep.some((ms) => ms < 21),
      );
      time.advance(i === 2 ? 1000 : 20);
    }
    expect(await flushed).toMatchObject({ name: "FlushDeadlineError" });
    expect((await flushed).message).toContain("last: 503");
    await until("it is in", () => fake.stored.size === 1);
  });

  test("ends with its signal", async () => {
    fake.script("ingest", "hang");
    start();
    await client.write(readingAt(0));
    const stop = new AbortController();
    const flushed = refusalOf(client.flush({ signal: stop.signal }));
    await batchesSent(1);
    stop.abort();
    expect(await flushed).toMatchObject({ name: "AbortError" });
  });

  test("of nothing is over at once", async () => {
    await start().flush();
    expect(fake.requests).toEqual([]);
  });

  test("waits for the commit, if that is what acknowledges", async () => {
    const ended: [number, string][] = [];
    start({
      acknowledge: "committed",
      surroundings: undefined as never,
      onEnded: ({ readings }, job) => ended.push([readings, job.status]),
    });
    await client.writeMany(readingsFrom(0, 2));
    await client.flush();
    expect(ended).toEqual([[2, "completed"]]);
    expect(fake.requests.find(({ route }) => route === "ingest")!.headers.prefer).toBe("wait=10");
  });

  test("waits for the commit in one request where the service does", async () => {
    fake.answersWhenDone = true;
    const ended: string[] = [];
    start({ acknowledge: "committed", onEnded: (_, job) => ended.push(job.status) });
    await client.writeMany(readingsFrom(0, 2));
    await client.flush();
    expect(ended).toEqual(["completed"]);
    expect(fake.count("job")).toBe(0);
  });
});

describe("close", () => {
  test("sends what is buffered; afterwards nothing is taken", async () => {
    start();
    await client.writeMany(readingsFrom(0, 3));
    await client.close();
    expect(fake.stored.size).toBe(3);
    for (const late of [client.write(readingAt(9)), client.flush()]) {
      expect(await refusalOf(late)).toMatchObject({ name: "ClosedError" });
    }
    await client.close();
    expect(time.asleep).toEqual([]);
  });

  test("gives up at its deadline and says how many readings are lost, those that waited for room apart", async () => {
    fake.script("ingest", ...Array<"hang">(9).fill("hang"));
    start({ buffer: { max_bytes: 8192 }, batch: { max_readings: 5 } });
    const writes = Promise.allSettled(Array.from({ length: 100 }, (_, i) => client.write(readingAt(i))));
    await batchesSent(1);
    const closed = refusalOf(client.close({ deadline_ms: 1000 }));
    await until("it waits", () => time.asleep.includes(1000));
    time.advance(1000);
    const error = await closed;
    const taken = (await writes).filter(({ status }) => status === "fulfilled").length;
    expect(error).toBeInstanceOf(UnsentError);
    expect(error).toMatchObject({ readings: taken });
    expect(taken).toBeLessThan(100);
  });

  test("ends a flush that still waits", async () => {
    fake.script("ingest", "hang");
    start();
    await client.write(readingAt(0));
    const flushed = refusalOf(client.flush());
    await batchesSent(1);
    await refusalOf(client.close({ deadline_ms: 0 }));
    expect(await flushed).toMatchObject({ name: "ClosedError" });
  });

  test("of a client that never wrote is over at once", async () => {
    await start().close();
    expect(fake.requests).toEqual([]);
  });
});

test("several batches are under way at a time, if that is wanted, and memory is given back", async () => {
  fake.script("ingest", "hang", "hang", "hang");
  start({ concurrency: 3, batch: { max_readings: 1 } });
  await client.writeMany(readingsFrom(0, 10));
  await batchesSent(3);
  fake.release();
  await client.flush();
  expect(fake.stored.size).toBe(10);
  expect(client.buffered_bytes).toBe(0);
});
