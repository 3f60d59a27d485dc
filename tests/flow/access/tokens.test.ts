/** Tokens end before their time, everywhere, and outages neither open nor close anything. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import {
  EVERYWHERE_MS,
  loggedIn,
  newUser,
  PASSWORD,
  refusedEverywhere,
  statusOf,
} from "../../support/access.ts";
import { ApiBench, batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { until } from "../../support/until.ts";

let bench: ApiBench;
let one: TestApi;
let two: TestApi;
let admin: TestUser;
beforeAll(async () => {
  bench = await ApiBench.create();
  const config = { LOGIN_ATTEMPTS_PER_MINUTE: 1_000 };
  [one, two] = [await bench.start({ config }), await bench.start({ config })];
  admin = await one.tokenFor("admin");
});
afterAll(() => bench.close());
afterEach(() => {
  bench.postgresProxy.resume();
  bench.redisProxy.resume();
});

/** An account with two tokens. */
async function twoTokens() {
  const user = await newUser(one, admin.token);
  const tokens = [await loggedIn(one, user.username), await loggedIn(two, user.username)] as const;
  for (const api of [one, two]) for (const token of tokens) expect(await statusOf(api, token)).toBe(200);
  return { user, tokens };
}
const change = (id: string, body: object) => one.call(admin.token, "PATCH", `/api/v1/users/${id}`, body);

describe("a token ends everywhere", () => {
  test("when it is logged out, and the user's others go on", async () => {
    const { tokens } = await twoTokens();
    expect((await one.call(tokens[0], "POST", "/api/v1/auth/logout")).status).toBe(204);
    expect(await statusOf(one, tokens[0])).toBe(401);
    await refusedEverywhere([one, two], tokens[0]);
    for (const api of [one, two]) expect(await statusOf(api, tokens[1])).toBe(200);
    const { detail } = await expectProblem(await two.ingest(tokens[0], "{}"), "invalid-token");
    expect(detail).toContain("ended by a logout");
  });

  test("when its user logs out everywhere, with all others", async () => {
    const { tokens } = await twoTokens();
    const response = await one.call(tokens[0], "POST", "/api/v1/auth/logout?everywhere=true");
    expect(response.status).toBe(204);
    for (const token of tokens) await refusedEverywhere([one, two], token);
  });

  test("when the browser's session ends, which forgets the cookie", async () => {
    const { tokens } = await twoTokens();
    const headers = { Cookie: `hydraulic_session=${tokens[1]}`, "Sec-Fetch-Site": "same-origin" };
    const response = await two.fetch("/api/v1/auth/session", { method: "DELETE", headers });
    expect(response.status).toBe(204);
    await refusedEverywhere([one, two], tokens[1]);
    expect(await statusOf(one, tokens[0])).toBe(200);
  });

  test("when its user changes the password; the new one logs in, the old one does not", async () => {
    const { user, tokens } = await twoTokens();
    const body = { current_password: PASSWORD, new_password: "another horse" };
    const response = await one.call(tokens[0], "POST", "/api/v1/auth/password", body);
    expect(response.status).toBe(204);
    for (const token of tokens) await refusedEverywhere([one, two], token);
    await expectProblem(await two.login(user.username, PASSWORD), "invalid-credentials");
    expect(await statusOf(two, await loggedIn(one, user.username, "another horse"))).toBe(200);
  });

  test("when an admin sets the password", async () => {
    const { user, tokens } = await twoTokens();
    const path = `/api/v1/users/${user.id}/password`;
    expect((await one.call(admin.token, "POST", path, { password: "another horse" })).status).toBe(204);
    for (const token of tokens) await refusedEverywhere([one, two], token);
  });

  test("when its user gets another role", async () => {
    const { user, tokens } = await twoTokens();
    expect((await change(user.id, { role: "engineer" })).status).toBe(200);
    for (const token of tokens) await refusedEverywhere([one, two], token);
  });

  test("when its user is deactivated, and does not come back with the user", async () => {
    const { user, tokens } = await twoTokens();
    expect((await change(user.id, { active: false })).status).toBe(200);
    for (const token of tokens) await refusedEverywhere([one, two], token);
    await expectProblem(await two.login(user.username, PASSWORD), "invalid-credentials");
    expect((await change(user.id, { active: true })).status).toBe(200);
    for (const token of tokens) await refusedEverywhere([one, two], token);
    expect(await statusOf(two, await loggedIn(one, user.username))).toBe(200);
  });

  test("when somebody deactivates the user by hand in the database", async () => {
    const { user, tokens } = await twoTokens();
    await bench.database.sql`UPDATE diagnostics_user SET active = false WHERE id = ${user.id}`;
    for (const token of tokens) await refusedEverywhere([one, two], token);
  });

  test("with the answers that it holds open", async () => {
    const user = await newUser(one, admin.token, { role: "reviewer" });
    const token = await loggedIn(one, user.username);
    const response = await two.call(token, "GET", "/api/v1/overview/events");
    expect(response.status).toBe(200);
    const ended = response.text();
    await one.call(token, "POST", "/api/v1/auth/logout");
    const within = await Promise.race([
      ended.then(() => "ended"),
      Bun.sleep(EVERYWHERE_MS).then(() => "open"),
    ]);
    expect(within).toBe("ended");
  });
});

