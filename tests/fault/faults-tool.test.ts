/** A short run of `bun run faults`, as anyone would start it: nothing of what was accepted is lost or doubled. */
import { expect, test } from "bun:test";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
/** Fourteen faults: APIs, workers, a thread and PostgreSQL end, a disk is full, Redis stands still, an upload is cut. */
const SEED = "14";
const COUNT = "14";
const DEADLINE_MS = 240_000;

/** @param settings of the environment, beside what every program has */
async function faults(args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const child = Bun.spawn([process.execPath, "load/faults.ts", ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "/tmp", ...settings },
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

test(
  "overlapping faults from a fixed seed: every accepted reading is found once, and the service recovers from each round",
  async () => {
    const { code, out, err } = await faults(["--seed", SEED, "--count", COUNT, "--no-save"]);
    expect({ code, out, err }).toMatchObject({ code: 0 });
    expect(out).toMatch(/data: right: [1-9][\d,]* jobs/);
    expect(out).toContain("hydraulic verify      clean");
    expect(out).toEndWith("passed\n");
    // Where a disk cannot be filled, the run says so and does not count it.
    const [, done, not = "0"] = /faults +(\d+) done in .* s(?:; (\d+) not done: .+)?$/m.exec(out) ?? [];
    expect(Number(done) + Number(not)).toBe(Number(COUNT));
  },
  DEADLINE_MS,
);

test("services that are named by the environment are left alone", async () => {
  const { code, err } = await faults(["--seed", SEED], { REDIS_URL: "redis://127.0.0.1:6379" });
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringContaining("REDIS_URL is set, and this command kills the servers that it works on"),
  });
});
