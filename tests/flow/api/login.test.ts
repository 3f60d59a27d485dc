/** Logging in: what it gives, what it refuses, and what it costs a guesser. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { decode } from "hono/jwt";
import { PasswordChecker } from "../../../src/api/auth/passwords.ts";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";

let bench: ApiBench;
let api: TestApi;
const hashes: string[] = [];
beforeAll(async () => {
  bench = await ApiBench.create();
  const passwords = new PasswordChecker({
    verify: (password, hash) => {
      hashes.push(hash);
      return Bun.password.verify(password, hash);
    },
  });
  api = await bench.start({ config: { LOGIN_ATTEMPTS_PER_MINUTE: 3 }, passwords });
});
afterAll(() => bench.close());
/** All tests come from one address, so each starts with its counters empty. */
const forgetAttempts = async () => {
  const keys = await bench.redis.keys("limit:login*");
  if (keys.length > 0) await bench.redis.del(...keys);
};
const parametersOf = (hash: string) => hash.split("$").slice(1, 4).join("$");

describe("a login", () => {
  test("gives a bearer token of the configured algorithm and life, and it works", async () => {
    await forgetAttempts();
    const user = await api.createUser("producer");
    const response = await api.login(user.username, user.password);
    expect(response.status).toBe(200);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    const answer = (await response.json()) as {
      access_token: string;
      token_type: string;
      expires_in: number;
    };
    expect(answer).toMatchObject({ token_type: "bearer", expires_in: 3600 });
    const { header, payload } = decode(answer.access_token);
    expect(header.alg).toBe("HS256");
    expect(payload.sub).toBe(user.id);
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
    expect((await api.ingest(answer.access_token, JSON.stringify(batchOf(1)))).status).toBe(202);
  });

  test("with a wrong password, of an unknown user and of an inactive user get the same answer and cost the same", async () => {
    await forgetAttempts();
    const user = await api.createUser("producer");
    const inactive = await api.createUser("producer");
    await bench.database.sql`UPDATE diagnostics_user SET active = false WHERE id = ${inactive.id}`;
    hashes.length = 0;
    const answers = [
      await api.login(user.username, "wrong"),
      await api.login("nobody", user.password),
      await api.login(inactive.username, inactive.password),
    ];
    const bodies = await Promise.all(answers.map((a) => expectProblem(a, "invalid-credentials")));
    expect(bodies[1]).toEqual(bodies[0]!);
    expect(bodies[2]).toEqual(bodies[0]!);
    expect(hashes.map(parametersOf)).toEqual(Array(3).fill(parametersOf(hashes[0]!)));
  });

  test.each([
    ["no body", "malformed-json", ""],
    ["half an object", "malformed-json", '{"username":'],
    ["no password", "invalid-request", '{"username":"x"}'],
    ["a password that is a number", "invalid-request", '{"username":"x","password":1}'],
    ["an empty user name", "invalid-request", '{"username":"","password":"x"}'],
    ["a NUL in the user name", "invalid-request", '{"username":"a\\u0000b","password":"x"}'],
    [
      "a user name of 151 characters",
      "invalid-request",
      JSON.stringify({ username: "x".repeat(151), password: "x" }),
    ],
    [
      "a password of 1,025 characters",
      "invalid-request",
      JSON.stringify({ username: "x", password: "x".repeat(1025) }),
    ],
    ["20 kB", "body-too-large", JSON.stringify({ username: "x", password: "x".repeat(20_000) })],
  ] as const)("with %s is refused: %s", async (_, problem, body) => {
    hashes.length = 0;
    const headers = { "Content-Type": "application/json" };
    await expectProblem(await api.fetch("/api/v1/auth/login", { method: "POST", headers, body }), problem);
    expect(hashes).toEqual([]);
  });

  test("that is no JSON by its type is refused", async () => {
    const init = { method: "POST", body: "username=x&password=y" };
    await expectProblem(await api.fetch("/api/v1/auth/login", init), "unsupported-media-type");
  });

  test("is refused with 429 after too many attempts on one name, whatever its case, and other names are not", async () => {
    await forgetAttempts();
    const user = await api.createUser("producer");
    const other = await api.createUser("producer");
    await api.login(user.username, "wrong");
    await api.login(user.username.toUpperCase(), "wrong");
    await api.login(user.username, "wrong");
    hashes.length = 0;
    const response = await api.login(user.username, user.password);
    await expectProblem(response, "rate-limited");
    expect(Number(response.headers.get("Retry-After"))).toBeWithin(1, 61);
    expect(hashes).toEqual([]);
    expect((await api.login(other.username, other.password)).status).toBe(200);
  });

  /** Guesses as if a client of this address had been forwarded. */
  const forwarded = (service: TestApi, by: string) =>
    service.fetch("/api/v1/auth/login", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Forwarded-For": by, Forwarded: `for="${by}"` },
      body: JSON.stringify({ username: "victim", password: "guess" }),
    });

  test("does not believe a header that names another address", async () => {
    await forgetAttempts();
    for (let n = 1; n <= 3; n += 1) {
      await expectProblem(await forwarded(api, `10.0.0.${n}`), "invalid-credentials");
    }
    await expectProblem(await forwarded(api, "10.0.0.4"), "rate-limited");
  });

  test("is counted for the client that a trusted proxy names, not for what the client has written before it", async () => {
    await forgetAttempts();
    const behind = await bench.start({
      config: { LOGIN_ATTEMPTS_PER_MINUTE: 3, TRUSTED_PROXIES: ["127.0.0.0/8"] },
      passwords: new PasswordChecker({ verify: async () => false }),
    });
    for (let n = 1; n <= 3; n += 1) {
      await expectProblem(await forwarded(behind, `10.0.0.${n}, 203.0.113.7`), "invalid-credentials");
    }
    await expectProblem(await forwarded(behind, "10.0.0.4, 203.0.113.7"), "rate-limited");
    await expectProblem(await forwarded(behind, "203.0.113.7, 203.0.113.8"), "invalid-credentials");
  });

  test("from one address on ever new names is refused too, after ten names' worth", async () => {
    await forgetAttempts();
    const cheap = await bench.start({
      config: { LOGIN_ATTEMPTS_PER_MINUTE: 1 },
      passwords: new PasswordChecker({ verify: async () => false }),
    });
    for (let n = 1; n <= 10; n += 1) {
      await expectProblem(await cheap.login(`user-${n}`, "guess"), "invalid-credentials");
    }
    await expectProblem(await cheap.login("user-11", "guess"), "rate-limited");
  });

  test("is refused with 503 when too many checks are in work", async () => {
    await forgetAttempts();
    const busy = await bench.start({
      passwords: new PasswordChecker({ concurrency: 0, max_waiting: 0, verify: async () => true }),
    });
    const response = await busy.login("x", "y");
    await expectProblem(response, "server-busy");
    expect(response.headers.get("Retry-After")).toBe("2");
  });
});
