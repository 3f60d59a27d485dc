/** The disk of Redis was full, there is room again, Redis is killed: its next start has everything that it took. */
import { afterAll, expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { prefixOf } from "../../load/faults/disks.ts";
import { testWithDisk } from "../support/fault/small-disk.ts";

const ROOT = join(import.meta.dir, "../..");
const CHILD = join(ROOT, "tests/support/fault/full-redis-disk.ts");
const TEST_MS = 240_000;

await mkdir(join(ROOT, ".data"), { recursive: true });
const folder = mkdtempSync(join(ROOT, ".data/test-disk-"));
const disks = await prefixOf(folder, 1);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(mode: "mend" | "leave"): Promise<string> {
  const prefix = "prefix" in disks ? disks.prefix : [];
  const child = Bun.spawn([...prefix, process.execPath, CHILD, folder, mode], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return out === "" ? err : out.trim();
}

testWithDisk(
  "a file that is written anew as soon as Redis can write again is read by its next start",
  async () => {
    const [, taken, there] = /^taken (\d+), there (\d+)$/.exec(await run("mend")) ?? [];
    expect(Number(taken)).toBeGreaterThan(40);
    expect(there).toBe(taken!);
  },
  TEST_MS,
);

testWithDisk(
  "left alone, such a Redis may not start: when this fails, Redis has been mended and append-only-file.ts can go",
  async () => {
    expect(await run("leave")).toBe("it does not start");
  },
  TEST_MS,
);
