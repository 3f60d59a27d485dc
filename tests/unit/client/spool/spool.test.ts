import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ClientOptions,
  type HydraulicClient,
  NotAcceptedError,
  type Reading,
  type SpoolOptions,
} from "../../../../src/client/index.ts";
import { SpoolFolder } from "../../../../src/client/spool/folder.ts";
import { Segment } from "../../../../src/client/spool/segment.ts";
import { clientOf, readingAt, readingsFrom, refusalOf, SYSTEM } from "../../../support/client.ts";
import { FakeService } from "../../../support/fake-service.ts";
import { until } from "../../../support/until.ts";

const NOBODY = "http://127.0.0.1:9";
/** Batches of ten, however slowly they are written. */
const TENS = { max_readings: 10, max_age_ms: 1e9 };

let fake: FakeService;
let folder: string;
const clients: HydraulicClient[] = [];
beforeEach(async () => {
  fake = await FakeService.start();
  folder = await mkdtemp(join(tmpdir(), "hydraulic-spool-"));
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close({ deadline_ms: 0 });
  await fake.stop();
  await rm(folder, { recursive: true });
});

function open(
  url: string,
  spool: Partial<SpoolOptions> = {},
  options: Partial<ClientOptions> = {},
): HydraulicClient {
  const client = clientOf(url, { spool: { folder, ...spool }, ...options });
  clients.push(client);
  return client;
}

/** A client that wrote batches of ten while nothing listened, and ended. */
async function leave(readings: number, spool: Partial<SpoolOptions> = {}): Promise<void> {
  const client = open(NOBODY, spool, { batch: TENS });
  for (let i = 0; i < readings; i += 1) await client.write(readingAt(i));
  await client.close({ deadline_ms: 0 });
}

const files = (name: string) => readdir(join(folder, name)).then((names) => names.sort());

async function folderBytes(): Promise<number> {
  let sum = 0;
  for (const name of ["segments", "rejected", "damaged"]) {
    for (const file of await files(name)) sum += (await stat(join(folder, name, file))).size;
  }
  return sum;
}

