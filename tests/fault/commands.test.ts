/** The commands as their users run them: child processes with an environment, standard input, output and exit code. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { isUuid } from "../../src/contract/job-id.ts";
import { SYSTEM_ID } from "../support/fault/batches.ts";
import { type Outcome, runProgram } from "../support/fault/program.ts";
import { Stack } from "../support/stack.ts";

const TEST_MS = 240_000;
const PASSWORD = "a password of 29 characters..";
let stack: Stack;

beforeAll(async () => {
  stack = await Stack.create();
}, TEST_MS);
afterAll(async () => {
  await stack.close();
}, TEST_MS);

const run = (args: string[], settings: Record<string, string> = {}, input = ""): Promise<Outcome> =>
  runProgram(args, stack.environment(settings), input);

describe("--help", () => {
  test.each([
    [
      [],
      ["start", "migrate", "create-user", "create-system", "simulate", "import", "replay", ".env.example"],
    ],
    [["start"], ["all, api, worker"]],
    [["migrate"], ["schema"]],
    [
      ["create-user"],
      ["--role", "--requests-per-minute", "--readings-per-minute", "--system", "standard input"],
    ],
    [["create-system"], ["--id"]],
    [["replay"], ["--job", "--all"]],
    [["simulate"], ["--seed"]],
    [["import"], ["FILE"]],
  ])(
    "%j says what can be done",
    async (command, words) => {
      const { code, stdout, stderr } = await run([...command, "--help"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      for (const word of words) expect(stdout.toLowerCase()).toContain(word.toLowerCase());
    },
    TEST_MS,
  );

  test(
    "an unknown command, option or role is refused with exit code 1 and says which",
    async () => {
      for (const [args, word] of [
        [["strat"], "strat"],
        [["start", "--fast"], "--fast"],
        [["start", "boss"], "boss"],
        [["create-user", "x", "--role", "king"], "king"],
      ] as const) {
        const { code, stderr } = await run([...args]);
        expect(code).toBe(1);
        expect(stderr).toContain(word);
      }
    },
    TEST_MS,
  );
});

describe("wrong configuration ends the program with code 1 and the variable's name", () => {
  const production = {
    APP_ENV: "production",
    JWT_SECRET_KEY: "a-production-secret-of-our-own-0123456789",
    DATABASE_URL: "postgres://u:hidden@127.0.0.1:1/x",
    REDIS_URL: "redis://127.0.0.1:1",
  };
  test.each([
    [{ ...production, JWT_SECRET_KEY: "" }, "JWT_SECRET_KEY is not set"],
    [{ ...production, JWT_SECRET_KEY: "development-only-secret-0123456789abcdef" }, "JWT_SECRET_KEY"],
    [{ ...production, DATABASE_URL: "" }, "DATABASE_URL is not set"],
    [{ ...production, REDIS_URL: "" }, "REDIS_URL is not set"],
    [{ PORT: "eighty" }, 'PORT is "eighty"; it must be a whole number from 1 to 65535'],
    [{ WORKER_THREADS: "0" }, 'WORKER_THREADS is "0"; it must be a whole number from 1 to 64'],
    [{ DATABASE_URL: "mysql://u:hidden@h/x" }, "DATABASE_URL"],
    [{ UNITS_FILE: "/nowhere.json" }, "UNITS_FILE"],
  ])(
    "%j",
    async (settings, message) => {
      const { code, stderr, stdout } = await run(["start"], settings as Record<string, string>);
      expect(code).toBe(1);
      expect(stderr).toContain(message);
      expect(stderr + stdout).not.toContain("hidden");
      expect(stderr).not.toContain("    at ");
    },
    TEST_MS,
  );
});

describe("services that do not answer", () => {
  test.each([
    ["DATABASE_URL", "postgres://u:hidden@127.0.0.1:1/x", "PostgreSQL"] as const,
    ["REDIS_URL", "redis://:hidden@127.0.0.1:1", "Redis"] as const,
  ])(
    "%s: one clear line, exit code 1, no secret",
    async (name, url, service) => {
      const { code, stderr } = await run(["start", "worker"], { [name]: url });
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`^error: .*${service}`));
      expect(stderr).not.toContain("hidden");
      expect(stderr).not.toContain("    at ");
    },
    TEST_MS,
  );
});

describe("a taken port", () => {
  let taken: Server;
  let port = 0;
  beforeAll(async () => {
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    port = (taken.address() as { port: number }).port;
  });
  afterAll(() => {
    taken.close();
  });

  test(
    "start says so, names another one, and starts nothing",
    async () => {
      const { code, stdout, stderr } = await run(["start"], { PORT: String(port) });
      expect(code).toBe(1);
      expect(stderr).toContain(`port ${port} on 127.0.0.1 is taken by another program`);
      expect(stderr).toContain("PORT=");
      expect(stdout).toBe("");
    },
    TEST_MS,
  );
});

describe("migrate, create-user and create-system", () => {
  test(
    "migrate can be run again and again",
    async () => {
      // In production, too, without the key of the API: it signs nothing.
      const { code, stdout } = await run(["migrate"], { APP_ENV: "production" });
      expect(code).toBe(0);
      expect(stdout).toMatch(/^the schema is up to date \(TimescaleDB (apache|community) edition\)\n$/);
    },
    TEST_MS,
  );

  test(
    "create-user reads the password from standard input; the user can log in, with limits of its own",
    async () => {
      const args = ["create-user", "presser", "--requests-per-minute", "7", "--readings-per-minute", "1000"];
      const made = await run(args, {}, `${PASSWORD}\n`);
      expect(made.code).toBe(0);
      expect(made.stdout).toStartWith("created user presser (producer), id ");
      expect(made.stdout + made.stderr).not.toContain(PASSWORD);
      const rows = await stack.reckoning.sql`
      SELECT role, requests_per_minute::int, readings_per_minute::int, password_hash FROM diagnostics_user
      WHERE username = 'presser'`;
      expect(rows[0]).toMatchObject({ role: "producer", requests_per_minute: 7, readings_per_minute: 1000 });
      expect(await Bun.password.verify(PASSWORD, rows[0]?.password_hash)).toBe(true);

      const again = await run(args, {}, `${PASSWORD}\n`);
      expect([again.code, again.stderr]).toEqual([1, "error: the user name presser is taken\n"]);
      const short = await run(["create-user", "shorty"], {}, "seven77\n");
      expect(short.code).toBe(1);
      expect(short.stderr).toContain("at least 8");
      const unlimited = await run(["create-user", "zero", "--requests-per-minute", "0"], {}, PASSWORD);
      expect(unlimited.code).toBe(1);
      expect(unlimited.stderr).toContain("whole number from 1");
    },
    TEST_MS,
  );

  test(
    "create-user limits to registered systems, and is on record",
    async () => {
      const system = SYSTEM_ID.replace("550e", "551f");
      const args = ["create-user", "limited", "--role", "engineer", "--system", system.toUpperCase()];
      const early = await run(args, {}, `${PASSWORD}\n`);
      expect([early.code, early.stderr]).toEqual([
        1,
        `error: no system is registered under the id ${system}\n`,
      ]);
      const wrong = await run(["create-user", "wrong", "--system", "press"], {}, `${PASSWORD}\n`);
      expect([wrong.code, wrong.stderr]).toEqual([1, 'error: "press" is not a UUID\n']);
      expect((await run(["create-system", "Press 6", "--id", system])).code).toBe(0);
      expect((await run(args, {}, `${PASSWORD}\n`)).code).toBe(0);
      const [row] = await stack.reckoning.sql`
        SELECT to_json(u.systems) AS systems, a.actor_name, a.action FROM diagnostics_user u
        JOIN diagnostics_audit a ON a.subject_type = 'user' AND a.subject_id = u.id::text WHERE u.username = 'limited'`;
      expect(row).toEqual({ systems: [system], actor_name: "command line", action: "user.create" });
    },
    TEST_MS,
  );

  test(
    "create-system makes an id or takes one, once, in either case of letters",
    async () => {
      const made = await run(["create-system", "Press 7"]);
      expect(made.code).toBe(0);
      expect(isUuid(made.stdout.trim().split(" ").at(-1)!)).toBe(true);
      const id = SYSTEM_ID.replace("550e", "550f").toUpperCase();
      const given = await run(["create-system", "Press 8", "--id", id]);
      expect([given.code, given.stdout]).toEqual([0, `created system Press 8, id ${id.toLowerCase()}\n`]);
      const again = await run(["create-system", "Press 8", "--id", id.toLowerCase()]);
      expect([again.code, again.stderr]).toEqual([
        1,
        `error: system ${id.toLowerCase()} is registered already\n`,
      ]);
      const wrong = await run(["create-system", "Press 9", "--id", "nine"]);
      expect([wrong.code, wrong.stderr]).toEqual([1, 'error: "nine" is not a UUID\n']);
    },
    TEST_MS,
  );

  test(
    "replay without dead letters",
    async () => {
      const { code, stdout } = await run(["replay"]);
      expect([code, stdout]).toEqual([0, "0 dead letters\n"]);
    },
    TEST_MS,
  );
});

describe("production", () => {
  let own: Stack | undefined;
  afterAll(async () => {
    await own?.close();
  }, TEST_MS);

  test(
    "start, with everything given, has no demo data and prints no credentials",
    async () => {
      own = await Stack.create();
      const program = await own.start("api", {
        APP_ENV: "production",
        JWT_SECRET_KEY: "a-production-secret-of-our-own-0123456789",
      });
      const rows = await own.reckoning
        .sql`SELECT FROM diagnostics_user WHERE username IN ('admin', 'feeder-1')`;
      expect(rows).toHaveLength(0);
      expect(program.lines.join("\n")).not.toContain("password");
      const login = await fetch(`${program.url}/api/v1/auth/login`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ username: "admin", password: "password" }),
      });
      expect(login.status).toBe(401);
      const health = (await (await fetch(`${program.url}/health`)).json()) as { workers: unknown[] };
      expect(health.workers).toEqual([]);
      program.signal("SIGTERM");
      expect((await program.end(60_000)).code).toBe(0);
    },
    TEST_MS,
  );
});
