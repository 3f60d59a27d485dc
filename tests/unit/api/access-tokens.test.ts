/** Access tokens of this service: what they carry, how long they are believed, and every way to forge one. */
import { describe, expect, test } from "bun:test";
import { SignJWT, UnsecuredJWT } from "jose";
import { AccessTokens, OWN_NAME } from "../../../src/api/auth/access-tokens.ts";
import { type CredentialFailure, InvalidCredentialError } from "../../../src/api/auth/invalid-credential.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const SECRET = "a secret for tests that has 32 characters";
const LIFETIME_S = 600;
const SESSION_S = 1_500;
const user = {
  id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
  username: "rig-7",
  role: "producer",
  token_version: 3,
} as const;

function setUp(algorithm: "HS256" | "HS384" | "HS512" = "HS256") {
  const clock = new ManualClock();
  const tokens = new AccessTokens(
    { secret: SECRET, algorithm, lifetime_s: LIFETIME_S, session_s: SESSION_S },
    clock,
  );
  const iat = Math.floor(clock.now_ms() / 1000);
  const payload = {
    iss: OWN_NAME,
    aud: OWN_NAME,
    sub: user.id,
    ver: 3,
    jti: "1",
    iat,
    exp: iat + LIFETIME_S,
  };
  return { clock, tokens, payload };
}
type Payload = Record<string, unknown>;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const sign = (
  payload: Payload,
  secret = SECRET,
  header: { alg: string; [name: string]: unknown } = { alg: "HS256" },
) => new SignJWT(payload).setProtectedHeader(header).sign(new TextEncoder().encode(secret));
async function failureOf(work: Promise<unknown>): Promise<CredentialFailure> {
  const error = await work.then(
    () => new Error("the token was believed"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(InvalidCredentialError);
  return (error as InvalidCredentialError).kind;
}

describe("while the key is changed", () => {
  const NEXT = "the secret that comes after it has 40 chars";
  const clock = new ManualClock();
  const process = (secret: string, accepted?: string) =>
    new AccessTokens(
      { secret, accepted, algorithm: "HS256", lifetime_s: LIFETIME_S, session_s: SESSION_S },
      clock,
    );
  const works = async (from: AccessTokens, at: AccessTokens) => {
    const { access_token } = await from.issue(user);
    return at.verify(access_token).then(
      () => true,
      (error) => error.kind,
    );
  };

  test("no process refuses another's tokens, whichever of two neighbouring steps each is at", async () => {
    const steps = [process(SECRET), process(SECRET, NEXT), process(NEXT, SECRET), process(NEXT)];
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [2, 3],
    ] as const) {
      // From the third step to the last nobody has a token of the old key any more.
      if (a !== 2) expect(await works(steps[a]!, steps[b]!)).toBe(true);
      expect(await works(steps[b]!, steps[a]!)).toBe(true);
    }
    expect(await works(steps[0]!, steps[3]!)).toBe("forged");
  });

  test("a token of the accepted key is judged as any other: by its time, and by its signature", async () => {
    const at = process(NEXT, SECRET);
    const { access_token } = await process(SECRET).issue(user);
    expect(await failureOf(at.verify(`${access_token.slice(0, -4)}AAAA`))).toBe("forged");
    clock.time_ms += LIFETIME_S * 1000 + 1;
    expect(await failureOf(at.verify(access_token))).toBe("expired");
  });
});