function sentNumbers(): number[] {
  return fake.requests
    .filter(({ route }) => route === "ingest")
    .flatMap(({ body }) => (JSON.parse(body) as { readings: Reading[] }).readings)
    .map(({ timestamp }) => Date.parse(String(timestamp)) - Date.UTC(2026, 0, 1));
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("readings on disk", () => {
  test("are sent in order by the next client, and leave nothing behind", async () => {
    await leave(95, { segment_bytes: 4096 });
    expect((await files("segments")).length).toBeGreaterThan(2);
    const client = open(fake.url);
    await client.flush();
    expect(sentNumbers()).toEqual(upTo(95));
    expect(await files("segments")).toEqual([]);
    expect(client.buffered_bytes).toBe(0);
  });

  test("go out without a write or a flush", async () => {
    await leave(5);
    open(fake.url);
    await until("all are in", () => fake.stored.size === 5);
  });

  test("come before those that are written now", async () => {
    await leave(15);
    const client = open(fake.url, {}, { batch: TENS });
    await client.writeMany(readingsFrom(15, 10));
    await client.flush();
    expect(sentNumbers()).toEqual(upTo(25));
  });

  test("keep batch and key over clients, so that what was sent before is known to the service", async () => {
    const first = open(fake.url, {}, { batch: TENS, retry: { attempt_timeout_ms: 60_000 } });
    fake.script("ingest", "hang");
    for (let i = 0; i < 25; i += 1) await first.write(readingAt(i));
    await until("the first batch is under way", () => fake.count("ingest") === 1);
    await first.close({ deadline_ms: 0 });
    fake.release();
    await until("it is in, unheard", () => fake.jobs.size === 1);
    const second = open(fake.url, {}, { batch: { max_readings: 3 } });
    await second.flush();
    expect(fake.count("ingest")).toBe(4);
    expect(fake.jobs.size).toBe(3);
    expect(fake.stored.size).toBe(25);
  });

  test("are not sent again once they were acknowledged, although their file is still there", async () => {
    await leave(30);
    fake.script("ingest", { status: 202, body: { job_id: "a" } }, "hang");
    const first = open(fake.url);
    await until("the second batch is under way", () => fake.count("ingest") === 2);
    await first.close({ deadline_ms: 0 });
    expect(await files("segments")).toHaveLength(1);
    fake.requests.length = 0;
    await open(fake.url).flush();
    expect(sentNumbers()).toEqual(upTo(30).slice(10));
  });

  test("survive a progress that is lost or damaged: their keys make that harmless", async () => {
    await leave(30);
    fake.script("ingest", { status: 503, headers: { "Retry-After": "0" } });
    const first = open(fake.url, {}, { concurrency: 1 });
    await until("some are in", () => fake.stored.size >= 10);
    await first.close({ deadline_ms: 0 });
    await writeFile(join(folder, "progress"), "rubbish");
    await open(fake.url).flush();
    expect(fake.stored.size).toBe(30);
    expect(fake.jobs.size).toBe(3);
  });

  test.each(["always", "never"] as const)("with fsync %s", async (fsync) => {
    await leave(25, { fsync });
    await open(fake.url, { fsync }).flush();
    expect(fake.stored.size).toBe(25);
  });

  test("written by many at once are all there", async () => {
    const client = open(fake.url, { segment_bytes: 4096 }, { batch: { max_readings: 7 }, concurrency: 3 });
    await Promise.all(upTo(400).map((i) => client.write(readingAt(i))));
    await client.writeMany(readingsFrom(400, 300));
    await client.flush();
    expect(fake.stored.size).toBe(700);
    expect(await files("segments")).toEqual([]);
  });
});

describe("the end of a file that a crash left", () => {
  test.each([1, 5, 12, 20, 60])("is cut by %d bytes, and everything before it is sent", async (cut) => {
    await leave(25);
    const [name] = await files("segments");
    const path = join(folder, "segments", name!);
    await truncate(path, (await stat(path)).size - cut);
    const problems: Error[] = [];
    const client = open(fake.url, {}, { onProblem: (error) => problems.push(error) });
    await client.flush();
    const sent = sentNumbers();
    expect(sent).toEqual(upTo(sent.length));
    expect(sent.length).toBeGreaterThanOrEqual(24);
    expect(problems).toEqual([]);
    await client.write(readingAt(100));
    await client.flush();
    expect(fake.stored.size).toBe(sent.length + 1);
  });

  test("may be a file without its first bytes", async () => {
    await leave(5);
    await writeFile(join(folder, "segments", "0000000000000009.seg"), "HYS");
    await open(fake.url).flush();
    expect(fake.stored.size).toBe(5);
    expect(await files("segments")).toEqual([]);
  });
});

describe("a damaged segment", () => {
  async function damageSecond(): Promise<string> {
    await leave(95, { segment_bytes: 4096 });
    const [, second] = await files("segments");
    const path = join(folder, "segments", second!);
    const bytes = await readFile(path);
    bytes[bytes.indexOf('"bar"', Math.floor(bytes.length / 2))]! ^= 0xff;
    await writeFile(path, bytes);
    return second!;
  }

  test("in the middle is set aside and told; whole batches of it and all others are sent", async () => {
    const name = await damageSecond();
    const problems: Error[] = [];
    const client = open(fake.url, {}, { onProblem: (error) => problems.push(error) });
    await client.flush();
    await until("it is told", () => problems.length === 1);
    expect(problems[0]).toMatchObject({ name: "SpoolDamagedError", file: join(folder, "damaged", name) });
    expect(await files("damaged")).toEqual([name]);
    expect(await files("segments")).toEqual([]);
    const sent = sentNumbers();
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    expect(sent.length).toBe(94);
    expect(client.buffered_bytes).toBe((await stat(join(folder, "damaged", name))).size);
  });

  test("that is damaged after it was looked at is found when its batch is read", async () => {
    const client = open(NOBODY, {}, { batch: TENS, onProblem: () => undefined });
    await client.writeMany(readingsFrom(0, 30));
    const [name] = await files("segments");
    const path = join(folder, "segments", name!);
    const bytes = await readFile(path);
    bytes[bytes.length - 100]! ^= 0xff;
    await writeFile(path, bytes);
    await client.close({ deadline_ms: 0 });
    const next = open(fake.url, {}, { onProblem: () => undefined });
    await next.flush();
    expect(sentNumbers()).toEqual(upTo(20));
    expect(await files("damaged")).toEqual([name!]);
  });

  test("that somebody deleted is told, and holds up nothing behind it", async () => {
    await leave(95, { segment_bytes: 4096 });
    const problems: Error[] = [];
    const client = open(fake.url, {}, { onProblem: (error) => problems.push(error) });
    await rm(join(folder, "segments", (await files("segments"))[1]!));
    await client.flush();
    const sent = sentNumbers();
    expect(sent.slice(-5)).toEqual(upTo(95).slice(-5));
    expect(sent.length).toBeLessThan(95);
    await until("it is told", () => problems.length > 0);
    expect(problems[0]).toMatchObject({ name: "SpoolDamagedError" });
    expect(await files("segments")).toEqual([]);
  });

  test("at the very end does not stop flush or what is written next", async () => {
    await leave(20);
    const [name] = await files("segments");
    await appendFile(join(folder, "segments", name!), Buffer.alloc(64));
    const client = open(fake.url, {}, { onProblem: () => undefined });
    await client.flush();
    await client.write(readingAt(20));
    await client.flush();
    expect(sentNumbers()).toEqual(upTo(21));
    expect(await files("damaged")).toEqual([name!]);
  });
});

describe("a full disk", () => {
  const full = () => Promise.reject(Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" }));
  /** Until the test is over. */
  const spies: { mockRestore(): void }[] = [];
  afterEach(() => {
    for (const spy of spies.splice(0)) spy.mockRestore();
  });

  test("that does not take the progress holds nothing up, and is told once", async () => {
    await leave(50);
    const spy = spyOn(SpoolFolder.prototype, "writeProgress");
    spies.push(
      spy.mockImplementation(() => {
        throw new Error("ENOSPC: no space left");
      }),
    );
    const problems: string[] = [];
    const client = open(fake.url, {}, { onProblem: ({ name }) => problems.push(name) });
    await client.flush();
    expect(sentNumbers()).toEqual(upTo(50));
    expect(problems).toEqual(["SpoolWriteError"]);
  });

  test("is drained of all that was taken, also of a batch that there is no room to end", async () => {
    const client = open(NOBODY, {}, { batch: TENS });
    for (let i = 0; i < 25; i += 1) await client.write(readingAt(i));
    await client.close({ deadline_ms: 0 });
    const next = open(fake.url, {}, { batch: TENS });
    for (let i = 25; i < 32; i += 1) await next.write(readingAt(i));
    spies.push(spyOn(Segment.prototype, "append").mockImplementation(full));
    expect(await refusalOf(next.write(readingAt(99)))).toMatchObject({ name: "SpoolWriteError" });
    await next.flush();
    expect(sentNumbers()).toEqual(upTo(32));
    expect(await files("segments")).toEqual([]);
    spies.pop()?.mockRestore();
    await next.write(readingAt(32));
    await next.flush();
    expect(sentNumbers()).toEqual(upTo(33));
  });

  test("gives a batch that it could not end the same key after a crash", async () => {
    fake.script("ingest", "hang");
    const client = open(fake.url, {}, { batch: { max_age_ms: 1e9 } });
    for (let i = 0; i < 5; i += 1) await client.write(readingAt(i));
    spies.push(spyOn(Segment.prototype, "append").mockImplementation(full));
    const flushed = refusalOf(client.flush());
    await until("it is under way", () => fake.count("ingest") === 1);
    await client.close({ deadline_ms: 0 });
    await flushed;
    await open(fake.url).flush();
    const keys = fake.requests.filter(({ route }) => route === "ingest").map(({ headers }) => headers);
    expect(keys).toHaveLength(2);
    expect(keys[0]!["idempotency-key"]).toBe(keys[1]!["idempotency-key"]);
  });
});

describe("the bound of the folder", () => {
  const tight = { max_bytes: 20_000, segment_bytes: 4096 };

  test("refuses new readings and keeps old ones; there is room again when some were sent", async () => {
    const client = open(NOBODY, tight, { buffer: { when_full: "throw" }, batch: TENS });
    let taken = 0;
    const error = await refusalOf(
      (async () => {
        for (; ; taken += 1) await client.write(readingAt(taken));
      })(),
    );
    expect(error).toMatchObject({ name: "BufferFullError" });
    expect(error.message).toContain(`the spool ${folder} is full`);
    expect(await folderBytes()).toBeLessThanOrEqual(tight.max_bytes + 100);
    expect(client.buffered_bytes).toBe(await folderBytes());
    await client.close({ deadline_ms: 0 });

    const next = open(fake.url, tight, { buffer: { when_full: "wait" } });
    await next.writeMany(readingsFrom(taken, 200));
    await next.flush();
    expect(sentNumbers()).toEqual(upTo(taken + 200));
    expect(await files("segments")).toEqual([]);
  });

  test("is no dead end for a batch that has only begun", async () => {
    const client = open(
      fake.url,
      { max_bytes: 16_384 },
      { batch: { max_readings: 10_000, max_age_ms: 1e9 } },
    );
    for (let i = 0; i < 200; i += 1) await client.write(readingAt(i));
    await client.flush();
    expect(fake.stored.size).toBe(200);
  });

  test("counts what was refused, says so, and looks again when people cleared it away", async () => {
    fake.script("ingest", ...Array.from({ length: 100 }, () => ({ status: 400 })));
    const client = open(fake.url, tight, { batch: TENS, onRefused: () => undefined });
    const error = await refusalOf(
      (async () => {
        for (let i = 0; i < 400; i += 1) await client.write(readingAt(i));
      })(),
    );
    expect(error.message).toContain("full of refused batches and damaged files");
    expect(client.buffered_bytes).toBeLessThan(tight.max_bytes + 2 * 2000);
    await refusalOf(client.flush());
    await rm(join(folder, "rejected"), { recursive: true });
    await client.close();
    fake.requests.length = 0;
    const next = open(fake.url, tight, { onRefused: () => undefined });
    await next.write(readingAt(1000));
    await refusalOf(next.flush());
  });
});

describe("a batch that is refused for good", () => {
  test("is kept for people with the reason, and what is behind it is sent", async () => {
    await leave(30);
    fake.script("ingest", { status: 422, body: { type: "/problems/x", title: "No", detail: "look here" } });
    const client = open(fake.url, {}, { onProblem: () => undefined });
    expect(await refusalOf(client.flush())).toBeInstanceOf(NotAcceptedError);
    expect(fake.stored.size).toBe(20);
    const [name] = await files("rejected");
    const kept = JSON.parse(await readFile(join(folder, "rejected", name!), "utf8"));
    expect(kept).toMatchObject({
      idempotency_key: name!.replace(".json", ""),
      status: 422,
      problem: { type: "/problems/x", detail: "look here" },
      batch: { system_id: SYSTEM, readings: readingsFrom(0, 10) },
    });
    expect(Date.parse(kept.refused_at)).toBeGreaterThan(0);
    expect(await files("segments")).toEqual([]);
  });
});

describe("the folder", () => {
  test("belongs to one client at a time", async () => {
    const first = open(fake.url);
    expect(() => open(fake.url)).toThrow(/is used by process \d+/);
    await first.close();
    await open(fake.url).write(readingAt(0));
  });

  test("is free again when its holder is gone, also when its pid is another's now", async () => {
    const { boot, pid } = await namespaces();
    for (const holder of [`999999999 123\n${boot} ${pid}`, `${process.pid} 1\n${boot} ${pid}`, ""]) {
      await writeFile(join(folder, "lock"), holder);
      const client = open(fake.url);
      await client.close();
    }
  });

  test("of another container is free when nobody has touched its lock for long", async () => {
    await writeFile(join(folder, "lock"), "1 123\nother-boot pid:[1]");
    expect(() => open(fake.url)).toThrow(/another container/);
    const { utimes } = await import("node:fs/promises");
    const long_ago = new Date(Date.now() - 60_000);
    await utimes(join(folder, "lock"), long_ago, long_ago);
    await open(fake.url).close();
  });

  test("belongs to one system: readings never go to another", async () => {
    await leave(3);
    expect(() => open(fake.url, {}, { system_id: "550e8400-e29b-41d4-a716-446655449999" })).toThrow(
      /holds readings of system 550e8400-e29b-41d4-a716-446655440000/,
    );
    await open(fake.url).flush();
    expect(fake.stored.size).toBe(3);
  });

  test.each(["", "\0\0\0\0", "null", "[{"])(
    "whose owner a power cut made unreadable (%j) is this system's; that is told, and nothing is lost",
    async (left) => {
      await leave(3);
      await writeFile(join(folder, "spool.json"), left);
      const problems: Error[] = [];
      const client = open(fake.url, {}, { onProblem: (error) => problems.push(error) });
      await client.flush();
      expect(fake.stored.size).toBe(3);
      expect(problems.map(({ name }) => name)).toEqual(["SpoolDamagedError"]);
      expect(await files("damaged")).toHaveLength(1);
      await client.close();
      expect(JSON.parse(await readFile(join(folder, "spool.json"), "utf8"))).toEqual({
        format: 1,
        system_id: SYSTEM,
      });
    },
  );

  test("is not given up by one whose lock another took when it seemed dead", async () => {
    const first = open(fake.url);
    const others = `1 123\nother-boot pid:[1]\nnonce`;
    await writeFile(join(folder, "lock"), others);
    await first.close();
    expect(await readFile(join(folder, "lock"), "utf8")).toBe(others);
  });

  test("is free when a process died while it broke a dead one's lock", async () => {
    for (const file of ["lock", "lock.break"]) await writeFile(join(folder, file), "999999999 123\nx y\nz");
    const { utimes } = await import("node:fs/promises");
    const long_ago = new Date(Date.now() - 60_000);
    for (const file of ["lock", "lock.break"]) await utimes(join(folder, file), long_ago, long_ago);
    await open(fake.url).close();
    expect((await readdir(folder)).filter((name) => name.startsWith("lock"))).toEqual([]);
  });

  test("that cannot be made is said so", async () => {
    await writeFile(join(folder, "file"), "");
    const { SpoolWriteError } = await import("../../../../src/client/index.ts");
    expect(() => open(fake.url, { folder: join(folder, "file", "spool") })).toThrow(SpoolWriteError);
  });
});

async function namespaces(): Promise<{ boot: string; pid: string }> {
  const { readlink } = await import("node:fs/promises");
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  return { boot, pid: await readlink("/proc/self/ns/pid") };
}
