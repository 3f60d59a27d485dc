/** `verify` as a program: the table, the JSON, the exit status; and its benchmark, which leaves no trace. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { ScratchError, ScratchSchema } from "../../src/store/scratch.ts";
import { Program, runProgram } from "../support/fault/program.ts";
import { createTestDatabase, createTestRedis, type TestService } from "../support/test-services.ts";
import { until } from "../support/until.ts";
import { benchmarkSchemas, fill, MIGRATIONS, snapshot } from "../support/verify.ts";

const SETTINGS = { directory: MIGRATIONS, chunk_interval_days: 7 };
const DEADLINE_MS = 180_000;
let database: TestService;
let redis: TestService;
let env: Record<string, string>;
let before: Record<string, unknown>;

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
  env = { DATABASE_URL: database.url, REDIS_URL: redis.url };
  await fill(database.url);
  before = await snapshot(database.url);
});
afterAll(async () => {
  await database.drop();
  await redis.drop();
});

const verify = (args: readonly string[], settings = env) =>
  runProgram(["verify", ...args], settings, "", DEADLINE_MS);

async function expectUntouched(): Promise<void> {
  expect(await benchmarkSchemas(database.url)).toEqual([]);
  expect(await snapshot(database.url)).toEqual(before);
}

describe("checks", () => {
  test("a table with a closing line, exit status 0, nothing changed", async () => {
    const { code, stdout, stderr } = await verify([]);
    // On a busy machine the check that reads everything says how far it is.
    const told = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("accounts: "));
    expect({ code, told }).toEqual({ code: 0, told: [] });
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => /^(ok|n\/a) {3,}[a-z]/.test(line))).toHaveLength(18);
    expect(lines.at(-1)).toMatch(/^18 checks: 1[78] ok, 0 warnings, 0 failed/);
    expect(stdout).not.toContain("\x1b[");
    await expectUntouched();
  });

  test("the same seed draws the same sample; the JSON is all there is on standard output", async () => {
    const runs = await Promise.all([1, 2].map(() => verify(["--json", "--seed", "7"])));
    const [first, second] = runs.map(({ stdout }) => JSON.parse(stdout));
    expect(first).toMatchObject({ verdict: "ok", seed: 7 });
    expect(Number.isNaN(Date.parse(first.checked_at))).toBe(false);
    expect(first.findings).toHaveLength(18);
    const agreement = (run: typeof first) =>
      run.findings.find((f: { check: string }) => f.check === "hourly agreement");
    expect(agreement(first).verdict).toBe("ok");
    expect(agreement(second)).toEqual(agreement(first));
  });

  test("a failed check: exit status 1, what is wrong and what to do", async () => {
    const empty = await createTestDatabase(false);
    try {
      const { code, stdout } = await verify([], { ...env, DATABASE_URL: empty.url });
      expect(code).toBe(1);
      expect(stdout).toMatch(/^fail +hourly freshness +there is no view/m);
      expect(stdout).toContain("→ Start the service, or run: hydraulic migrate");
      const json = await verify(["--json"], { ...env, DATABASE_URL: empty.url });
      expect(json.code).toBe(1);
      expect(JSON.parse(json.stdout).verdict).toBe("fail");
    } finally {
      await empty.drop();
    }
  });

  test("Redis that is away is a warning, a database that is away an error", async () => {
    const away = await verify(["--json"], { ...env, REDIS_URL: "redis://127.0.0.1:1/0" });
    expect(away.code).toBe(0);
    expect(JSON.parse(away.stdout).verdict).toBe("warn");
    const gone = await verify(["--json"], { ...env, DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" });
    expect(gone).toMatchObject({ code: 1, stdout: "" });
    expect(gone.stderr).toStartWith("error: PostgreSQL (inspect server)");
  });

  test.each([
    ["--rows", "0"],
    ["--rows", "1.5"],
    ["--samples", "x"],
    ["--seed", "-1"],
    ["--since", "yesterday"],
    ["--colour", "red"],
  ])("%s %s is refused", async (option, value) => {
    const { code, stdout, stderr } = await verify([option, value]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toStartWith("error: ");
  });
});

describe("the benchmark", () => {
  test(
    "measures writing and questions, and leaves production as it was",
    async () => {
      const { code, stdout } = await verify(["--benchmark", "--json", "--rows", "20000"]);
      const { verdict, benchmark, measured } = JSON.parse(stdout);
      // A busy machine may miss a target; that is a warning and no failure.
      expect({ code, failed: verdict === "fail" }).toEqual({ code: 0, failed: false });
      expect(benchmark.writing.rows).toBeGreaterThan(19_000);
      expect(benchmark.writing.ratio).toBeCloseTo(
        benchmark.writing.service_rows_per_s / benchmark.writing.raw_rows_per_s,
        2,
      );
      expect(benchmark.questions).toHaveLength(6);
      for (const { latency } of benchmark.questions) {
        expect(latency.n).toBe(100);
        expect(latency.p95_ms).toBeGreaterThanOrEqual(latency.p50_ms);
      }
      expect(measured.length).toBeGreaterThan(7);
      await expectUntouched();
    },
    DEADLINE_MS,
  );

  test.each([
    ["SIGINT", "schema "],
    ["SIGTERM", "asking each question"],
  ] as const)(
    "%s after '%s…' drops the schema, exit status 130",
    async (signal, step) => {
      const program = new Program(["verify", "--benchmark", "--rows", "100000"], env, "");
      try {
        await until(
          `it says ${step}`,
          () => program.lines.some((line) => line.startsWith(step)),
          DEADLINE_MS,
        );
        expect(await benchmarkSchemas(database.url)).toHaveLength(1);
        program.signal(signal);
        expect(await program.end(DEADLINE_MS)).toMatchObject({ code: 130 });
        expect(program.lines).toContain("interrupted; nothing is left behind");
      } finally {
        if (program.alive) await program.kill();
      }
      await expectUntouched();
    },
    DEADLINE_MS,
  );

  test(
    "what a killed benchmark left is dropped by the next one; one that runs is let be",
    async () => {
      const program = new Program(["verify", "--benchmark", "--rows", "100000"], env, "");
      await until("it writes", () => program.lines.some((line) => line.startsWith("writing")), DEADLINE_MS);
      const [left] = await benchmarkSchemas(database.url);
      const running = await ScratchSchema.create(database.url, SETTINGS);
      try {
        await program.kill();
        // The server ends the killed program's sessions as soon as it notices.
        const dropped = await until(
          "the schema is dropped",
          async () => {
            const names = await ScratchSchema.dropAbandoned(database.url);
            return names.length > 0 ? names : undefined;
          },
          DEADLINE_MS,
        );
        expect(dropped).toEqual([left!]);
        expect(await benchmarkSchemas(database.url)).toEqual([running.name]);
      } finally {
        await running.drop();
      }
      await expectUntouched();
    },
    DEADLINE_MS,
  );

  test("it refuses to begin when a table of the service would be reached outside of its schema", async () => {
    const sql = postgres(database.url, { max: 1 });
    try {
      await sql`CREATE TABLE diagnostics_of_another_program (id integer)`;
      await expect(ScratchSchema.create(database.url, SETTINGS)).rejects.toBeInstanceOf(ScratchError);
      await sql`DROP TABLE diagnostics_of_another_program`;
    } finally {
      await sql.end();
    }
    await expectUntouched();
  });
});
