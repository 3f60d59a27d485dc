/** The end of waiting: `flush` and `close`. */
import { describe, expect, test } from "bun:test";
import { UnsentError } from "../../../src/client/index.ts";
import { readingAt, readingsFrom, refusalOf } from "../../support/client.ts";
import { useClient } from "../../support/client-suite.ts";
import { until } from "../../support/until.ts";

const on = useClient();

describe("flush", () => {
  test("waits for writes that nobody waited for", async () => {
    on.start({ buffer: { max_bytes: 8192 }, batch: { max_readings: 5 } });
    const writes = Array.from({ length: 300 }, (_, i) => on.client.write(readingAt(i)));
    await on.client.flush();
    await Promise.all(writes);
    expect(on.fake.stored.size).toBe(300);
  });

  test("ends at its deadline and says what was last in the way; the readings stay", async () => {
    on.fake.script("ingest", ...Array.from({ length: 3 }, () => ({ status: 503 })));
    on.start();
    await on.client.write(readingAt(0));
    const flushed = refusalOf(on.client.flush({ deadline_ms: 1000 }));
    for (let i = 0; i < 3; i += 1) {
      await until(
        "it was refused",
        () => on.fake.count("ingest") === i + 1 && on.time.asleep.some((ms) => ms < 21),
      );
      on.time.advance(i === 2 ? 1000 : 20);
    }
    expect(await flushed).toMatchObject({ name: "FlushDeadlineError" });
    expect((await flushed).message).toContain("last: 503");
    await until("it is in", () => on.fake.stored.size === 1);
  });

  test("ends with its signal", async () => {
    on.fake.script("ingest", "hang");
    on.start();
    await on.client.write(readingAt(0));
    const stop = new AbortController();
    const flushed = refusalOf(on.client.flush({ signal: stop.signal }));
    await on.batchesSent(1);
    stop.abort();
    expect(await flushed).toMatchObject({ name: "AbortError" });
  });

  test("of nothing is over at once", async () => {
    await on.start().flush();
    expect(on.fake.requests).toEqual([]);
  });

  test("waits for the commit, if that is what acknowledges", async () => {
    const ended: [number, string][] = [];
    on.start({
      acknowledge: "committed",
      surroundings: undefined as never,
      onEnded: ({ readings }, job) => ended.push([readings, job.status]),
    });
    await on.client.writeMany(readingsFrom(0, 2));
    await on.client.flush();
    expect(ended).toEqual([[2, "completed"]]);
    expect(on.fake.requests.find(({ route }) => route === "ingest")!.headers.prefer).toBe("wait=10");
  });

  test("waits for the commit in one request where the service does", async () => {
    on.fake.answersWhenDone = true;
    const ended: string[] = [];
    on.start({ acknowledge: "committed", onEnded: (_, job) => ended.push(job.status) });
    await on.client.writeMany(readingsFrom(0, 2));
    await on.client.flush();
    expect(ended).toEqual(["completed"]);
    expect(on.fake.count("job")).toBe(0);
  });
});

describe("close", () => {
  test("sends what is buffered; afterwards nothing is taken", async () => {
    on.start();
    await on.client.writeMany(readingsFrom(0, 3));
    await on.client.close();
    expect(on.fake.stored.size).toBe(3);
    for (const late of [on.client.write(readingAt(9)), on.client.flush()]) {
      expect(await refusalOf(late)).toMatchObject({ name: "ClosedError" });
    }
    await on.client.close();
    expect(on.time.asleep).toEqual([]);
  });

  test("gives up at its deadline and says how many readings are lost, those that waited for room apart", async () => {
    on.fake.script("ingest", ...Array<"hang">(9).fill("hang"));
    on.start({ buffer: { max_bytes: 8192 }, batch: { max_readings: 5 } });
    const writes = Promise.allSettled(Array.from({ length: 100 }, (_, i) => on.client.write(readingAt(i))));
    await on.batchesSent(1);
    const closed = refusalOf(on.client.close({ deadline_ms: 1000 }));
    await until("it waits", () => on.time.asleep.includes(1000));
    on.time.advance(1000);
    const error = await closed;
    const taken = (await writes).filter(({ status }) => status === "fulfilled").length;
    expect(error).toBeInstanceOf(UnsentError);
    expect(error).toMatchObject({ readings: taken });
    expect(taken).toBeLessThan(100);
  });

  test("ends a flush that still waits", async () => {
    on.fake.script("ingest", "hang");
    on.start();
    await on.client.write(readingAt(0));
    const flushed = refusalOf(on.client.flush());
    await on.batchesSent(1);
    await refusalOf(on.client.close({ deadline_ms: 0 }));
    expect(await flushed).toMatchObject({ name: "ClosedError" });
  });

  test("of a client that never wrote is over at once", async () => {
    await on.start().close();
    expect(on.fake.requests).toEqual([]);
  });
});
