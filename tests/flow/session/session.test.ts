/** The session of a browser: the cookie, what it opens, and what another site cannot do with it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { expectProblem } from "../../support/problem.ts";

const PATH = "/api/v1/auth/session";
let bench: ApiBench;
let api: TestApi;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ config: { LOGIN_ATTEMPTS_PER_MINUTE: 3 } });
});
afterAll(() => bench.close());
beforeEach(async () => {
  const keys = await bench.redis.keys("limit:login*");
  if (keys.length > 0) await bench.redis.del(...keys);
});

const begin = (username: string, password: string, headers: Record<string, string> = {}) =>
  api.fetch(PATH, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ username, password }),
  });
const cookieOf = (response: Response) => response.headers.get("Set-Cookie")?.split(";")[0] ?? "";
async function loggedIn(role: "admin" | "producer" = "admin") {
  const user = await api.createUser(role);
  return { ...user, cookie: cookieOf(await begin(user.username, user.password)) };
}
const send = (
  cookie: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: object,
) =>
  api.fetch(path, {
    method,
    headers: { Cookie: cookie, ...(body ? { "Content-Type": "application/json" } : {}), ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

describe("a session", () => {
  test("begins with a cookie that no script reads, and tells who is logged in", async () => {
    const user = await api.createUser("reviewer");
    const response = await begin(user.username, user.password);
    expect(response.status).toBe(204);
    const header = response.headers.get("Set-Cookie") ?? "";
    expect(header.split("; ").slice(1).sort()).toEqual([
      "HttpOnly",
      "Max-Age=3600",
      "Path=/",
      "SameSite=Strict",
    ]);
    const answer = await send(cookieOf(response), "GET", PATH);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    const session = (await answer.json()) as { user: object; expires_at: string };
    expect(session.user).toEqual({ id: user.id, username: user.username, role: "reviewer", systems: null });
    expect(Date.parse(session.expires_at) - Date.now()).toBeWithin(3_500_000, 3_600_001);
  });

  test.each(["https", "https, http", " HTTPS"])("is Secure when a proxy says %p", async (forwarded) => {
    const user = await api.createUser("producer");
    const headers = { "X-Forwarded-Proto": forwarded };
    expect((await begin(user.username, user.password, headers)).headers.get("Set-Cookie")).toContain(
      "Secure",
    );
  });

  test("is forgotten at its end, also without a cookie", async () => {
    const { cookie } = await loggedIn();
    for (const headers of [{ Cookie: cookie, "Sec-Fetch-Site": "same-origin" }, {}]) {
      const response = await api.fetch(PATH, { method: "DELETE", headers });
      expect(response.status).toBe(204);
      expect(response.headers.get("Set-Cookie")).toMatch(/^hydraulic_session=; Max-Age=0; Path=\/; HttpOnly/);
    }
  });

  test("shares the throttle of the login, and its refusals", async () => {
    const user = await api.createUser("producer");
    await expectProblem(await begin(user.username, "wrong"), "invalid-credentials");
    await expectProblem(await api.login(user.username, "wrong"), "invalid-credentials");
    await expectProblem(await begin("nobody", "wrong"), "invalid-credentials");
    await expectProblem(await begin(user.username, "wrong"), "invalid-credentials");
    const refused = await begin(user.username, user.password);
    await expectProblem(refused, "rate-limited");
    expect(refused.headers.get("Set-Cookie")).toBeNull();
    await expectProblem(await api.login(user.username, user.password), "rate-limited");
    await expectProblem(await api.fetch(PATH, { method: "POST", body: "x" }), "unsupported-media-type");
  });

  test("is over when its token has expired, and not there without one", async () => {
    await expectProblem(await api.fetch(PATH), "authentication-required");
    await expectProblem(await send("hydraulic_session=forged", "GET", PATH), "invalid-token");
    const { cookie } = await loggedIn();
    const later = await bench.start({ clock: new ManualClock(Date.now() + 3_601_000) });
    await expectProblem(await later.fetch(PATH, { headers: { Cookie: cookie } }), "invalid-token");
  });

  test("gives way to a header that names a token", async () => {
    const { cookie } = await loggedIn();
    const producer = await api.tokenFor("producer");
    const response = await send(cookie, "GET", PATH, { Authorization: `Bearer ${producer.token}` });
    expect(await response.json()).toMatchObject({ user: { id: producer.id } });
    await expectProblem(
      await send(cookie, "GET", PATH, { Authorization: "Basic eDp5" }),
      "authentication-required",
    );
  });
});

/** What browsers send with a request of another site's page; the last one from another port of this host. */
const FOREIGN = [
  { "Sec-Fetch-Site": "cross-site" },
  { "Sec-Fetch-Site": "same-site", Origin: "http://127.0.0.1:1" },
  { Origin: "http://evil.example" },
  { Origin: "null" },
];

describe("a log-in by a page", () => {
  test.each(FOREIGN)("of others is refused: it would be somebody else's session (%j)", async (headers) => {
    const user = await api.createUser("producer");
    const response = await begin(user.username, user.password, headers);
    await expectProblem(response, "cross-site-request");
    expect(response.headers.get("Set-Cookie")).toBeNull();
  });

  test("of this service counts, also behind a proxy with TLS", async () => {
    const user = await api.createUser("producer");
    const { host, origin } = new URL(api.server.url);
    for (const headers of [
      { "Sec-Fetch-Site": "same-origin" },
      { Origin: origin },
      { Origin: `https://${host}`, "X-Forwarded-Proto": "https" },
    ]) {
      expect((await begin(user.username, user.password, headers)).status).toBe(204);
    }
  });
});

describe("a change by cookie", () => {
  const change = async (headers: Record<string, string>) => {
    const { cookie } = await loggedIn("producer");
    return send(cookie, "POST", "/api/v1/data/ingest", headers, batchOf(1));
  };

  test("counts when a page of this service sends it", async () => {
    const { origin } = new URL(api.server.url);
    expect((await change({ "Sec-Fetch-Site": "same-origin" })).status).toBe(202);
    expect((await change({ Origin: origin })).status).toBe(202);
    const behindTls = { Origin: origin.replace("http:", "https:"), "X-Forwarded-Proto": "https" };
    expect((await change(behindTls)).status).toBe(202);
  });

  test.each([
    [{}],
    [{ "Sec-Fetch-Site": "cross-site" }],
    [{ "Sec-Fetch-Site": "same-site" }],
    [{ "Sec-Fetch-Site": "none" }],
    [{ Origin: "http://evil.example" }],
    [{ Origin: "null" }],
    [{ Origin: "http://127.0.0.1:1" }],
    [{ Origin: "http://evil.example", "X-Forwarded-Proto": "https" }],
  ])("is refused with %j", async (headers) => {
    await expectProblem(await change(headers), "cross-site-request");
    const { cookie } = await loggedIn("producer");
    const response = await send(cookie, "DELETE", PATH, headers);
    await expectProblem(response, "cross-site-request");
    expect(response.headers.get("Set-Cookie")).toBeNull();
  });

  test("is refused although Sec-Fetch-Site contradicts a good Origin", async () => {
    const { origin } = new URL(api.server.url);
    await expectProblem(
      await change({ Origin: origin, "Sec-Fetch-Site": "cross-site" }),
      "cross-site-request",
    );
  });

  test("needs nothing of the kind with a bearer token", async () => {
    const { token } = await api.tokenFor("producer");
    const headers = { "Sec-Fetch-Site": "cross-site", Cookie: "hydraulic_session=x" };
    expect((await api.ingest(token, JSON.stringify(batchOf(1)), headers)).status).toBe(202);
  });
});
