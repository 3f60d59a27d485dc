/** Every 4xx of the registry's routes: status, problem, the field or parameter at fault, and nothing changed. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ProblemName } from "../../../src/contract/problem.ts";
import type { Role } from "../../../src/store/users.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { newSensor, newSystem, pathOf, type TestSensor, type TestSystem } from "../../support/registry.ts";
import { until } from "../../support/until.ts";

let bench: ApiBench;
let api: TestApi;
let engineer: string;
let system: TestSystem;
let sensor: TestSensor;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  engineer = (await api.tokenFor("engineer")).token;
  system = await newSystem(api, engineer, { name: "press", description: "as it was" });
  sensor = await newSensor(api, engineer, system.id, { name: "pump", range: { min: 0, max: 350 } });
});
afterAll(() => bench.close());

/** Where a request goes; `{S}` is the system, `{s}` its sensor, `{?}` an id that nobody has. */
const at = (path: string) =>
  `/api/v1${path}`
    .replace("{S}", system.id)
    .replace("{s}", sensor.id)
    .replace("{?}", "01234567-89ab-4def-8123-456789abcdef");

/** Everything in the registry, to the microsecond. */
async function registry(): Promise<string> {
  const { sql } = bench.database;
  const tables = await Promise.all([
    sql`SELECT s::text FROM diagnostics_system s ORDER BY id`,
    sql`SELECT s::text FROM diagnostics_sensor s ORDER BY id`,
    sql`SELECT r::text FROM diagnostics_sensor_range r ORDER BY sensor_id, version`,
  ]);
  return JSON.stringify(tables);
}

async function expectRefused(
  response: Promise<Response>,
  problem: ProblemName,
  pointer?: string,
): Promise<void> {
  const { errors, detail } = await expectProblem(await response, problem);
  if (pointer === undefined) return;
  expect(errors?.map((e) => e.pointer)).toContain(pointer);
  const name = pointer.split("/").at(-1) ?? "";
  expect(detail).toContain(name);
}

const POST_SYSTEM = ["POST", "/systems"] as const;
const PATCH_SYSTEM = ["PATCH", "/systems/{S}"] as const;
const POST_SENSOR = ["POST", "/systems/{S}/sensors"] as const;
const PATCH_SENSOR = ["PATCH", "/systems/{S}/sensors/{s}"] as const;
const PUT_RANGE = ["PUT", "/systems/{S}/sensors/{s}/range"] as const;
const good = { name: "new", unit: "bar" };

