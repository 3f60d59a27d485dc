/** Readings that wait on disk: kept over restarts, within their bound, by one program at a time. */
import { describe, expect, test } from "bun:test";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NotAcceptedError } from "../../../../src/client/index.ts";
import { readingAt, readingsFrom, refusalOf, SYSTEM } from "../../../support/client.ts";
import { NOBODY, TENS, upTo, useSpool } from "../../../support/spool-suite.ts";
import { until } from "../../../support/until.ts";

const on = useSpool();

describe("readings on disk", () => {
  test("are sent in order by the next client, and leave nothing behind", async () => {
    await on.leave(95, { segment_bytes: 4096 });
    expect((await on.files("segments")).length).toBeGreaterThan(2);
    const client = on.open(on.fake.url);
    await client.flush();
    expect(on.sentNumbers()).toEqual(upTo(95));
    expect(await on.files("segments")).toEqual([]);
    expect(client.buffered_bytes).toBe(0);
  });

  test("go out without a write or a flush", async () => {
    await on.leave(5);
    on.open(on.fake.url);
    await until("all are in", () => on.fake.stored.size === 5);
  });

  test("come before those that are written now", async () => {
    await on.leave(15);
    const client = on.open(on.fake.url, {}, { batch: TENS });
    await client.writeMany(readingsFrom(15, 10));
    await client.flush();
    expect(on.sentNumbers()).toEqual(upTo(25));
  });

  test("keep batch and key over clients, so that what was sent before is known to the service", async () => {
    const first = on.open(on.fake.url, {}, { batch: TENS, retry: { attempt_timeout_ms: 60_000 } });
    on.fake.script("ingest", "hang");
    for (let i = 0; i < 25; i += 1) await first.write(readingAt(i));
    await until("the first batch is under way", () => on.fake.count("ingest") === 1);
    await first.close({ deadline_ms: 0 });
    on.fake.release();
    await until("it is in, unheard", () => on.fake.jobs.size === 1);
    const second = on.open(on.fake.url, {}, { batch: { max_readings: 3 } });
    await second.flush();
    expect(on.fake.count("ingest")).toBe(4);
    expect(on.fake.jobs.size).toBe(3);
    expect(on.fake.stored.size).toBe(25);
  });

  test("are not sent again once they were acknowledged, although their file is still there", async () => {
    await on.leave(30);
    on.fake.script("ingest", { status: 202, body: { job_id: "a" } }, "hang");
    const first = on.open(on.fake.url);
    await until("the second batch is under way", () => on.fake.count("ingest") === 2);
    await first.close({ deadline_ms: 0 });
    expect(await on.files("segments")).toHaveLength(1);
    on.fake.requests.length = 0;
    await on.open(on.fake.url).flush();
    expect(on.sentNumbers()).toEqual(upTo(30).slice(10));
  });

  test("survive a progress that is lost or damaged: their keys make that harmless", async () => {
    await on.leave(30);
    on.fake.script("ingest", { status: 503, headers: { "Retry-After": "0" } });
    const first = on.open(on.fake.url, {}, { concurrency: 1 });
    await until("some are in", () => on.fake.stored.size >= 10);
    await first.close({ deadline_ms: 0 });
    await writeFile(join(on.folder, "progress"), "rubbish");
    await on.open(on.fake.url).flush();
    expect(on.fake.stored.size).toBe(30);
    expect(on.fake.jobs.size).toBe(3);
  });

  test.each(["always", "never"] as const)("with fsync %s", async (fsync) => {
    await on.leave(25, { fsync });
    await on.open(on.fake.url, { fsync }).flush();
    expect(on.fake.stored.size).toBe(25);
  });

  test("written by many at once are all there", async () => {
    const client = on.open(
      on.fake.url,
      { segment_bytes: 4096 },
      { batch: { max_readings: 7 }, concurrency: 3 },
    );
    await Promise.all(upTo(400).map((i) => client.write(readingAt(i))));
    await client.writeMany(readingsFrom(400, 300));
    await client.flush();
    expect(on.fake.stored.size).toBe(700);
    expect(await on.files("segments")).toEqual([]);
  });
});

describe("the bound of the folder", () => {
  const tight = { max_bytes: 20_000, segment_bytes: 4096 };

  test("refuses new readings and keeps old ones; there is room again when some were sent", async () => {
    const client = on.open(NOBODY, tight, { buffer: { when_full: "throw" }, batch: TENS });
    let taken = 0;
    const error = await refusalOf(
      (async () => {
        for (; ; taken += 1) await client.write(readingAt(taken));
      })(),
    );
    expect(error).toMatchObject({ name: "BufferFullError" });
    expect(error.message).toContain(`the spool ${on.folder} is full`);
    expect(await on.folderBytes()).toBeLessThanOrEqual(tight.max_bytes + 100);
    expect(client.buffered_bytes).toBe(await on.folderBytes());
    await client.close({ deadline_ms: 0 });

    const next = on.open(on.fake.url, tight, { buffer: { when_full: "wait" } });
    await next.writeMany(readingsFrom(taken, 200));
    await next.flush();
    expect(on.sentNumbers()).toEqual(upTo(taken + 200));
    expect(await on.files("segments")).toEqual([]);
  });

  test("is no dead end for a batch that has only begun", async () => {
    const client = on.open(
      on.fake.url,
      { max_bytes: 16_384 },
      { batch: { max_readings: 10_000, max_age_ms: 1e9 } },
    );
    for (let i = 0; i < 200; i += 1) await client.write(readingAt(i));
    await client.flush();
    expect(on.fake.stored.size).toBe(200);
  });

  test("counts what was refused, says so, and looks again when people cleared it away", async () => {
    on.fake.script("ingest", ...Array.from({ length: 100 }, () => ({ status: 400 })));
    const client = on.open(on.fake.url, tight, { batch: TENS, onRefused: () => undefined });
    const error = await refusalOf(
      (async () => {
        for (let i = 0; i < 400; i += 1) await client.write(readingAt(i));
      })(),
    );
    expect(error.message).toContain("full of refused batches and damaged files");
    expect(client.buffered_bytes).toBeLessThan(tight.max_bytes + 2 * 2000);
    await refusalOf(client.flush());
    await rm(join(on.folder, "rejected"), { recursive: true });
    await client.close();
    on.fake.requests.length = 0;
    const next = on.open(on.fake.url, tight, { onRefused: () => undefined });
    await next.write(readingAt(1000));
    await refusalOf(next.flush());
  });
});

