/** A session in use is renewed, not without end, not for whoever may no more, and all of it ends at once. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { tokenId } from "../../../src/api/auth/access-tokens.ts";
import type { Session } from "../../../src/contract/session.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf } from "../../support/registry.ts";
import { sseEvents } from "../../support/sse.ts";

const PATH = "/api/v1/auth/session";
const RENEW = `${PATH}/renew`;
const OWN_PAGE = { "Sec-Fetch-Site": "same-origin" };
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

let bench: ApiBench;
let api: TestApi;
/** Another process of the service. */
let other: TestApi;
const clock = new ManualClock(Math.floor(Date.now() / 1_000) * 1_000);
beforeAll(async () => {
  bench = await ApiBench.create();
  const config = { LOGIN_ATTEMPTS_PER_MINUTE: 1_000, SESSION_MAX_HOURS: 3 };
  api = await bench.start({ clock, config });
  other = await bench.start({ clock, config });
});
afterAll(() => bench.close());

const cookieOf = (response: Response) => response.headers.get("Set-Cookie")?.split(";")[0] ?? "";
const later = (ms: number) => {
  clock.time_ms += ms;
};
async function signedIn() {
  const user = await api.createUser("admin");
  const response = await api.fetch(PATH, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username: user.username, password: user.password }),
  });
  return { ...user, cookie: cookieOf(response) };
}
const renew = (Cookie: string, headers: Record<string, string> = OWN_PAGE, at = api) =>
  at.fetch(RENEW, { method: "POST", headers: { Cookie, ...headers } });
const look = (Cookie: string, at = api) => at.fetch(PATH, { headers: { Cookie } });
const sessionOf = async (response: Response): Promise<Session> => {
  expect(response.status).toBe(200);
  return bodyOf<Session>(response);
};

test("is renewed in the second half of its token's life, and not before", async () => {
  const { cookie } = await signedIn();
  later(29 * MINUTE_MS);
  const early = await renew(cookie);
  expect(early.headers.get("Set-Cookie")).toBeNull();
  expect((await sessionOf(early)).expires_in).toBe(31 * 60);
  later(2 * MINUTE_MS);
  const response = await renew(cookie);
  expect((await sessionOf(response)).expires_in).toBe(60 * 60);
  expect(response.headers.get("Set-Cookie")?.split("; ").slice(1).sort()).toEqual([
    "HttpOnly",
    "Max-Age=3600",
    "Path=/",
    "SameSite=Strict",
  ]);
  // Another tab's request with the cookie of before may be on its way.
  expect((await look(cookie)).status).toBe(200);
  later(40 * MINUTE_MS);
  await expectProblem(await look(cookie), "invalid-token");
  expect((await sessionOf(await look(cookieOf(response), other))).expires_in).toBe(20 * 60);
});

test("stays Secure behind a proxy with TLS", async () => {
  const { cookie } = await signedIn();
  later(31 * MINUTE_MS);
  const response = await renew(cookie, { ...OWN_PAGE, "X-Forwarded-Proto": "https" });
  expect(response.headers.get("Set-Cookie")).toContain("; Secure");
});

test("ends at its longest life, however often it is renewed", async () => {
  let { cookie } = await signedIn();
  const began_ms = clock.now_ms();
  const { renewable_until } = await sessionOf(await look(cookie));
  expect(Math.floor(Date.parse(renewable_until ?? "") / 1000)).toBe(Math.floor(began_ms / 1000) + 3 * 3_600);
  for (let minutes = 31; minutes < 180; minutes += 31) {
    later(31 * MINUTE_MS);
    const response = await renew(cookie);
    const session = await sessionOf(response);
    expect(session.renewable_until).toBe(renewable_until);
    expect(Date.parse(session.expires_at ?? "")).toBeLessThanOrEqual(Date.parse(renewable_until ?? ""));
    cookie = cookieOf(response) || cookie;
  }
  clock.time_ms = began_ms + 3 * HOUR_MS - MINUTE_MS;
  const last = await renew(cookie);
  expect(last.headers.get("Set-Cookie")).toBeNull();
  expect((await sessionOf(last)).expires_at).toBe(renewable_until);
  later(MINUTE_MS);
  await expectProblem(await renew(cookie), "invalid-token");
  await expectProblem(await look(cookie), "invalid-token");
});