/** Method, path, body, JSON pointer to what is wrong. */
const badBodies: (readonly [string, string, unknown, string])[] = [
  [...POST_SYSTEM, [], ""],
  [...POST_SYSTEM, {}, "/name"],
  [...POST_SYSTEM, { name: "" }, "/name"],
  [...POST_SYSTEM, { name: " press" }, "/name"],
  [...POST_SYSTEM, { name: "press\u00a0" }, "/name"],
  [...POST_SYSTEM, { name: "pre\nss" }, "/name"],
  [...POST_SYSTEM, { name: "pre\u0000ss" }, "/name"],
  [...POST_SYSTEM, { name: "\ud800" }, "/name"],
  [...POST_SYSTEM, { name: "x".repeat(151) }, "/name"],
  [...POST_SYSTEM, { name: 1 }, "/name"],
  [...POST_SYSTEM, { name: "x", id: "1" }, "/id"],
  [...POST_SYSTEM, { name: "x", id: null }, "/id"],
  [...POST_SYSTEM, { name: "x", description: "\u0000" }, "/description"],
  [...POST_SYSTEM, { name: "x", description: "x".repeat(2_001) }, "/description"],
  [...POST_SYSTEM, { name: "x", archived_at: null }, "/archived_at"],
  [...PATCH_SYSTEM, {}, ""],
  [...PATCH_SYSTEM, null, ""],
  [...PATCH_SYSTEM, { name: null }, "/name"],
  [...PATCH_SYSTEM, { id: "{?}" }, "/id"],
  [...POST_SENSOR, { unit: "bar" }, "/name"],
  [...POST_SENSOR, { name: "new" }, "/unit"],
  [...POST_SENSOR, { ...good, unit: "furlong" }, "/unit"],
  [...POST_SENSOR, { ...good, unit: "psi" }, "/unit"],
  [...POST_SENSOR, { ...good, unit: "Bar" }, "/unit"],
  [...POST_SENSOR, { ...good, unit: " bar" }, "/unit"],
  [...POST_SENSOR, { ...good, unit: "x".repeat(33) }, "/unit"],
  [...POST_SENSOR, { ...good, quantity: "temperature" }, "/quantity"],
  [...POST_SENSOR, { ...good, expected_rate_hz: 0 }, "/expected_rate_hz"],
  [...POST_SENSOR, { ...good, expected_rate_hz: -1 }, "/expected_rate_hz"],
  [...POST_SENSOR, { ...good, expected_rate_hz: 1_000_001 }, "/expected_rate_hz"],
  [...POST_SENSOR, { ...good, expected_rate_hz: "1" }, "/expected_rate_hz"],
  [...POST_SENSOR, { ...good, range: {} }, "/range"],
  [...POST_SENSOR, { ...good, range: { min: 1 } }, "/range"],
  [...POST_SENSOR, { ...good, range: { min: 2, max: 2 } }, "/range/min"],
  [...POST_SENSOR, { ...good, system_id: "{?}" }, "/system_id"],
  [...PATCH_SENSOR, {}, ""],
  [...PATCH_SENSOR, { name: "\u007f" }, "/name"],
  [...PATCH_SENSOR, { quantity: "pressure" }, "/quantity"],
  [...PATCH_SENSOR, { unit: "kPa" }, "/unit"],
  [...PATCH_SENSOR, { range: { min: 1, max: 2 } }, "/range"],
  [...PUT_RANGE, { min: 1 }, "/max"],
  [...PUT_RANGE, { max: 1 }, "/min"],
  [...PUT_RANGE, { min: 1, max: 1 }, "/min"],
  [...PUT_RANGE, { min: 0, max: -0 }, "/min"],
  [...PUT_RANGE, { min: "1", max: 2 }, "/min"],
  [...PUT_RANGE, { min: 1, max: 1.1e100 }, "/max"],
  [...PUT_RANGE, '{"min":1,"max":1e400}', "/max"],
  [...PUT_RANGE, '{"min":-1e400,"max":1}', "/min"],
  [...PUT_RANGE, { min: 1, max: 2, valid_from: "tomorrow" }, "/valid_from"],
  [...PUT_RANGE, { min: 1, max: 2, valid_from: "2026-02-30T00:00:00Z" }, "/valid_from"],
  [...PUT_RANGE, { min: 1, max: 2, valid_from: "2020-01-01T00:00:00Z" }, "/valid_from"],
  [...PUT_RANGE, { min: 1, max: 2, valid_from: "2200-01-01T00:00:00Z" }, "/valid_from"],
  [...PUT_RANGE, { min: 1, max: 2, version: 3 }, "/version"],
  [...PUT_RANGE, [], ""],
];

/** Path, and the parameter at fault. */
const badParameters: (readonly [string, string])[] = [
  ["/systems?limit=0", "limit"],
  ["/systems?limit=1001", "limit"],
  ["/systems?limit=1.5", "limit"],
  ["/systems?limit=", "limit"],
  ["/systems?archived=yes", "archived"],
  ["/systems?text=", "text"],
  ["/systems?text=%00", "text"],
  [`/systems?text=${"x".repeat(201)}`, "text"],
  ["/systems?after=x", "after"],
  ["/systems?after=WyJhIl0", "after"],
  [`/systems?after=${Buffer.from('["a","b"]').toString("base64url")}`, "after"],
  [`/systems?after=${Buffer.from('["\\u0000","{?}"]').toString("base64url")}`, "after"],
  [`/systems?after=${"A".repeat(2_001)}`, "after"],
  ["/systems?archive=true", "archive"],
  ["/systems/x", "system_id"],
  ["/systems/{S}0", "system_id"],
  ["/systems/x/sensors", "system_id"],
  ["/systems/{S}/sensors?limit=-1", "limit"],
  ["/systems/{S}/sensors?archived=", "archived"],
  [`/systems/{S}/sensors?after=${Buffer.from('["a","b"]').toString("base64url")}`, "after"],
  ["/systems/{S}/sensors/x", "sensor_id"],
  ["/systems/x/sensors/{s}", "system_id"],
  ["/systems/{S}/sensors/x/range", "sensor_id"],
  ["/systems/{S}/sensors/{s}/ranges?limit=0", "limit"],
  ["/systems/{S}/sensors/{s}/ranges?after=0", "after"],
  ["/systems/{S}/sensors/{s}/ranges?after=2147483648", "after"],
  ["/systems/{S}/sensors/{s}/range/preview", "min"],
  ["/systems/{S}/sensors/{s}/range/preview?min=1", "max"],
  ["/systems/{S}/sensors/{s}/range/preview?min=2&max=1", "min"],
  ["/systems/{S}/sensors/{s}/range/preview?min=NaN&max=1", "min"],
  ["/systems/{S}/sensors/{s}/range/preview?min=0&max=1e101", "max"],
  ["/systems/{S}/sensors/{s}/range/preview?min=0&max=0x10", "max"],
  ["/systems/{S}/sensors/{s}/range/preview?min=0&max=1&from=yesterday", "from"],
  [
    "/systems/{S}/sensors/{s}/range/preview?min=0&max=1&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z",
    "from",
  ],
  [
    "/systems/{S}/sensors/{s}/range/preview?min=0&max=1&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    "from",
  ],
  ["/systems/{S}/sensors/{s}/range/preview?min=0&max=1&points=5", "points"],
];

