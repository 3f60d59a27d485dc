/** What a crash, a bad disk or a full one leaves in the folder. */
import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { appendFile, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SpoolFolder } from "../../../../src/client/spool/folder.ts";
import { Segment } from "../../../../src/client/spool/segment.ts";
import { readingAt, readingsFrom, refusalOf } from "../../../support/client.ts";
import { NOBODY, TENS, upTo, useSpool } from "../../../support/spool-suite.ts";
import { until } from "../../../support/until.ts";

const on = useSpool();

describe("the end of a file that a crash left", () => {
  test.each([1, 5, 12, 20, 60])("is cut by %d bytes, and everything before it is sent", async (cut) => {
    await on.leave(25);
    const [name] = await on.files("segments");
    const path = join(on.folder, "segments", name!);
    await truncate(path, (await stat(path)).size - cut);
    const problems: Error[] = [];
    const client = on.open(on.fake.url, {}, { onProblem: (error) => problems.push(error) });
    await client.flush();
    const sent = on.sentNumbers();
    expect(sent).toEqual(upTo(sent.length));
    expect(sent.length).toBeGreaterThanOrEqual(24);
    expect(problems).toEqual([]);
    await client.write(readingAt(100));
    await client.flush();
    expect(on.fake.stored.size).toBe(sent.length + 1);
  });

  test("may be a file without its first bytes", async () => {
    await on.leave(5);
    await writeFile(join(on.folder, "segments", "0000000000000009.seg"), "HYS");
    await on.open(on.fake.url).flush();
    expect(on.fake.stored.size).toBe(5);
    expect(await on.files("segments")).toEqual([]);
  });
});

describe("a damaged segment", () => {
  async function damageSecond(): Promise<string> {
    await on.leave(95, { segment_bytes: 4096 });
    const [, second] = await on.files("segments");
    const path = join(on.folder, "segments", second!);
    const bytes = await readFile(path);
    bytes[bytes.indexOf('"bar"', Math.floor(bytes.length / 2))]! ^= 0xff;
    await writeFile(path, bytes);
    return second!;
  }

  test("in the middle is set aside and told; whole batches of it and all others are sent", async () => {
    const name = await damageSecond();
    const problems: Error[] = [];
    const client = on.open(on.fake.url, {}, { onProblem: (error) => problems.push(error) });
    await client.flush();
    await until("it is told", () => problems.length === 1);
    expect(problems[0]).toMatchObject({ name: "SpoolDamagedError", file: join(on.folder, "damaged", name) });
    expect(await on.files("damaged")).toEqual([name]);
    expect(await on.files("segments")).toEqual([]);
    const sent = on.sentNumbers();
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    expect(sent.length).toBe(94);
    expect(client.buffered_bytes).toBe((await stat(join(on.folder, "damaged", name))).size);
  });

  test("that is damaged after it was looked at is found when its batch is read", async () => {
    const client = on.open(NOBODY, {}, { batch: TENS, onProblem: () => undefined });
    await client.writeMany(readingsFrom(0, 30));
    const [name] = await on.files("segments");
    const path = join(on.folder, "segments", name!);
    const bytes = await readFile(path);
    bytes[bytes.length - 100]! ^= 0xff;
    await writeFile(path, bytes);
    await client.close({ deadline_ms: 0 });
    const next = on.open(on.fake.url, {}, { onProblem: () => undefined });
    await next.flush();
    expect(on.sentNumbers()).toEqual(upTo(20));
    expect(await on.files("damaged")).toEqual([name!]);
  });

  test("that somebody deleted is told, and holds up nothing behind it", async () => {
    await on.leave(95, { segment_bytes: 4096 });
    const problems: Error[] = [];
    const client = on.open(on.fake.url, {}, { onProblem: (error) => problems.push(error) });
    await rm(join(on.folder, "segments", (await on.files("segments"))[1]!));
    await client.flush();
    const sent = on.sentNumbers();
    expect(sent.slice(-5)).toEqual(upTo(95).slice(-5));
    expect(sent.length).toBeLessThan(95);
    await until("it is told", () => problems.length > 0);
    expect(problems[0]).toMatchObject({ name: "SpoolDamagedError" });
    expect(await on.files("segments")).toEqual([]);
  });

  test("at the very end does not stop flush or what is written next", async () => {
    await on.leave(20);
    const [name] = await on.files("segments");
    await appendFile(join(on.folder, "segments", name!), Buffer.alloc(64));
    const client = on.open(on.fake.url, {}, { onProblem: () => undefined });
    await client.flush();
    await client.write(readingAt(20));
    await client.flush();
    expect(on.sentNumbers()).toEqual(upTo(21));
    expect(await on.files("damaged")).toEqual([name!]);
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
    await on.leave(50);
    const spy = spyOn(SpoolFolder.prototype, "writeProgress");
    spies.push(
      spy.mockImplementation(() => {
        throw new Error("ENOSPC: no space left");
      }),
    );
    const problems: string[] = [];
    const client = on.open(on.fake.url, {}, { onProblem: ({ name }) => problems.push(name) });
    await client.flush();
    expect(on.sentNumbers()).toEqual(upTo(50));
    expect(problems).toEqual(["SpoolWriteError"]);
  });

  test("is drained of all that was taken, also of a batch that there is no room to end", async () => {
    const client = on.open(NOBODY, {}, { batch: TENS });
    for (let i = 0; i < 25; i += 1) await client.write(readingAt(i));
    await client.close({ deadline_ms: 0 });
    const next = on.open(on.fake.url, {}, { batch: TENS });
    for (let i = 25; i < 32; i += 1) await next.write(readingAt(i));
    spies.push(spyOn(Segment.prototype, "append").mockImplementation(full));
    expect(await refusalOf(next.write(readingAt(99)))).toMatchObject({ name: "SpoolWriteError" });
    await next.flush();
    expect(on.sentNumbers()).toEqual(upTo(32));
    expect(await on.files("segments")).toEqual([]);
    spies.pop()?.mockRestore();
    await next.write(readingAt(32));
    await next.flush();
    expect(on.sentNumbers()).toEqual(upTo(33));
  });

  test("gives a batch that it could not end the same key after a crash", async () => {
    on.fake.script("ingest", "hang");
    const client = on.open(on.fake.url, {}, { batch: { max_age_ms: 1e9 } });
    for (let i = 0; i < 5; i += 1) await client.write(readingAt(i));
    spies.push(spyOn(Segment.prototype, "append").mockImplementation(full));
    const flushed = refusalOf(client.flush());
    await until("it is under way", () => on.fake.count("ingest") === 1);
    await client.close({ deadline_ms: 0 });
    await flushed;
    await on.open(on.fake.url).flush();
    const keys = on.fake.requests.filter(({ route }) => route === "ingest").map(({ headers }) => headers);
    expect(keys).toHaveLength(2);
    expect(keys[0]!["idempotency-key"]).toBe(keys[1]!["idempotency-key"]);
  });
});