describe("a change of limits and systems", () => {
  test("counts for tokens that are out already, without a new login", async () => {
    const { user, tokens } = await twoTokens();
    const system_id = crypto.randomUUID();
    await bench.database.sql`INSERT INTO diagnostics_system (id, name) VALUES (${system_id}, 'press')`;
    const session = async () =>
      (await (await two.call(tokens[0], "GET", "/api/v1/auth/session")).json()) as {
        user: { systems: unknown };
      };
    expect((await session()).user.systems).toBeNull();
    expect((await change(user.id, { systems: [system_id], readings_per_minute: 3 })).status).toBe(200);
    await until("the other process knows", async () => (await session()).user.systems !== null);
    expect((await session()).user.systems).toEqual([system_id]);
    const batch = JSON.stringify(batchOf(4, system_id));
    const { detail } = await expectProblem(await two.ingest(tokens[0], batch), "rate-limited");
    expect(detail).toContain("At most 3 readings a minute");
  });
});

describe("an outage of Postgres", () => {
  test("locks nobody out who was known, and lets nobody in who was refused", async () => {
    const { user, tokens } = await twoTokens();
    const other = await twoTokens();
    expect((await one.call(other.tokens[0], "POST", "/api/v1/auth/logout")).status).toBe(204);
    await refusedEverywhere([one, two], other.tokens[0]);
    bench.postgresProxy.refuse();
    for (const api of [one, two]) {
      expect(await statusOf(api, tokens[0])).toBe(200);
      expect((await api.ingest(tokens[1], JSON.stringify(batchOf(1)))).status).toBe(202);
      expect(await statusOf(api, other.tokens[0])).toBe(401);
    }
    // Nobody can be told of an end that is written nowhere, so the token goes on, and the client learns it.
    const response = await one.call(tokens[0], "POST", "/api/v1/auth/logout");
    await expectProblem(response, "service-unavailable");
    expect(await statusOf(one, tokens[0])).toBe(200);
    bench.postgresProxy.resume();
    await until("it is written again", async () => {
      const { status } = await one.call(tokens[0], "POST", "/api/v1/auth/logout");
      return status === 204 || status === 401;
    });
    await refusedEverywhere([one, two], tokens[0]);
    expect(user.active).toBe(true);
  });

  test("is a 503 for a token of somebody whom this process has not met, not a 401", async () => {
    const late = await bench.start();
    bench.postgresProxy.refuse();
    const user = await one.createUser("producer");
    const token = await one.tokenOf(user.id, user.username, "producer");
    const response = await late.call(token, "GET", "/api/v1/auth/session");
    await expectProblem(response, "service-unavailable");
    expect(response.headers.get("Retry-After")).toBeString();
    bench.postgresProxy.resume();
    await until("it is let in", async () => (await statusOf(late, token)) === 200);
  });

  test("a logout by cookie forgets the cookie although the end cannot be written", async () => {
    const { tokens } = await twoTokens();
    bench.postgresProxy.refuse();
    const headers = { Cookie: `hydraulic_session=${tokens[0]}`, "Sec-Fetch-Site": "same-origin" };
    const response = await one.fetch("/api/v1/auth/session", { method: "DELETE", headers });
    expect(response.status).toBe(503);
    expect(response.headers.get("Set-Cookie")).toContain("Max-Age=0");
  });
});

describe("an outage of Redis", () => {
  test("changes nothing about who is let in; tokens end all the same", async () => {
    const { tokens } = await twoTokens();
    bench.redisProxy.refuse();
    for (const api of [one, two]) for (const token of tokens) expect(await statusOf(api, token)).toBe(200);
    expect((await one.call(tokens[0], "POST", "/api/v1/auth/logout")).status).toBe(204);
    await refusedEverywhere([one, two], tokens[0]);
    expect(await statusOf(two, tokens[1])).toBe(200);
    bench.redisProxy.resume();
    for (const api of [one, two]) {
      await until("Redis is back", async () => (await api.fetch("/readyz")).status === 200);
    }
  });
});

describe("a token of a user", () => {
  test("whom the database does not have is refused, soon also when the row was there", async () => {
    const token = await one.tokenOf(crypto.randomUUID(), "nobody", "admin");
    await expectProblem(await one.call(token, "GET", "/api/v1/auth/session"), "invalid-token");
  });

  test("counts refusals by kind", async () => {
    const text = async () => (await one.fetch("/metrics")).text();
    const counted = async (kind: string) =>
      Number(new RegExp(`auth_failures_total\\{kind="${kind}"\\} (\\d+)`).exec(await text())?.[1] ?? 0);
    const before = await Promise.all(["missing", "forged", "role", "password"].map(counted));
    await one.fetch("/api/v1/auth/session");
    await one.call("x.y.z", "GET", "/api/v1/auth/session");
    const producer = await one.tokenFor("producer");
    await one.call(producer.token, "GET", "/api/v1/users");
    await one.login(admin.username, "wrong password");
    const after = await Promise.all(["missing", "forged", "role", "password"].map(counted));
    expect(after.map((n, i) => n - before[i]!)).toEqual([1, 1, 1, 1]);
    expect(await text()).toMatch(/access_register_age_seconds [\d.]+/);
  });
});
