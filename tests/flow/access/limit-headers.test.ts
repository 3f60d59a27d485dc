/** Every answer that a limit touches tells of it: good ones, refusals, and those of the limit itself. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { loggedIn, newUser, PASSWORD } from "../../support/access.ts";
import { ApiBench, batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import type { OpenApiDocument } from "../../support/contract/document.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf } from "../../support/registry.ts";

const ATTEMPTS = 4;
let bench: ApiBench;
let api: TestApi;
let admin: TestUser;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ config: { LOGIN_ATTEMPTS_PER_MINUTE: ATTEMPTS } });
  admin = await api.tokenFor("admin");
});
afterAll(() => bench.close());
beforeEach(async () => {
  const keys = await bench.redis.keys("limit:login*");
  if (keys.length > 0) await bench.redis.del(...keys);
});

const NAMES = ["Policy", "Limit", "Remaining", "Reset"] as const;
/** What an answer says of the limit of requests or attempts. */
function told(response: Response): { limit: number; remaining: number; reset_s: number } {
  const of = (name: (typeof NAMES)[number]) => response.headers.get(`RateLimit-${name}`) ?? "missing";
  const limit = Number(of("Limit"));
  expect(of("Policy")).toBe(`${limit};w=60`);
  const [remaining, reset_s] = [Number(of("Remaining")), Number(of("Reset"))];
  expect(remaining).toBeWithin(0, limit + 1);
  expect(reset_s).toBeWithin(1, 61);
  return { limit, remaining, reset_s };
}
async function refusedByLimit(response: Response, limit: number, speaksInflux = false): Promise<void> {
  if (speaksInflux) {
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ code: "too many requests" });
  } else await expectProblem(response, "rate-limited");
  const { reset_s, ...rest } = told(response);
  expect(rest).toEqual({ limit, remaining: 0 });
  expect(response.headers.get("Retry-After")).toBe(String(reset_s));
}
const withoutLimit = (response: Response) =>
  expect([...response.headers.keys()].filter((name) => name.startsWith("ratelimit"))).toEqual([]);

/** Sends one request of a limited operation; the sequence of answers is what the limit makes of it. */
type Attempt = (good: boolean) => Promise<Response>;
const json = (body: unknown) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

/** By operation: attempts of somebody new, and the status of a good and of a bad one. */
const LIMITED: Record<string, { good: number; bad: number; limit: number; prepare: () => Promise<Attempt> }> =
  {
    "post /api/v1/auth/login": {
      good: 200,
      bad: 401,
      limit: ATTEMPTS,
      prepare: async () => {
        const { username } = await newUser(api, admin.token);
        return (good) => api.login(username, good ? PASSWORD : "wrong");
      },
    },
    "post /api/v1/auth/session": {
      good: 204,
      bad: 401,
      limit: ATTEMPTS,
      prepare: async () => {
        const { username } = await newUser(api, admin.token);
        return (good) =>
          api.fetch("/api/v1/auth/session", json({ username, password: good ? PASSWORD : "wrong" }));
      },
    },
    "post /api/v1/auth/password": {
      good: 204,
      bad: 400,
      limit: ATTEMPTS,
      prepare: async () => {
        const { id, username } = await newUser(api, admin.token);
        let version = 0;
        return async (good) => {
          const token = await api.tokenOf(id, username, "producer", version);
          const current_password = good ? PASSWORD : "wrong";
          const body = { current_password, new_password: PASSWORD };
          const response = await api.call(token, "POST", "/api/v1/auth/password", body);
          // Each change ends the tokens of the version before.
          if (response.status === 204) version += 1;
          return response;
        };
      },
    },
    "post /api/v1/data/ingest": {
      good: 202,
      bad: 400,
      limit: ATTEMPTS,
      prepare: async () => {
        const { token } = await api.tokenFor("producer", { requests_per_minute: ATTEMPTS });
        return (good) => api.ingest(token, good ? JSON.stringify(batchOf(1)) : "{}");
      },
    },
    "post /api/v2/write": {
      good: 204,
      bad: 400,
      limit: ATTEMPTS,
      prepare: async () => {
        const { token } = await api.tokenFor("producer", { requests_per_minute: ATTEMPTS });
        const path = `/api/v2/write?bucket=${batchOf(1).system_id}`;
        return (good) => api.call(token, "POST", path, good ? "pump a=1" : "# nothing");
      },
    },
  };

test("every operation that the document says to be limited is tried here", async () => {
  const document = (await (await api.app.request("/openapi.json")).json()) as OpenApiDocument;
  const limited = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations as Record<string, { responses?: Record<string, unknown> }>)
      // The other reason for it is too many at once, which has no budget.
      .filter(([, operation]) => JSON.stringify(operation.responses?.["429"])?.includes("rate-limited"))
      .map(([method]) => `${method} ${path}`),
  );
  expect(limited.sort()).toEqual(Object.keys(LIMITED).sort());
});

