/** Accounts over HTTP: who may make and change them, what is refused, and what is on record. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { UserView } from "../../../src/contract/access.ts";
import { loggedIn, newUser, PASSWORD } from "../../support/access.ts";
import { ApiBench, type TestApi, type TestUser } from "../../support/api.ts";
import { auditOf } from "../../support/audit.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, linkedPages, newSystem } from "../../support/registry.ts";

const PATH = "/api/v1/users";
let bench: ApiBench;
let api: TestApi;
let admin: TestUser;
let mine: string;
let foreign: string;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ config: { LOGIN_ATTEMPTS_PER_MINUTE: 1_000 } });
  admin = await api.tokenFor("admin");
  mine = (await newSystem(api, admin.token)).id;
  foreign = (await newSystem(api, admin.token)).id;
});
afterAll(() => bench.close());

const post = (body: object, token = admin.token) => api.call(token, "POST", PATH, body);
const patch = (id: string, body: object, token = admin.token) =>
  api.call(token, "PATCH", `${PATH}/${id}`, body);
const get = (id: string, token = admin.token) => api.call(token, "GET", `${PATH}/${id}`);
const list = (token = admin.token) => linkedPages<UserView>(api, token, `${PATH}?limit=2`);
const record = (id: string) => auditOf(api, admin.token, "user", id);

describe("an account", () => {
  test("is made with all that was asked for, can log in, and is on record without its password", async () => {
    const given = {
      username: "Öl & Druck 7",
      password: PASSWORD,
      role: "engineer",
      systems: [mine.toUpperCase(), foreign],
      requests_per_minute: 30,
      readings_per_minute: 1_000_000_000_000,
      note: "New in the team",
    };
    const response = await post(given);
    const user = await bodyOf<UserView>(response, 201);
    expect(response.headers.get("Location")).toBe(`${PATH}/${user.id}`);
    const { password: _, note: __, ...expected } = given;
    expect(user).toEqual({
      ...expected,
      role: "engineer",
      systems: [mine, foreign],
      id: user.id,
      active: true,
      issuer: null,
      created_at: user.created_at,
    });
    expect(await bodyOf<UserView>(await get(user.id))).toEqual(user);
    const token = await loggedIn(api, given.username);
    expect(await bodyOf<object>(await api.call(token, "GET", "/api/v1/auth/session"))).toMatchObject({
      user: { id: user.id, role: "engineer", systems: [mine, foreign] },
    });
    const [entry] = await record(user.id);
    expect(entry).toMatchObject({
      action: "user.create",
      actor: admin.id,
      before: null,
      note: "New in the team",
    });
    expect(entry?.after).toEqual({
      username: given.username,
      role: "engineer",
      active: true,
      systems: [mine, foreign],
      requests_per_minute: 30,
      readings_per_minute: 1_000_000_000_000,
    });
  });

  test("is listed by name, page by page, without its password", async () => {
    await newUser(api, admin.token);
    const users = await list();
    const names = users.map(({ username }) => username);
    const [{ names: sorted } = { names: [] }] = await bench.database.sql<{ names: string[] }[]>`
      SELECT json_agg(username ORDER BY username) AS names FROM diagnostics_user`;
    expect(names).toEqual(sorted);
    expect(new Set(names).size).toBe(names.length);
    expect(JSON.stringify(users)).not.toMatch(/argon2|hash|token_version/);
  });

  test.each([
    ["a taken name", { username: "taken" }, "name-taken", "/username"],
    ["blanks at the ends of its name", { username: " x" }, "invalid-request", "/username"],
    ["a name with a control character", { username: "a\tb" }, "invalid-request", "/username"],
    ["a short password", { password: "1234567" }, "invalid-request", "/password"],
    ["an unknown role", { role: "root" }, "invalid-request", "/role"],
    [
      "an empty list of systems, which might be taken for all",
      { systems: [] },
      "invalid-request",
      "/systems",
    ],
    ["a system that is no UUID", { systems: ["press"] }, "invalid-request", "/systems"],
    [
      "a system that is not registered",
      { systems: ["0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"] },
      "invalid-request",
      "/systems/0",
    ],
    ["a limit of 0", { requests_per_minute: 0 }, "invalid-request", "/requests_per_minute"],
    ["a field that there is not", { active: true }, "invalid-request", "/active"],
  ] as const)("with %s is refused, and the field is named", async (_, change, problem, pointer) => {
    await post({ username: "taken", password: PASSWORD, role: "producer" });
    const body = { username: `u-${crypto.randomUUID()}`, password: PASSWORD, role: "producer", ...change };
    const { errors } = await expectProblem(await post(body), problem);
    expect(errors?.[0]?.pointer).toStartWith(pointer);
  });

  test("is changed in what is named alone, with before and after on record", async () => {
    const user = await newUser(api, admin.token, { requests_per_minute: 5 });
    const changed = await bodyOf<UserView>(
      await patch(user.id, { systems: [mine], readings_per_minute: 7, note: "Only press 1" }),
    );
    expect(changed).toEqual({ ...user, systems: [mine], readings_per_minute: 7 });
    const again = await bodyOf<UserView>(
      await patch(user.id, { systems: null, requests_per_minute: null, role: "reviewer" }),
    );
    expect(again).toEqual({ ...changed, systems: null, requests_per_minute: null, role: "reviewer" });
    const entries = await record(user.id);
    expect(entries.map(({ action }) => action)).toEqual(["user.change", "user.change", "user.create"]);
    expect(entries[1]).toMatchObject({
      before: { systems: null, readings_per_minute: null },
      after: { systems: [mine], readings_per_minute: 7 },
      note: "Only press 1",
    });
    await expectProblem(await patch(user.id, {}), "invalid-request");
    await expectProblem(await patch(crypto.randomUUID(), { active: false }), "user-not-found");
    await expectProblem(await patch("x", { active: false }), "invalid-request");
  });

  test("gets a password from an admin, on record without it", async () => {
    const user = await newUser(api, admin.token);
    const path = `${PATH}/${user.id}/password`;
    const response = await api.call(admin.token, "POST", path, {
      password: "new password",
      note: "Forgotten",
    });
    expect(response.status).toBe(204);
    await expectProblem(await api.login(user.username, PASSWORD), "invalid-credentials");
    await loggedIn(api, user.username, "new password");
    const [entry] = await record(user.id);
    expect(entry).toMatchObject({ action: "user.password", before: null, after: null, note: "Forgotten" });
    await expectProblem(await api.call(admin.token, "POST", path, { password: "short" }), "invalid-request");
    const nobody = `${PATH}/${crypto.randomUUID()}/password`;
    await expectProblem(
      await api.call(admin.token, "POST", nobody, { password: PASSWORD }),
      "user-not-found",
    );
  });
});

describe("one's own password", () => {
  const change = (token: string, body: object) => api.call(token, "POST", "/api/v1/auth/password", body);

  test("is changed with the current one, and the actor is its user", async () => {
    const user = await newUser(api, admin.token);
    const token = await loggedIn(api, user.username);
    const wrong = await change(token, { current_password: "wrong", new_password: "new password" });
    const { errors } = await expectProblem(wrong, "invalid-request");
    expect(errors).toEqual([{ pointer: "/current_password", detail: "This is not your current password." }]);
    const short = await change(token, { current_password: PASSWORD, new_password: "short" });
    await expectProblem(short, "invalid-request");
    expect((await change(token, { current_password: PASSWORD, new_password: "new password" })).status).toBe(
      204,
    );
    expect((await record(user.id))[0]).toMatchObject({ action: "user.password", actor: user.id });
  });

  test("is guarded by the throttle of the login, which a stolen token cannot get around", async () => {
    const strict = await bench.start({ config: { LOGIN_ATTEMPTS_PER_MINUTE: 2 } });
    const user = await newUser(api, admin.token);
    const token = await loggedIn(api, user.username);
    const guess = () =>
      strict.call(token, "POST", "/api/v1/auth/password", {
        current_password: "guess",
        new_password: PASSWORD,
      });
    await bench.redis.del(...(await bench.redis.keys("limit:login*")));
    for (let i = 0; i < 2; i += 1) await expectProblem(await guess(), "invalid-request");
    const refused = await guess();
    await expectProblem(refused, "rate-limited");
    expect(refused.headers.get("RateLimit-Limit")).toBe("2");
    await expectProblem(await strict.login(user.username, PASSWORD), "rate-limited");
    await bench.redis.del(...(await bench.redis.keys("limit:login*")));
  });
});

describe("the last admin without limits", () => {
  test.each([[{ active: false }], [{ role: "engineer" }], [{ systems: ["MINE"] }]])(
    "cannot be taken away by %j",
    async (given) => {
      const own = await ApiBench.create();
      try {
        const only = await own.start();
        const last = await only.tokenFor("admin");
        const { id } = await newSystem(only, last.token);
        const change = "systems" in given ? { systems: [id] } : given;
        const refuse = () => only.call(last.token, "PATCH", `${PATH}/${last.id}`, change);
        await expectProblem(await refuse(), "last-admin");
        expect((await only.call(last.token, "GET", PATH)).status).toBe(200);
        await only.tokenFor("admin");
        expect((await refuse()).status).toBeOneOf([200, 404, 401]);
      } finally {
        await own.close();
      }
    },
  );

  test("stays one when two admins take each other away at the same time, again and again", async () => {
    const own = await ApiBench.create();
    try {
      const only = await own.start();
      const [a, b] = [await only.tokenFor("admin"), await only.tokenFor("admin")];
      for (let round = 0; round < 10; round += 1) {
        await own.database.sql`UPDATE diagnostics_user SET active = true WHERE id IN (${a.id}, ${b.id})`;
        await only.register.refresh();
        const [ta, tb] = await Promise.all(
          [a, b].map(async ({ id }) => {
            const [row] = await own.database.sql<{ v: number }[]>`
              SELECT token_version AS v FROM diagnostics_user WHERE id = ${id}`;
            return only.tokenOf(id, "x", "admin", row!.v);
          }),
        );
        await Promise.all([
          only.call(ta!, "PATCH", `${PATH}/${b.id}`, { active: false }),
          only.call(tb!, "PATCH", `${PATH}/${a.id}`, { active: false }),
        ]);
        const [{ n } = { n: 0 }] = await own.database.sql<{ n: number }[]>`
          SELECT count(*)::int AS n FROM diagnostics_user WHERE active`;
        expect(n).toBe(1);
      }
    } finally {
      await own.close();
    }
  });
});

describe("an admin who is limited to systems", () => {
  test("sees and changes only users who are limited to some of these, and grants no more", async () => {
    const limited = await api.tokenFor("admin", { systems: [mine] });
    const within = await newUser(api, admin.token, { systems: [mine] });
    const outside = await newUser(api, admin.token, { systems: [mine, foreign] });
    const everywhere = await newUser(api, admin.token);
    const seen = new Set((await list(limited.token)).map(({ id }) => id));
    expect(seen.has(within.id) && seen.has(limited.id)).toBe(true);
    expect(seen.has(outside.id) || seen.has(everywhere.id) || seen.has(admin.id)).toBe(false);
    for (const { id } of [outside, everywhere]) {
      await expectProblem(await get(id, limited.token), "user-not-found");
      await expectProblem(await patch(id, { active: false }, limited.token), "user-not-found");
      const path = `${PATH}/${id}/password`;
      await expectProblem(
        await api.call(limited.token, "POST", path, { password: PASSWORD }),
        "user-not-found",
      );
    }
    expect((await patch(within.id, { role: "reviewer" }, limited.token)).status).toBe(200);
    const body = { username: `u-${crypto.randomUUID()}`, password: PASSWORD, role: "admin" };
    for (const systems of [null, [foreign], [mine, foreign]]) {
      await expectProblem(await post({ ...body, systems }, limited.token), "forbidden");
      await expectProblem(await patch(within.id, { systems }, limited.token), "forbidden");
    }
    await expectProblem(await post(body, limited.token), "forbidden");
    expect((await post({ ...body, systems: [mine] }, limited.token)).status).toBe(201);
  });
});
