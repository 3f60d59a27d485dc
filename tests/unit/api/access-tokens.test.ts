import { describe, expect, test } from "bun:test";
import { sign } from "hono/jwt";
import { AccessTokens, InvalidTokenError } from "../../../src/api/auth/access-tokens.ts";
import type { User } from "../../../src/store/users.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const SECRET = "a secret for tests that has 32 characters";
const LIFETIME_S = 600;
const user: User = {
  id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
  username: "rig-7",
  password_hash: "never in a token",
  role: "producer",
  requests_per_minute: 30,
  readings_per_minute: null,
  active: true,
};

function setUp() {
  const clock = new ManualClock();
  const tokens = new AccessTokens({ secret: SECRET, algorithm: "HS256", lifetime_s: LIFETIME_S }, clock);
  const now_s = Math.floor(clock.now_ms() / 1000);
  const claims = {
    sub: user.id,
    username: user.username,
    role: user.role,
    requests_per_minute: null,
    readings_per_minute: null,
    iat: now_s,
    exp: now_s + LIFETIME_S,
  };
  return { clock, tokens, claims };
}
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
async function reasonOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error("the token was believed"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(InvalidTokenError);
  return (error as InvalidTokenError).reason;
}

describe("access tokens", () => {
  test("carry identity, role and limits, and nothing secret", async () => {
    const { tokens } = setUp();
    const { access_token, expires_in } = await tokens.issue(user);
    expect(expires_in).toBe(LIFETIME_S);
    const claims = await tokens.verify(access_token);
    expect(claims).toMatchObject({
      sub: user.id,
      username: "rig-7",
      role: "producer",
      requests_per_minute: 30,
    });
    expect(Buffer.from(access_token.split(".")[1]!, "base64url").toString()).not.toContain(
      "never in a token",
    );
  });

  test("are believed up to the last millisecond of their life and not after, cached or not", async () => {
    const { clock, tokens } = setUp();
    const { access_token } = await tokens.issue(user);
    const start_ms = clock.time_ms;
    clock.time_ms = start_ms + LIFETIME_S * 1000 - 1;
    expect((await tokens.verify(access_token)).sub).toBe(user.id);
    clock.time_ms = start_ms + LIFETIME_S * 1000;
    expect(await reasonOf(tokens.verify(access_token))).toBe("The access token has expired");
    expect(await reasonOf(tokens.verify(access_token))).toBe("The access token has expired");
  });

  test("are refused when any character of a part was changed", async () => {
    const { tokens } = setUp();
    const { access_token } = await tokens.issue(user);
    for (const part of [0, 1, 2]) {
      const parts = access_token.split(".");
      const text = parts[part]!;
      parts[part] = `${text.slice(0, 4)}${text[4] === "A" ? "B" : "A"}${text.slice(5)}`;
      expect(await reasonOf(tokens.verify(parts.join(".")))).toContain("forged");
    }
  });

  test("of a user who raises the own role or limits are refused", async () => {
    const { tokens, claims } = setUp();
    const { access_token } = await tokens.issue(user);
    const [header, , signature] = access_token.split(".");
    const raised = `${header}.${encode({ ...claims, role: "admin" })}.${signature}`;
    expect(await reasonOf(tokens.verify(raised))).toContain("forged");
  });

  const forgeries: [string, (claims: Record<string, unknown>) => Promise<string> | string][] = [
    ["alg none, without signature", (c) => `${encode({ alg: "none", typ: "JWT" })}.${encode(c)}.`],
    [
      "alg none, with text for a signature",
      (c) => `${encode({ alg: "none", typ: "JWT" })}.${encode(c)}.AAAA`,
    ],
    ["another algorithm with the right key", (c) => sign(c, SECRET, "HS512")],
    ["the right algorithm with another key", (c) => sign(c, `${SECRET}!`, "HS256")],
    ["no expiry", ({ exp: _, ...c }) => sign(c, SECRET, "HS256")],
    [
      "an expiry that is no number",
      (c) => sign({ ...c, exp: "never" as unknown as number }, SECRET, "HS256"),
    ],
    ["no subject", ({ sub: _, ...c }) => sign(c, SECRET, "HS256")],
    ["an unknown role", (c) => sign({ ...c, role: "root" }, SECRET, "HS256")],
    ["a payload that is no object", () => `${encode({ alg: "HS256", typ: "JWT" })}.${encode("x")}.AAAA`],
    ["two parts", (c) => `${encode({ alg: "HS256" })}.${encode(c)}`],
    ["no parts", () => "token"],
    ["nothing", () => ""],
    ["no JSON inside", () => "AAAA.AAAA.AAAA"],
    ["characters outside base64url", (c) => `${encode({ alg: "HS256", typ: "JWT" })}.${encode(c)}.~~~~`],
    ["more than 4,096 characters", async (c) => sign({ ...c, more: "x".repeat(5_000) }, SECRET, "HS256")],
  ];
  test.each(forgeries)("with %s are refused", async (_, forge) => {
    const { tokens, claims } = setUp();
    expect(await reasonOf(tokens.verify(await forge(claims)))).toContain("forged");
  });

  test("of the configured algorithm alone are believed, for each algorithm", async () => {
    for (const algorithm of ["HS256", "HS384", "HS512"] as const) {
      const { clock } = setUp();
      const tokens = new AccessTokens({ secret: SECRET, algorithm, lifetime_s: LIFETIME_S }, clock);
      expect((await tokens.verify((await tokens.issue(user)).access_token)).sub).toBe(user.id);
    }
  });

  test("stay right when more of them are in use than the cache holds", async () => {
    const { tokens } = setUp();
    const issued: string[] = [];
    for (let i = 0; i < 1_100; i += 1) {
      const { access_token } = await tokens.issue({ ...user, id: `user-${i}` });
      issued.push(access_token);
      expect((await tokens.verify(access_token)).sub).toBe(`user-${i}`);
    }
    expect((await tokens.verify(issued[0]!)).sub).toBe("user-0");
    expect((await tokens.verify(issued[1_099]!)).sub).toBe("user-1099");
  });
});