describe.each(Object.entries(LIMITED))("%s", (operation, { good, bad, limit, prepare }) => {
  test("tells what is left in good answers and in refusals, and when to come back", async () => {
    const attempt = await prepare();
    const first = await attempt(true);
    expect(first.status).toBe(good);
    expect(told(first)).toMatchObject({ limit, remaining: limit - 1 });
    const second = await attempt(false);
    expect(second.status).toBe(bad);
    expect(told(second)).toMatchObject({ limit, remaining: limit - 2 });
    for (let i = 2; i < limit; i += 1) await attempt(false);
    const speaksInflux = operation.endsWith("/write");
    await refusedByLimit(await attempt(true), limit, speaksInflux);
    await refusedByLimit(await attempt(false), limit, speaksInflux);
  });
});

describe("a batch", () => {
  const readings = (response: Response) =>
    ["Limit", "Remaining", "Reset"].map((name) =>
      Number(response.headers.get(`RateLimit-Readings-${name}`) ?? Number.NaN),
    );

  test("tells of both budgets; the one that refuses is told as the limit", async () => {
    const { token } = await api.tokenFor("producer", { requests_per_minute: 20, readings_per_minute: 10 });
    const send = (n: number) => api.ingest(token, JSON.stringify(batchOf(n)));
    const first = await send(7);
    expect(first.status).toBe(202);
    expect(told(first)).toMatchObject({ limit: 20, remaining: 19 });
    expect(readings(first).slice(0, 2)).toEqual([10, 3]);
    expect(readings(first)[2]).toBeWithin(1, 61);
    const refused = await send(4);
    await expectProblem(refused, "rate-limited");
    expect(told(refused)).toMatchObject({ limit: 10, remaining: 3 });
    expect(refused.headers.get("Retry-After")).toBe(refused.headers.get("RateLimit-Reset"));
    expect(readings(refused).slice(0, 2)).toEqual([10, 3]);
    expect(readings(await send(3)).slice(0, 2)).toEqual([10, 0]);
  });

  test("that was refused before it was counted tells of no limit, and after it of what was counted", async () => {
    const { token } = await api.tokenFor("producer", { requests_per_minute: 20 });
    withoutLimit(await api.ingest("", JSON.stringify(batchOf(1))));
    withoutLimit(await api.ingest(token, "x", { "Content-Type": "text/plain" }));
    const envelope = await api.ingest(token, "{}");
    expect(told(envelope)).toMatchObject({ limit: 20, remaining: 19 });
    expect(readings(envelope)[0]).toBeNaN();
    const repeat = () => api.ingest(token, JSON.stringify(batchOf(1)), { "Idempotency-Key": "k" });
    expect(readings(await repeat())[0]).toBe(1_000_000);
    const replayed = await repeat();
    expect(replayed.headers.get("Idempotent-Replayed")).toBe("true");
    expect(told(replayed)).toMatchObject({ limit: 20, remaining: 17 });
    // What was taken already is not taken again.
    expect(readings(replayed)[0]).toBeNaN();
  });
});

describe("a budget", () => {
  test("is the key's own, not its owner's nor that of another key; without limits of its own it has its owner's, or the configuration's", async () => {
    const owner = await api.tokenFor("producer", { requests_per_minute: 1 });
    const usual = await api.tokenFor("producer", { requests_per_minute: null, readings_per_minute: null });
    const make = async (given: object = {}, user_id = owner.id) => {
      const body = { name: "x", scopes: ["ingest"], user_id, ...given };
      const made = await api.call(admin.token, "POST", "/api/v1/keys", body);
      return (await bodyOf<{ secret: string }>(made, 201)).secret;
    };
    const [one, two] = [await make({ requests_per_minute: 2, readings_per_minute: 5 }), await make()];
    const send = (credential: string, n = 1) => api.ingest(credential, JSON.stringify(batchOf(n)));
    expect(told(await send(one))).toMatchObject({ limit: 2, remaining: 1 });
    expect(told(await send(two))).toMatchObject({ limit: 1, remaining: 0 });
    expect(told(await send(await make({}, usual.id), 100))).toMatchObject({ limit: 15, remaining: 14 });
    expect(told(await send(owner.token))).toMatchObject({ limit: 1, remaining: 0 });
    await refusedByLimit(await send(owner.token), 1);
    const tooMany = await send(one, 5);
    await expectProblem(tooMany, "rate-limited");
    expect(told(tooMany)).toMatchObject({ limit: 5, remaining: 4 });
    await refusedByLimit(await send(one), 2);
    await refusedByLimit(await send(two), 1);
  });

  test("counts the attempts on a name over all addresses of logging in", async () => {
    const { username } = await newUser(api, admin.token);
    await loggedIn(api, username);
    const session = await api.fetch("/api/v1/auth/session", json({ username, password: "wrong" }));
    expect(told(session)).toMatchObject({ limit: ATTEMPTS, remaining: ATTEMPTS - 2 });
  });

  test("of the whole address is told when it is nearer to its end", async () => {
    const names = Array.from({ length: 10 * ATTEMPTS }, (_, i) => `nobody ${i}`);
    let last: Response | undefined;
    for (const name of names) last = await api.login(name, "x");
    expect(told(last!)).toMatchObject({ limit: 10 * ATTEMPTS, remaining: 0 });
    await refusedByLimit(await api.login("nobody else", "x"), 10 * ATTEMPTS);
  });
});
