/** `hydraulic replay`: dead letters are listed as the API names them, and their payload is kept whole in a file. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeEntry } from "../../../src/contract/entry.ts";
import { newJobId } from "../../../src/contract/job-id.ts";
import { workClient } from "../../../src/stream/connection.ts";
import { deadKey } from "../../../src/stream/keys.ts";
import { runProgram } from "../../support/fault/program.ts";
import { createTestDatabase, createTestRedis, type TestService } from "../../support/test-services.ts";

const DEADLINE_MS = 60_000;
const JOB = newJobId(0);
/** More than the API shows of one. */
const BODY = Buffer.from(JSON.stringify({ system_id: JOB, readings: ["ü".repeat(400_000)] }));
let services: TestService[];
let folder: string;
let entry: string | null;
const replay = (...args: readonly string[]) => {
  const [database, redis] = services as [TestService, TestService];
  return runProgram(
    ["replay", ...args],
    { DATABASE_URL: database.url, REDIS_URL: redis.url },
    "",
    DEADLINE_MS,
  );
};

beforeAll(async () => {
  services = await Promise.all([createTestDatabase(), createTestRedis()]);
  folder = await mkdtemp(join(tmpdir(), "letters-"));
  const redis = workClient(services[1]!.url);
  const meta = {
    job_id: JOB,
    system_id: JOB,
    user_id: JOB,
    request_id: "r",
    total_readings: 1,
    received_at_ms: 0,
  };
  const own = ["reason", "poison", "entry", "1-0", "buried_at_ms", "1767225601000"];
  entry = await redis.xadd(deadKey(0), "*", ...own, ...encodeEntry(meta, BODY));
  redis.disconnect();
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  for (const { drop } of services) await drop();
});

test(
  "a letter has the id that API and record have, and is saved as it was sent, once, for its owner alone",
  async () => {
    const listed = await replay();
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(
      new RegExp(
        `^2026-01-01T00:00:01.000Z  0/${entry}  job ${JOB}, 1 readings, \\d+ bytes: poison\n1 dead letter\n$`,
      ),
    );
    const file = join(folder, "letter.json");
    const saved = await replay("--job", JOB, "--save", file);
    expect([saved.code, saved.stdout]).toEqual([
      0,
      `${BODY.length} bytes of dead letter 0/${entry} in ${file}\n`,
    ]);
    expect(await readFile(file)).toEqual(BODY);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const again = await replay("--job", JOB, "--save", file);
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringMatching(/^error: .*letter.json cannot be written: EEXIST/),
    ]);
    expect((await replay()).stdout).toContain("1 dead letter\n");
  },
  4 * DEADLINE_MS,
);

test.each([
  [["--save", "x"], "--save takes the dead letter of one job"],
  [["--all", "--job", JOB, "--save", "x"], "--save takes the dead letter of one job"],
  [["--job", newJobId(0), "--save", "x"], "there is no dead letter of job"],
  [["--job", "nonsense", "--save", "x"], "there is no dead letter of job nonsense"],
])(
  "%j is refused",
  async (args, message) => {
    const { code, stdout, stderr } = await replay(...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toStartWith(`error: ${message}`);
  },
  DEADLINE_MS,
);
