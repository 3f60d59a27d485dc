/** Every 4xx of the ingest endpoint: status, problem, headers, and nothing in the stream. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { AccessTokens } from "../../../src/api/auth/access-tokens.ts";
import type { ProblemName } from "../../../src/contract/problem.ts";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { expectProblem } from "../../support/problem.ts";

const MAX_BODY_BYTES = 2_000_000;
let bench: ApiBench;
let api: TestApi;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ config: { MAX_BODY_BYTES } });
});
afterAll(() => bench.close());

const good = JSON.stringify(batchOf(2));
const envelope = (change: object) => JSON.stringify({ ...batchOf(1), ...change });

interface Refusal {
  readonly name: string;
  readonly problem: ProblemName;
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
  readonly answerHeaders?: Record<string, string | RegExp>;
  readonly pointers?: string[];
  readonly role?: "reviewer";
}

const challenge = /^Bearer realm="hydraulic-ingest"/;
const refusals: Refusal[] = [
  { name: "no JSON", problem: "malformed-json", body: '{"system_id":' },
  { name: "an empty body", problem: "malformed-json", body: "" },
  { name: "invalid UTF-8", problem: "malformed-encoding", body: new Uint8Array([0x22, 0xff, 0x22]) },
  {
    name: "plain text that claims to be gzip",
    problem: "malformed-encoding",
    headers: { "Content-Encoding": "gzip" },
  },
  { name: "an array", problem: "invalid-request", body: "[]", pointers: [""] },
  { name: "null", problem: "invalid-request", body: "null", pointers: [""] },
  { name: "an empty object", problem: "invalid-request", body: "{}", pointers: ["/system_id", "/readings"] },
  {
    name: "a system_id that is no UUID",
    problem: "invalid-request",
    body: envelope({ system_id: "rig 7" }),
    pointers: ["/system_id"],
  },
  {
    name: "a system_id that is a number",
    problem: "invalid-request",
    body: envelope({ system_id: 7 }),
    pointers: ["/system_id"],
  },
  {
    name: "no readings at all",
    problem: "invalid-request",
    body: envelope({ readings: [] }),
    pointers: ["/readings"],
  },
  {
    name: "readings that are an object",
    problem: "invalid-request",
    body: envelope({ readings: { length: 1 } }),
    pointers: ["/readings"],
  },
  {
    name: "10,001 readings",
    problem: "invalid-request",
    body: envelope({ readings: Array(10_001).fill(1) }),
    pointers: ["/readings"],
  },
  {
    name: "an Idempotency-Key with a space",
    problem: "invalid-idempotency-key",
    headers: { "Idempotency-Key": "a b" },
  },
  {
    name: "an Idempotency-Key of 256 characters",
    problem: "invalid-idempotency-key",
    headers: { "Idempotency-Key": "x".repeat(256) },
  },
  {
    name: "no token",
    problem: "authentication-required",
    headers: { Authorization: "" },
    answerHeaders: { "WWW-Authenticate": 'Bearer realm="hydraulic-ingest"' },
  },
  {
    name: "basic credentials",
    problem: "authentication-required",
    headers: { Authorization: "Basic YWRtaW46cGFzc3dvcmQ=" },
    answerHeaders: { "WWW-Authenticate": challenge },
  },
  {
    name: "a token that is none",
    problem: "invalid-token",
    headers: { Authorization: "Bearer abc.def.ghi" },
    answerHeaders: { "WWW-Authenticate": /^Bearer realm="hydraulic-ingest", error="invalid_token"/ },
  },
  {
    name: "the token of a reviewer",
    problem: "forbidden",
    role: "reviewer",
    answerHeaders: { "WWW-Authenticate": /error="insufficient_scope"/ },
  },
  {
    name: "text/plain",
    problem: "unsupported-media-type",
    headers: { "Content-Type": "text/plain" },
    answerHeaders: { Accept: "application/json, application/x-ndjson, text/csv" },
  },
  {
    name: "JSON in Latin-1",
    problem: "unsupported-media-type",
    headers: { "Content-Type": "application/json; charset=iso-8859-1" },
  },
  {
    name: "Brotli",
    problem: "unsupported-content-encoding",
    headers: { "Content-Encoding": "br" },
    answerHeaders: { "Accept-Encoding": "gzip, deflate, zstd" },
  },
  {
    name: "a body one byte over the bound",
    problem: "body-too-large",
    body: good.padEnd(MAX_BODY_BYTES + 1, " "),
  },
  {
    name: "a gzip bomb",
    problem: "body-too-large",
    body: gzipSync(good.padEnd(MAX_BODY_BYTES + 1, " ")),
    headers: { "Content-Encoding": "gzip" },
  },
  {
    name: "a zstd bomb",
    problem: "body-too-large",
    body: zstdCompressSync(Buffer.alloc(100_000_000, 32)),
    headers: { "Content-Encoding": "zstd" },
  },
  {
    name: "a zstd frame that is cut short",
    problem: "malformed-encoding",
    body: zstdCompressSync(good).subarray(0, -1),
    headers: { "Content-Encoding": "zstd" },
  },
  {
    name: "a body that is compressed beyond all honesty",
    problem: "body-too-large",
    body: zstdCompressSync(good.padEnd(1_500_000, " ")),
    headers: { "Content-Encoding": "zstd" },
  },
  {
    name: "a deflate bomb",
    problem: "body-too-large",
    body: deflateSync(Buffer.alloc(100_000_000, 32)),
    headers: { "Content-Encoding": "deflate" },
  },
];

describe("a batch is refused and not stored with", () => {
  test.each(refusals)("$name: $problem", async (refusal) => {
    const { token } = await api.tokenFor(refusal.role ?? "producer");
    const before = await bench.streamLength();
    const response = await api.ingest(token, refusal.body ?? good, refusal.headers);
    const body = await expectProblem(response, refusal.problem);
    for (const [name, value] of Object.entries(refusal.answerHeaders ?? {})) {
      expect(response.headers.get(name)).toMatch(value);
    }
    if (refusal.pointers) expect(body.errors?.map((e) => e.pointer)).toEqual(refusal.pointers);
    expect(await bench.streamLength()).toBe(before);
  });

  test("an expired token: invalid-token, and the reason is said", async () => {
    const response = await api.ingest(await expiredToken(), good);
    const { detail } = await expectProblem(response, "invalid-token");
    expect(detail).toBe("The access token has expired.");
    expect(response.headers.get("WWW-Authenticate")).toContain(
      'error_description="The access token has expired"',
    );
  });

  async function expiredToken(): Promise<string> {
    const { id } = await api.tokenFor("producer");
    const { JWT_SECRET_KEY: secret, JWT_ALGORITHM: algorithm } = api.config;
    const past = new ManualClock(Date.now() - 7_200_000);
    const tokens = new AccessTokens({ secret, algorithm, lifetime_s: 3_600, session_s: 3_600 }, past);
    const user = { id, username: "x", role: "producer", token_version: 0 } as const;
    return (await tokens.issue(user)).access_token;
  }
});

describe("refusals come in this order:", () => {
  test("a missing token is told before a wrong body, encoding or size", async () => {
    const headers = { Authorization: "", "Content-Type": "text/plain", "Content-Encoding": "br" };
    await expectProblem(await api.ingest("", "x", headers), "authentication-required");
  });

  test("a wrong media type does not use up the rate limit", async () => {
    const { token } = await api.tokenFor("producer", { requests_per_minute: 1 });
    await expectProblem(
      await api.ingest(token, good, { "Content-Type": "text/plain" }),
      "unsupported-media-type",
    );
    expect((await api.ingest(token, good)).status).toBe(202);
    await expectProblem(await api.ingest(token, good), "rate-limited");
  });
});