test("is renewed by a page of this service alone", async () => {
  const { cookie } = await signedIn();
  later(31 * MINUTE_MS);
  const foreign = [
    {},
    { "Sec-Fetch-Site": "cross-site" },
    { Origin: "http://evil.example" },
    { Origin: "null" },
  ];
  for (const headers of foreign) {
    const response = await renew(cookie, headers);
    await expectProblem(response, "cross-site-request");
    expect(response.headers.get("Set-Cookie")).toBeNull();
  }
  await expectProblem(await api.fetch(RENEW, { method: "POST" }), "authentication-required");
});

test("is the only thing that is renewed: a token of its own stays as it is", async () => {
  const { token } = await api.tokenFor("reviewer");
  later(59 * MINUTE_MS);
  for (const headers of [
    { Authorization: `Bearer ${token}` },
    { Cookie: `hydraulic_session=${token}`, ...OWN_PAGE },
  ]) {
    const response = await api.fetch(RENEW, { method: "POST", headers });
    expect(response.headers.get("Set-Cookie")).toBeNull();
    expect(await sessionOf(response)).toMatchObject({ expires_in: 60, renewable_until: null });
  }
});

test("ends with all its tokens when its visitor leaves, in every process", async () => {
  const { cookie } = await signedIn();
  later(31 * MINUTE_MS);
  const renewed = cookieOf(await renew(cookie));
  const stream = await api.fetch("/api/v1/overview/events", { headers: { Cookie: cookie } });
  const events = sseEvents(stream);
  await events.next();
  expect(
    (await api.fetch(PATH, { method: "DELETE", headers: { Cookie: renewed, ...OWN_PAGE } })).status,
  ).toBe(204);
  for (const one of [cookie, renewed]) {
    await expectProblem(await look(one), "invalid-token");
    const again = await renew(one);
    await expectProblem(again, "invalid-token");
    expect(again.headers.get("Set-Cookie")).toBeNull();
  }
  for await (const _ of events);
  // A process of the version before knows no sessions, only tokens.
  const left = tokenId(renewed.slice(renewed.indexOf("=") + 1));
  expect(await bench.database.sql`SELECT 1 FROM diagnostics_ended_token WHERE id = ${left}`).toHaveLength(1);
  await other.register.refresh();
  for (const one of [cookie, renewed]) await expectProblem(await look(one, other), "invalid-token");
});

test("is not renewed for whoever may no more", async () => {
  const admin = await api.tokenFor("admin");
  const changes = [
    ["PATCH", "", { active: false }, 200],
    ["PATCH", "", { role: "producer" }, 200],
    ["POST", "/password", { password: "another good password" }, 204],
  ] as const;
  for (const [method, rest, body, status] of changes) {
    const { id, cookie } = await signedIn();
    later(31 * MINUTE_MS);
    // The admin's own is older by now than a token may be.
    const token = await api.tokenOf(admin.id, admin.username, "admin");
    expect((await api.call(token, method, `/api/v1/users/${id}${rest}`, body)).status).toBe(status);
    const response = await renew(cookie);
    await expectProblem(response, "invalid-token");
    expect(response.headers.get("Set-Cookie")).toBeNull();
  }
});

test("is counted", async () => {
  const text = await (await api.fetch("/metrics")).text();
  for (const event of ["begun", "renewed", "ended"]) {
    expect(text).toMatch(new RegExp(`access_sessions_total\\{event="${event}"\\} [1-9]`));
  }
});
