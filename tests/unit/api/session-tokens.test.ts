/** Tokens of a session: what they carry, when one follows another, and where that ends. */
import { expect, test } from "bun:test";
import { AccessTokens } from "../../../src/api/auth/access-tokens.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const LIFETIME_S = 600;
const SESSION_S = 1_500;
const user = {
  id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
  username: "ada",
  role: "reviewer",
  token_version: 3,
} as const;

function setUp(session_s = SESSION_S) {
  const clock = new ManualClock();
  const secret = "a secret for tests that has 32 characters";
  const tokens = new AccessTokens({ secret, algorithm: "HS256", lifetime_s: LIFETIME_S, session_s }, clock);
  return { clock, tokens };
}

test("a session is in its tokens, and in no other", async () => {
  const { tokens, clock } = setUp();
  const began_s = Math.floor(clock.now_ms() / 1000);
  const first = await tokens.verify((await tokens.begin(user)).access_token);
  expect(first.session).toEqual({ id: expect.any(String), began_s });
  expect((await tokens.verify((await tokens.begin(user)).access_token)).session?.id).not.toBe(
    first.session?.id,
  );
  expect((await tokens.verify((await tokens.issue(user)).access_token)).session).toBeNull();
});

test("a session gets its next token in the second half of the one it has, and none beyond its end", async () => {
  const { tokens, clock } = setUp();
  const now_s = Math.floor(clock.now_ms() / 1000);
  const mark = { id: "a session", began_s: now_s };
  const renew = (exp_in_s: number) => tokens.renew(user, mark, now_s + exp_in_s);
  expect(await renew(LIFETIME_S / 2 + 1)).toBeNull();
  expect((await renew(LIFETIME_S / 2))?.expires_in).toBe(LIFETIME_S);
  clock.time_ms += (SESSION_S - 200) * 1_000;
  expect((await renew(SESSION_S - 100))?.expires_in).toBe(200);
  expect(await renew(SESSION_S)).toBeNull();
});

test("a session is as long as one token at least", async () => {
  expect((await setUp(60).tokens.begin(user)).expires_in).toBe(LIFETIME_S);
});
