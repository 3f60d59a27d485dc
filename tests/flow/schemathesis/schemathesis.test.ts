/**
 * Schemathesis makes up requests from the service's own document, good ones and bad ones, also one after the other, and
 * checks every answer against it. SCHEMATHESIS_EXAMPLES=200 makes up more of them; SCHEMATHESIS_SEED repeats a run.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { hashPassword } from "../../../src/api/auth/passwords.ts";
import { Database } from "../../../src/store/pool.ts";
import { UserStore } from "../../../src/store/users.ts";
import type { Program } from "../../support/fault/program.ts";
import { runSchemathesis } from "../../support/schemathesis/run.ts";
import { Stack } from "../../support/stack.ts";
import { describeWith } from "../../support/tools/describe-with.ts";
import { pythonTool } from "../../support/tools/python-tools.ts";

const EXAMPLES = Number(process.env.SCHEMATHESIS_EXAMPLES ?? 3);
const SEED = Number(process.env.SCHEMATHESIS_SEED ?? 1);
/** Some ten seconds for each example that is wanted; a busy machine takes several times as long as an idle one. */
const DEADLINE_MS = 600_000 + EXAMPLES * 10_000;
/** Fewer would mean that whole phases did not run. */
const LEAST_REQUESTS = 3_000;

/** Nobody is limited, nobody waits long, and a busy machine may be late with a body. */
const SETTINGS = {
  LOG_LEVEL: "info",
  BODY_TIMEOUT_MS: "60000",
  LOGIN_ATTEMPTS_PER_MINUTE: "1000000",
  RATE_LIMIT_REQUESTS_PER_MINUTE: "1000000000",
  RATE_LIMIT_READINGS_PER_MINUTE: "1000000000",
  WAIT_MAX_SECONDS: "1",
  WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8",
};

describeWith("schemathesis", await pythonTool("schemathesis"), (program) => {
  let stack: Stack;
  let service: Program;
  const user = { id: "", username: "schemathesis", password: crypto.randomUUID() };

  beforeAll(async () => {
    stack = await Stack.create(SETTINGS);
    service = await stack.start("all");
    const database = new Database({ url: stack.urls.database, size: 1, query_deadline_ms: 10_000 });
    const { username, password } = user;
    user.id = await new UserStore(database).create({
      username,
      password_hash: await hashPassword(password),
      role: "admin",
      requests_per_minute: null,
      readings_per_minute: null,
    });
    await database.close();
  });
  afterAll(() => stack?.close());

  test(
    "finds no answer that the document does not allow, in any phase, and the service logs no error",
    async () => {
      const run = { url: stack.url, user, seed: SEED, examples: EXAMPLES, deadline_ms: DEADLINE_MS };
      const { code, said, generated } = await runSchemathesis(program, run);
      const found = code === 0 ? "" : said;
      expect({ code, found }).toEqual({ code: 0, found: "" });
      expect(generated).toBeGreaterThan(LEAST_REQUESTS);
      expect(service.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    },
    DEADLINE_MS + 10_000,
  );
});
