/** `bun run load smoke` with a real k6, when there is one: against a service that runs, and a stack of its own. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { UsageError } from "../../../load/command-line.ts";
import { findK6 } from "../../../load/run/find-k6.ts";
import { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

const ROOT = join(import.meta.dir, "../../..");
const DEADLINE_MS = 180_000;
const NONE = "left out: k6 is not installed";

/** null: there is none. */
function k6Here(): string | null {
  try {
    return findK6();
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}
const k6 = k6Here();
if (k6 === null) console.log(`The smoke run of the load tests is ${NONE}.`);

const start = (...args: string[]) =>
  Bun.spawn([process.execPath, "load/load.ts", ...args, "--no-save"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: process.env,
  });

async function load(...args: string[]) {
  const child = start(...args);
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

describe.skipIf(k6 === null)(`a smoke run${k6 === null ? ` (${NONE})` : ""}`, () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.create();
    await stack.start("all");
  });
  afterAll(() => stack.close());

  test(
    "of a service that runs: every bound kept, and through its API all is there",
    async () => {
      const { code, out, err } = await load("smoke", "--url", stack.url, "--seconds", "2");
      expect({ code, out, err }).toMatchObject({ code: 0 });
      expect(out).toMatch(/data: right: [\d,]+ readings of 160 sensors/);
      expect(out).toEndWith("passed\n");
      const [row] = await stack.reckoning.sql<
        { n: number }[]
      >`SELECT count(*)::int AS n FROM diagnostics_sensordata`;
      expect(out).toContain(`data: right: ${row!.n.toLocaleString("en-US")} readings`);
    },
    DEADLINE_MS,
  );

  test(
    "with bad readings: the counters are exact",
    async () => {
      const { out } = await load("bad", "--url", stack.url, "--seconds", "2");
      expect(out).toMatch(/data: right: .* jobs, [1-9][\d,]* quarantined/);
    },
    DEADLINE_MS,
  );

  test(
    "of a system that nobody registered: all is accepted and nothing stored, which is wrong data and ends with 1",
    async () => {
      const system = crypto.randomUUID();
      const { code, out } = await load("smoke", "--url", stack.url, "--seconds", "1", "--system", system);
      expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining("data: WRONG: job") });
    },
    DEADLINE_MS,
  );

  test(
    "that is interrupted ends with 2, and k6 with it",
    async () => {
      const child = start("smoke", "--url", stack.url, "--seconds", "60");
      const jobs = async () =>
        (
          await stack.reckoning.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM diagnostics_ingestion_job`
        )[0]!.n;
      const before = await jobs();
      await until("k6 sends", async () => (await jobs()) > before, 60_000);
      child.kill("SIGTERM");
      const [err, code] = await Promise.all([child.stderr.text(), child.exited]);
      expect({ code, err }).toMatchObject({
        code: 2,
        err: expect.stringContaining("interrupted by SIGTERM"),
      });
      // It held tokens.
      expect(await Bun.file(join(ROOT, `.data/bench/load-${child.pid}/plan.json`)).exists()).toBe(false);
      const left = Bun.spawnSync(["ps", "-eo", "args"]).stdout.toString();
      expect(left.split("\n").filter((line) => line.includes(`load-${child.pid}/plan.json`))).toEqual([]);
    },
    DEADLINE_MS,
  );

  test("of a service that is not there ends with 2 and says so", async () => {
    const { code, err } = await load("smoke", "--url", "http://127.0.0.1:9");
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^http:\/\/127.0.0.1:9.*no answer/),
    });
  });
});