describe("the registry refuses", () => {
  test.each(badBodies)(
    "%s %s with %j, naming %p, and changes nothing",
    async (method, path, body, pointer) => {
      const before = await registry();
      await expectRefused(
        api.call(engineer, method, at(path), body),
        "invalid-request",
        pointer || undefined,
      );
      expect(await registry()).toBe(before);
    },
  );

  test.each(badParameters)("GET %s, naming %s", async (path, name) => {
    await expectRefused(api.call(engineer, "GET", at(path)), "invalid-request", `/${name}`);
  });

  test("an alias as unit with the name of the canonical one, an unknown unit with a near one", async () => {
    const alias = await api.call(engineer, "POST", at("/systems/{S}/sensors"), { ...good, unit: "psi" });
    expect((await expectProblem(alias, "invalid-request")).detail).toContain("canonical unit is bar");
    const near = await api.call(engineer, "POST", at("/systems/{S}/sensors"), { ...good, unit: "MBAR" });
    expect((await expectProblem(near, "invalid-request")).detail).toContain("mbar");
  });

  test.each([
    ["3", "If-Match"],
    ['"1", x', "If-Match"],
    ["", "If-Match"],
  ])("the If-Match %p, which is no list of entity tags", async (header, name) => {
    const before = await registry();
    const headers = { "If-Match": header };
    const response = api.call(engineer, "PUT", at(PUT_RANGE[1]), { min: 1, max: 2 }, headers);
    await expectRefused(response, "invalid-request", `/${name}`);
    expect(await registry()).toBe(before);
  });

  test.each([
    ["GET", "/systems/{?}", undefined],
    ["PATCH", "/systems/{?}", { name: "x" }],
    ["DELETE", "/systems/{?}", undefined],
    ["POST", "/systems/{?}/restore", undefined],
    ["GET", "/systems/{?}/sensors", undefined],
    ["POST", "/systems/{?}/sensors", good],
    ["POST", "/systems/{?}/sensors", { ...good, range: { min: 0, max: 1 } }],
    ["GET", "/systems/{?}/sensors/{s}", undefined],
    ["PATCH", "/systems/{?}/sensors/{s}", { name: "x" }],
    ["DELETE", "/systems/{?}/sensors/{s}", undefined],
    ["POST", "/systems/{?}/sensors/{s}/restore", undefined],
    ["GET", "/systems/{?}/sensors/{s}/range", undefined],
    ["PUT", "/systems/{?}/sensors/{s}/range", {}],
    ["GET", "/systems/{?}/sensors/{s}/ranges", undefined],
    ["GET", "/systems/{?}/sensors/{s}/range/preview?min=0&max=1", undefined],
  ] as [string, string, unknown][])("%s %s: no such system", async (method, path, body) => {
    const before = await registry();
    await expectRefused(api.call(engineer, method, at(path), body), "system-not-found");
    expect(await registry()).toBe(before);
  });

  test.each([
    ["GET", "/systems/{S}/sensors/{?}", undefined],
    ["PATCH", "/systems/{S}/sensors/{?}", { name: "x" }],
    ["DELETE", "/systems/{S}/sensors/{?}", undefined],
    ["POST", "/systems/{S}/sensors/{?}/restore", undefined],
    ["GET", "/systems/{S}/sensors/{?}/range", undefined],
    ["PUT", "/systems/{S}/sensors/{?}/range", { min: 1, max: 2 }],
    ["GET", "/systems/{S}/sensors/{?}/ranges", undefined],
    ["GET", "/systems/{S}/sensors/{?}/range/preview?min=0&max=1", undefined],
  ] as [string, string, unknown][])("%s %s: no such sensor", async (method, path, body) => {
    await expectRefused(api.call(engineer, method, at(path), body), "sensor-not-found");
  });

  test.each([
    ["malformed-json", "{", {}],
    ["malformed-json", "", {}],
    ["malformed-encoding", "{}", { "Content-Encoding": "gzip" }],
    ["unsupported-content-encoding", "{}", { "Content-Encoding": "br" }],
    ["unsupported-media-type", "{}", { "Content-Type": "text/plain" }],
    ["body-too-large", JSON.stringify({ name: "x".repeat(40_000) }), {}],
  ] as const)("a body with %s, wherever one is taken", async (problem, body, headers) => {
    for (const [method, path] of [POST_SYSTEM, PATCH_SYSTEM, POST_SENSOR, PATCH_SENSOR, PUT_RANGE]) {
      await expectRefused(api.call(engineer, method, at(path), body, headers), problem);
    }
  });
});