describe("access tokens", () => {
  test("say whose they are and of which version, and nothing secret", async () => {
    const { tokens, payload } = setUp();
    const { access_token, expires_in } = await tokens.issue(user);
    expect(expires_in).toBe(LIFETIME_S);
    expect(await tokens.verify(access_token)).toMatchObject({ sub: user.id, ver: 3, exp: payload.exp });
    const said = JSON.parse(Buffer.from(access_token.split(".")[1]!, "base64url").toString()) as object;
    expect(Object.keys(said).sort()).toEqual([
      "aud",
      "exp",
      "iat",
      "iss",
      "jti",
      "role",
      "sub",
      "username",
      "ver",
    ]);
  });

  test("of one user and second are two, so that the end of one is not the end of the other", async () => {
    const { tokens } = setUp();
    const ids = await Promise.all(
      [1, 2].map(async () => (await tokens.verify((await tokens.issue(user)).access_token)).id),
    );
    expect(new Set(ids).size).toBe(2);
  });

  test("written in another way have the same id: unused bits of the signature's last character", async () => {
    const { tokens } = setUp();
    const { access_token } = await tokens.issue(user);
    const { id } = await tokens.verify(access_token);
    // 32 bytes take 43 characters, of which the last has two bits too many.
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const at = digits.indexOf(access_token.at(-1)!);
    const twin = access_token.slice(0, -1) + digits[at - (at % 4) + ((at + 1) % 4)];
    expect(twin).not.toBe(access_token);
    const outcome = await tokens.verify(twin).catch((error: unknown) => error);
    if (outcome instanceof InvalidCredentialError) expect(outcome.kind).toBe("forged");
    else expect(outcome).toMatchObject({ id });
  });

  test("are believed up to the last millisecond of their life and not after", async () => {
    const { clock, tokens } = setUp();
    const { access_token } = await tokens.issue(user);
    const start_ms = clock.time_ms;
    clock.time_ms = start_ms + LIFETIME_S * 1000 - 1;
    expect((await tokens.verify(access_token)).sub).toBe(user.id);
    clock.time_ms = start_ms + LIFETIME_S * 1000;
    expect(await failureOf(tokens.verify(access_token))).toBe("expired");
  });

  test("are refused when any character of a part was changed", async () => {
    const { tokens } = setUp();
    const { access_token } = await tokens.issue(user);
    for (const part of [0, 1, 2]) {
      const parts = access_token.split(".");
      const text = parts[part]!;
      parts[part] = `${text.slice(0, 4)}${text[4] === "A" ? "B" : "A"}${text.slice(5)}`;
      expect(await failureOf(tokens.verify(parts.join(".")))).toBe("forged");
    }
  });

  test("of a user who takes somebody else's name or version are refused", async () => {
    const { tokens, payload } = setUp();
    const [header, , signature] = (await tokens.issue(user)).access_token.split(".");
    for (const change of [{ sub: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a00" }, { ver: 9 }]) {
      const raised = `${header}.${encode({ ...payload, ...change })}.${signature}`;
      expect(await failureOf(tokens.verify(raised))).toBe("forged");
    }
  });

  const forgeries: [string, (payload: Payload) => Promise<string> | string][] = [
    ["alg none, without signature", (p) => new UnsecuredJWT(p).encode()],
    ["alg none, with text for a signature", (p) => `${new UnsecuredJWT(p).encode()}AAAA`],
    ["alg none in other letters", (p) => `${encode({ alg: "nOnE" })}.${encode(p)}.`],
    ["no algorithm", (p) => `${encode({ typ: "JWT" })}.${encode(p)}.AAAA`],
    ["another algorithm with the right key", (p) => sign(p, SECRET, { alg: "HS512" })],
    ["the right algorithm with another key", (p) => sign(p, `${SECRET}!`)],
    ["an empty key", async (p) => `${encode({ alg: "HS256" })}.${encode(p)}.${await hmac("", p)}`],
    [
      "a kid that leads to a key of the attacker's",
      (p) => sign(p, "attacker's own key, long enough!", { alg: "HS256", kid: "../../dev/null" }),
    ],
    [
      "a key of its own in the header",
      (p) => sign(p, "attacker's own key, long enough!", { alg: "HS256", jwk: { kty: "oct", k: "x" } }),
    ],
    [
      "a critical header that is not understood",
      (p) => `${encode({ alg: "HS256", crit: ["x"], x: 1 })}.${encode(p)}.AAAA`,
    ],
    ["no expiry", ({ exp: _, ...p }) => sign(p)],
    [
      "an expiry that is no number",
      (p) => `${encode({ alg: "HS256" })}.${encode({ ...p, exp: "never" })}.AAAA`,
    ],
    ["no subject", ({ sub: _, ...p }) => sign(p)],
    ["no version", ({ ver: _, ...p }) => sign(p)],
    ["a version that is a text", (p) => sign({ ...p, ver: "3" })],
    ["another audience", (p) => sign({ ...p, aud: "another-service" })],
    ["no audience", ({ aud: _, ...p }) => sign(p)],
    ["another issuer", (p) => sign({ ...p, iss: "another-service" })],
    ["a beginning in the future", (p) => sign({ ...p, nbf: Number(p.exp) - 1 })],
    ["a payload that is no object", () => `${encode({ alg: "HS256", typ: "JWT" })}.${encode("x")}.AAAA`],
    ["two parts", (p) => `${encode({ alg: "HS256" })}.${encode(p)}`],
    ["no parts", () => "token"],
    ["nothing", () => ""],
    ["no JSON inside", () => "AAAA.AAAA.AAAA"],
    ["characters outside base64url", (p) => `${encode({ alg: "HS256", typ: "JWT" })}.${encode(p)}.~~~~`],
  ];
  test.each(forgeries)("with %s are refused", async (_, forge) => {
    const { tokens, payload } = setUp();
    expect(await failureOf(tokens.verify(await forge(payload)))).toBe("forged");
  });

  test("of the configured algorithm alone are believed, for each algorithm", async () => {
    for (const algorithm of ["HS256", "HS384", "HS512"] as const) {
      const { tokens, payload } = setUp(algorithm);
      expect((await tokens.verify((await tokens.issue(user)).access_token)).sub).toBe(user.id);
      for (const alg of ["HS256", "HS384", "HS512"].filter((a) => a !== algorithm)) {
        expect(await failureOf(tokens.verify(await sign(payload, SECRET, { alg })))).toBe("forged");
      }
    }
  });
});

/** What a library that takes an empty secret would compute. */
async function hmac(secret: string, payload: Payload): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256", Buffer.from(secret));
  return hasher.update(`${encode({ alg: "HS256" })}.${encode(payload)}`).digest("base64url");
}