describe("a batch that is refused for good", () => {
  test("is kept for people with the reason, and what is behind it is sent", async () => {
    await on.leave(30);
    on.fake.script("ingest", {
      status: 422,
      body: { type: "/problems/x", title: "No", detail: "look here" },
    });
    const client = on.open(on.fake.url, {}, { onProblem: () => undefined });
    expect(await refusalOf(client.flush())).toBeInstanceOf(NotAcceptedError);
    expect(on.fake.stored.size).toBe(20);
    const [name] = await on.files("rejected");
    const kept = JSON.parse(await readFile(join(on.folder, "rejected", name!), "utf8"));
    expect(kept).toMatchObject({
      idempotency_key: name!.replace(".json", ""),
      status: 422,
      problem: { type: "/problems/x", detail: "look here" },
      batch: { system_id: SYSTEM, readings: readingsFrom(0, 10) },
    });
    expect(Date.parse(kept.refused_at)).toBeGreaterThan(0);
    expect(await on.files("segments")).toEqual([]);
  });
});

describe("the folder", () => {
  test("belongs to one client at a time", async () => {
    const first = on.open(on.fake.url);
    expect(() => on.open(on.fake.url)).toThrow(/is used by process \d+/);
    await first.close();
    await on.open(on.fake.url).write(readingAt(0));
  });

  test("is free again when its holder is gone, also when its pid is another's now", async () => {
    const { boot, pid } = await namespaces();
    for (const holder of [`999999999 123\n${boot} ${pid}`, `${process.pid} 1\n${boot} ${pid}`, ""]) {
      await writeFile(join(on.folder, "lock"), holder);
      const client = on.open(on.fake.url);
      await client.close();
    }
  });

  test("of another container is free when nobody has touched its lock for long", async () => {
    await writeFile(join(on.folder, "lock"), "1 123\nother-boot pid:[1]");
    expect(() => on.open(on.fake.url)).toThrow(/another container/);
    const { utimes } = await import("node:fs/promises");
    const long_ago = new Date(Date.now() - 60_000);
    await utimes(join(on.folder, "lock"), long_ago, long_ago);
    await on.open(on.fake.url).close();
  });

  test("belongs to one system: readings never go to another", async () => {
    await on.leave(3);
    expect(() => on.open(on.fake.url, {}, { system_id: "550e8400-e29b-41d4-a716-446655449999" })).toThrow(
      /holds readings of system 550e8400-e29b-41d4-a716-446655440000/,
    );
    await on.open(on.fake.url).flush();
    expect(on.fake.stored.size).toBe(3);
  });

  test.each(["", "\0\0\0\0", "null", "[{"])(
    "whose owner a power cut made unreadable (%j) is this system's; that is told, and nothing is lost",
    async (left) => {
      await on.leave(3);
      await writeFile(join(on.folder, "spool.json"), left);
      const problems: Error[] = [];
      const client = on.open(on.fake.url, {}, { onProblem: (error) => problems.push(error) });
      await client.flush();
      expect(on.fake.stored.size).toBe(3);
      expect(problems.map(({ name }) => name)).toEqual(["SpoolDamagedError"]);
      expect(await on.files("damaged")).toHaveLength(1);
      await client.close();
      expect(JSON.parse(await readFile(join(on.folder, "spool.json"), "utf8"))).toEqual({
        format: 1,
        system_id: SYSTEM,
      });
    },
  );

  test("is not given up by one whose lock another took when it seemed dead", async () => {
    const first = on.open(on.fake.url);
    const others = `1 123\nother-boot pid:[1]\nnonce`;
    await writeFile(join(on.folder, "lock"), others);
    await first.close();
    expect(await readFile(join(on.folder, "lock"), "utf8")).toBe(others);
  });

  test("is free when a process died while it broke a dead one's lock", async () => {
    for (const file of ["lock", "lock.break"])
      await writeFile(join(on.folder, file), "999999999 123\nx y\nz");
    const { utimes } = await import("node:fs/promises");
    const long_ago = new Date(Date.now() - 60_000);
    for (const file of ["lock", "lock.break"]) await utimes(join(on.folder, file), long_ago, long_ago);
    await on.open(on.fake.url).close();
    expect((await readdir(on.folder)).filter((name) => name.startsWith("lock"))).toEqual([]);
  });

  test("that cannot be made is said so", async () => {
    await writeFile(join(on.folder, "file"), "");
    const { SpoolWriteError } = await import("../../../../src/client/index.ts");
    expect(() => on.open(on.fake.url, { folder: join(on.folder, "file", "spool") })).toThrow(SpoolWriteError);
  });
});

async function namespaces(): Promise<{ boot: string; pid: string }> {
  const { readlink } = await import("node:fs/promises");
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  return { boot, pid: await readlink("/proc/self/ns/pid") };
}
