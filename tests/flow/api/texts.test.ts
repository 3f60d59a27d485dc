/** Texts that nothing of ours may hold are refused by the name of their field, wherever somebody may send a text. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiBench, type TestApi, type TestUser } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { newSystem, type TestSystem } from "../../support/registry.ts";

let bench: ApiBench;
let api: TestApi;
let admin: TestUser;
let system: TestSystem;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ config: { LOGIN_ATTEMPTS_PER_MINUTE: 1_000 } });
  admin = await api.tokenFor("admin");
  system = await newSystem(api, admin.token);
});
afterAll(() => bench.close());

const ID = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a77";
/** What JSON can write, by what is told of it. */
const UNUSABLE = { NUL: "a\0b", "half of a surrogate pair": "a\ud83d" } as const;

/** Method, path, pointer of a text, and a body that has it. */
const FIELDS: [string, string, string, (text: string) => object][] = [
  ["POST", "/auth/login", "/username", (username) => ({ username, password: "x" })],
  ["POST", "/auth/login", "/password", (password) => ({ username: "x", password })],
  ["POST", "/auth/session", "/username", (username) => ({ username, password: "x" })],
  [
    "POST",
    "/auth/password",
    "/new_password",
    (p) => ({ current_password: "x", new_password: `${p} long enough` }),
  ],
  ["POST", "/users", "/username", (username) => ({ username, password: "long enough", role: "admin" })],
  ["POST", "/users", "/note", (note) => ({ username: "u", password: "long enough", role: "admin", note })],
  ["PATCH", `/users/${ID}`, "/note", (note) => ({ active: false, note })],
  ["POST", "/keys", "/name", (name) => ({ name, scopes: ["read"] })],
  ["POST", "/systems", "/name", (name) => ({ name })],
  ["POST", "/systems", "/description", (description) => ({ name: "x", description })],
  ["PATCH", "/systems/:system", "/description", (description) => ({ description })],
  ["POST", "/systems/:system/sensors", "/unit", (unit) => ({ name: "x", unit })],
  ["PUT", "/systems/:system/mappings", "/name", (name) => ({ name, sensor_id: ID })],
  ["PUT", "/systems/:system/mappings", "/unit", (unit) => ({ name: "x", sensor_id: ID, unit })],
  [
    "POST",
    "/webhooks",
    "/description",
    (d) => ({ url: "https://x.example", events: ["job.failed"], description: d }),
  ],
  ["POST", "/alerts/1/acknowledge", "/note", (note) => ({ note })],
  ["POST", "/quarantine/actions", "/note", (note) => ({ action: "reject", selection: { ids: [1] }, note })],
  [
    "POST",
    "/quarantine/actions",
    "/selection/filter/q",
    (q) => ({ action: "reject", selection: { filter: { q } } }),
  ],
  [
    "POST",
    "/quarantine/actions",
    "/change/set/unit",
    (unit) => ({ action: "fix", selection: { ids: [1] }, change: { set: { unit } } }),
  ],
];
const send = (method: string, path: string, body: object) =>
  api.call(admin.token, method, `/api/v1${path.replace(":system", system.id)}`, body);

describe("a text in a body", () => {
  for (const [what, text] of Object.entries(UNUSABLE)) {
    test.each(FIELDS)(`with ${what} is refused: %s %s %s`, async (method, path, pointer, bodyWith) => {
      const response = await send(method, path, bodyWith(text));
      const { errors, detail } = await expectProblem(response, "invalid-request");
      expect(errors?.map((item) => item.pointer)).toEqual([pointer]);
      expect(errors?.[0]?.detail).toContain(what);
      expect(detail).toStartWith(`${pointer}: `);
    });
  }

  test.each(FIELDS)("that is too long is refused: %s %s %s", async (method, path, pointer, bodyWith) => {
    const { errors } = await expectProblem(
      await send(method, path, bodyWith("x".repeat(8_000))),
      "invalid-request",
    );
    expect(errors?.map((item) => item.pointer)).toContain(pointer);
    await expectProblem(await send(method, path, bodyWith("x".repeat(1_048_576))), "body-too-large");
  });

  test("may be the name of a member, deep down, and be wrong in many places", async () => {
    const tags = { "a\0": "x", "b~/c": "\ud83d" };
    const body = { measurement: "m", field: "f", tags, sensor_id: ID };
    const { errors } = await expectProblem(
      await send("PUT", "/systems/:system/mappings", body),
      "invalid-request",
    );
    expect(errors?.map(({ pointer }) => pointer)).toEqual(["/tags/a\0", "/tags/b~0~1c"]);
    const deep = `${'{"a":['.repeat(1_500)}"\\u0000"${"]}".repeat(1_500)}`;
    const answer = await api.call(admin.token, "POST", "/api/v1/systems", deep);
    expect((await expectProblem(answer, "invalid-request")).errors?.[0]?.pointer).toEndWith("/a/0");
    const many = { name: Array.from({ length: 500 }, () => "\0") };
    const { errors: first } = await expectProblem(await send("POST", "/systems", many), "invalid-request");
    expect(first?.map(({ pointer }) => pointer)).toEqual(Array.from({ length: 20 }, (_, i) => `/name/${i}`));
  });

  test("may have every other character", async () => {
    const name = "Prüfstand 7 – 油圧 🛠";
    const made = await send("POST", "/systems", { name, description: "a\tb\n\ud83d\udee0\ufffd" });
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ name, description: "a\tb\n🛠\ufffd" });
  });
});

const QUERIES: [string, string][] = [
  ["/quarantine", "q"],
  ["/quarantine/counts", "q"],
  ["/audit", "action"],
  ["/audit", "subject_id"],
  ["/systems", "text"],
  ["/systems/:system/sensors", "text"],
  ["/systems/:system/mappings", "text"],
];
describe("a text in a query", () => {
  const look = (path: string, name: string, text: string) =>
    api.call(admin.token, "GET", `/api/v1${path.replace(":system", system.id)}?${name}=${text}`);

  test.each(QUERIES)("with NUL is refused: %s %s", async (path, name) => {
    const { errors } = await expectProblem(await look(path, name, "a%00b"), "invalid-request");
    expect(errors?.map(({ pointer }) => pointer)).toEqual([`/${name}`]);
    expect(errors?.[0]?.detail).toContain("NUL");
  });

  test.each(QUERIES)("that is empty or too long is refused: %s %s", async (path, name) => {
    for (const text of ["", "x".repeat(8_000)]) {
      const { errors } = await expectProblem(await look(path, name, text), "invalid-request");
      expect(errors?.[0]?.detail).toContain(`${name} must be a text of 1 to`);
    }
  });

  test.each(QUERIES)("that is no UTF-8 breaks nothing: %s %s", async (path, name) => {
    for (const text of ["%ED%A0%BD", "%FF", "%", "%F0%9F"]) {
      expect([200, 400]).toContain((await look(path, name, text)).status);
    }
  });
});