describe("the registry", () => {
  const changes = [
    [...POST_SYSTEM, { name: "x" }],
    [...PATCH_SYSTEM, { name: "x" }],
    ["DELETE", "/systems/{S}"],
    ["POST", "/systems/{S}/restore"],
    [...POST_SENSOR, good],
    [...PATCH_SENSOR, { name: "x" }],
    ["DELETE", "/systems/{S}/sensors/{s}"],
    ["POST", "/systems/{S}/sensors/{s}/restore"],
    [...PUT_RANGE, { min: 1, max: 2 }],
  ] as const;
  const reads = [
    "/systems",
    "/systems/{S}",
    "/systems/{S}/sensors",
    "/systems/{S}/sensors/{s}",
    "/systems/{S}/sensors/{s}/range",
    "/systems/{S}/sensors/{s}/ranges",
    "/systems/{S}/sensors/{s}/range/preview?min=0&max=1",
    "/units",
  ];

  test.each(["reviewer", "producer"] as Role[])("is read by a %s, and not changed", async (role) => {
    const { token } = await api.tokenFor(role);
    for (const path of reads) expect((await api.call(token, "GET", at(path))).status, path).toBe(200);
    const before = await registry();
    for (const [method, path, body] of changes) {
      const response = await api.call(token, method, at(path), body);
      expect(response.headers.get("WWW-Authenticate"), `${method} ${path}`).toContain("insufficient_scope");
      await expectProblem(response, "forbidden");
    }
    expect(await registry()).toBe(before);
  });

  test("is for nobody without a token", async () => {
    for (const path of reads) await expectProblem(await api.fetch(at(path)), "authentication-required");
    for (const [method, path] of changes) {
      await expectProblem(await api.fetch(at(path), { method }), "authentication-required");
    }
  });

  test("is away while Postgres is, and back with it; units and tokens need no database", async () => {
    const { token } = await api.tokenFor("admin");
    bench.postgresProxy.refuse();
    const [units, ...away] = await Promise.all([
      api.call(token, "GET", at("/units")),
      ...reads.filter((path) => path !== "/units").map((path) => api.call(token, "GET", at(path))),
      ...changes.map(([method, path, body]) => api.call(token, method, at(path), body)),
    ]).finally(() => bench.postgresProxy.resume());
    expect(units?.status).toBe(200);
    for (const response of away) {
      await expectProblem(response, "service-unavailable");
      expect(Number(response.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
    }
    for (const path of reads) {
      await until(`${path} is answered again`, async () => {
        return (await api.call(token, "GET", at(path))).status === 200;
      });
    }
  });

  test("is changed by an admin", async () => {
    const { token } = await api.tokenFor("admin");
    const own = await newSystem(api, token);
    const made = await newSensor(api, token, own.id);
    expect((await api.call(token, "PUT", `${pathOf(made)}/range`, { min: 1, max: 2 })).status).toBe(200);
  });

  test("answers other methods with 405 and those that there are", async () => {
    const response = await api.call(engineer, "PUT", at("/systems/{S}"), {});
    await expectProblem(response, "method-not-allowed");
    expect(response.headers.get("Allow")).toBe("GET, HEAD, PATCH, DELETE");
  });
});
