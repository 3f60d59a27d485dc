/** One quarantined reading with what a decision needs, and the document about all routes of the quarantine. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FormatRegistry, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { isUuid } from "../../../src/contract/job-id.ts";
import {
  IncidentPageSchema,
  QuarantineCountsSchema,
  type QuarantinedReadingDetail,
  QuarantinedReadingDetailSchema,
  QuarantineListSchema,
} from "../../../src/contract/quarantine-review.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { connect, registerSensors, sensorId, storeReadings, systemId } from "../../support/hourly.ts";
import { expectProblem } from "../../support/problem.ts";
import {
  BEGIN_MS,
  insertRefusals,
  type Refused,
  randomRefusals,
  type Visitor,
  visitor,
} from "./quarantined.ts";

FormatRegistry.Set("uuid", isUuid);
FormatRegistry.Set("date-time", (text) => !Number.isNaN(Date.parse(text)));
FormatRegistry.Set("uri-reference", (text) => URL.canParse(text, "http://x/"));

let bench: ApiBench;
let api: TestApi;
let reviewer: Visitor;
let sql: ReturnType<typeof connect>;
const AT_MS = BEGIN_MS + 10 * 3_600_000;
const at = (offset_s: number) => new Date(AT_MS + offset_s * 1000).toISOString();
const [template] = randomRefusals(1, 3);

/** Refused at once. @returns its id */
async function refuse(fields: Partial<Refused>): Promise<number> {
  const job_id = crypto.randomUUID();
  const row = {
    ...template!,
    system_id: systemId(1),
    sensor_id: sensorId(1, 1),
    review_status: "pending" as const,
  };
  await insertRefusals(bench.database.sql, [
    { ...row, job_id, quarantined_at: at(5), timestamp: at(0), ...fields },
  ]);
  const found = await bench.database.sql<{ id: string }[]>`
    SELECT id FROM diagnostics_quarantined_reading WHERE job_id = ${job_id}`;
  return Number(found[0]!.id);
}
const detail = (id: number) => reviewer.json<QuarantinedReadingDetail>(`/${id}`);
const faults = (schema: TSchema, value: unknown) =>
  [...Value.Errors(schema, value)].map((error) => `${error.path} ${error.message}`);

beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  reviewer = await visitor(api);
  sql = connect(bench.database.url, 1);
  await registerSensors(sql, 1, 2);
  const steady = Array.from({ length: 7_200 }, (_, i) => ({
    system: 1,
    sensor: 1,
    time_ms: AT_MS + (i - 3_600) * 1000,
    value: i,
  }));
  await storeReadings(sql, steady);
});
afterAll(async () => {
  await sql.end();
  await bench.close();
});

describe("a quarantined reading", () => {
  test("in conflict comes with the stored one, its sensor and what is around", async () => {
    const near = await refuse({ timestamp: at(-60), reason: "out_of_range", review_status: "rejected" });
    const late = await refuse({ timestamp: at(30), quarantined_at: at(90_000), reason: "duplicate" });
    await refuse({ timestamp: at(-1_801) });
    await refuse({ sensor_id: sensorId(1, 2) });
    const id = await refuse({ reason: "duplicate", value: 7 });
    const found = await detail(id);
    expect(faults(QuarantinedReadingDetailSchema, found)).toEqual([]);
    expect(found).toMatchObject({
      id,
      value: 7,
      raw: template!.raw,
      system: { id: systemId(1), name: "system 1" },
      sensor: { id: sensorId(1, 1), name: "sensor 1", quantity: "pressure", unit: "bar" },
      stored: { value: 3_600, unit: "bar", quality: 100 },
      rule: null,
      history: [],
    });
    const { around } = found;
    expect([Date.parse(around.from), Date.parse(around.to)]).toEqual([AT_MS - 1_800_000, AT_MS + 1_800_000]);
    expect(around.items.length).toBe(450);
    expect(around.items[0]).toMatchObject({ min: 1_800, avg: 1_803.5, max: 1_807 });
    // Also one of the same time that was sent much later.
    expect(around.refused.map((r) => r.id)).toEqual([near, late]);
    expect((await detail(late)).around.refused.map((r) => r.id)).toEqual([near, id]);
  });

  test("of a short recording comes with all of it, drawn as fine as it is", async () => {
    const sensor_id = sensorId(1, 8);
    const quick = Array.from({ length: 2_000 }, (_, i) => ({
      system: 1,
      sensor: 8,
      time_ms: AT_MS + (i - 1_000) * 10 + 5,
      value: i,
    }));
    await storeReadings(sql, quick);
    const { around } = await detail(await refuse({ sensor_id }));
    const half_ms = (Date.parse(around.to) - Date.parse(around.from)) / 2;
    expect(half_ms).toBeWithin(10_000, 11_000);
    expect(around.items.length).toBeGreaterThan(400);
    expect([around.items[0]!.min, around.items.at(-1)!.max]).toEqual([0, 1_999]);
  });

  test("of a fast sensor comes with the readings that are nearest, and with all refused ones", async () => {
    const sensor_id = sensorId(1, 7);
    const fast = Array.from({ length: 12_000 }, (_, i) => ({
      system: 1,
      sensor: 7,
      time_ms: AT_MS + (i - 6_000) * 10 + 5,
      value: i,
    }));
    await storeReadings(sql, fast);
    const id = await refuse({ sensor_id });
    const alone = (await detail(id)).around;
    expect((Date.parse(alone.to) - Date.parse(alone.from)) / 2).toBeWithin(20_000, 22_000);
    const other = await refuse({ sensor_id, timestamp: at(50) });
    const { around } = await detail(id);
    expect(Date.parse(around.to)).toBeWithin(AT_MS + 50_000, AT_MS + 53_000);
    expect(around.refused.map((r) => r.id)).toEqual([other]);
  });

  test("among many comes with the nearest 500 of the hour around it", async () => {
    const sensor_id = sensorId(1, 9);
    const before: number[] = [];
    for (let i = 1; i <= 6; i += 1)
      before.unshift(await refuse({ sensor_id, timestamp: at(-i), reason: "parse_error" }));
    const id = await refuse({ sensor_id, reason: "invalid_unit" });
    // One a second from two minutes later on, and more after the hour.
    for (const [from, to] of [
      [120, 700],
      [4_000, 5_000],
    ] as const) {
      await bench.database.sql`
        INSERT INTO diagnostics_quarantined_reading (job_id, ordinal, system_id, sensor_id, "timestamp", raw, reason, reason_details)
        SELECT gen_random_uuid(), 0, ${systemId(1)}, ${sensor_id}, ${at(0)}::timestamptz + n * interval '1 second', '{}', 'duplicate', 'x'
        FROM generate_series(${from}::int, ${to}::int) n`;
    }
    const { refused } = (await detail(id)).around;
    expect(refused.slice(0, 7).map((r) => r.id)).toEqual([...before, expect.any(Number)]);
    expect(refused.length).toBe(500);
    expect(Date.parse(refused[6]!.timestamp)).toBe(AT_MS + 120_000);
    expect(Date.parse(refused.at(-1)!.timestamp)).toBe(AT_MS + (120 + 500 - 7) * 1000);
  });

  test("without a sensor or a system that is registered is shown all the same", async () => {
    const id = await refuse({ sensor_id: null, system_id: systemId(9), timestamp: null });
    const found = await detail(id);
    expect(faults(QuarantinedReadingDetailSchema, found)).toEqual([]);
    expect(found).toMatchObject({ system: null, sensor: null, stored: null, rule: null });
    expect(found.around).toMatchObject({ items: [], refused: [] });
  });

  test("comes with the range that refused it and its record", async () => {
    const { sql } = bench.database;
    const author = await api.createUser("engineer");
    await sql`INSERT INTO diagnostics_sensor_range (sensor_id, version, min_value, max_value, valid_from, author)
      VALUES (${sensorId(1, 2)}, 1, 0, 350, ${at(-1_000)}, ${author.id})`;
    const id = await refuse({ sensor_id: sensorId(1, 2), reason: "out_of_range" });
    await sql`UPDATE diagnostics_quarantined_reading SET range_version = 1 WHERE id = ${id}`;
    for (const action of ["reject", "reopen"]) {
      await sql`INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, before, note)
        VALUES (${author.id}, 'somebody', ${action}, 'reading', ${String(id)}, '{"review_status":"pending"}', 'why')`;
    }
    await sql`INSERT INTO diagnostics_audit (actor_name, action, subject_type, subject_id)
      VALUES ('service', 'raise', 'alert', ${String(id)})`;
    const found = await detail(id);
    expect(faults(QuarantinedReadingDetailSchema, found)).toEqual([]);
    expect(found.rule).toMatchObject({ version: 1, min: 0, max: 350, author_name: author.username });
    expect(found.history.map(({ action, before, note }) => [action, before, note])).toEqual([
      ["reopen", { review_status: "pending" }, "why"],
      ["reject", { review_status: "pending" }, "why"],
    ]);
  });

  test("that does not exist is not found", async () => {
    await expectProblem(await reviewer.get("/999999999999"), "quarantined-reading-not-found");
  });
});

interface Operation {
  readonly parameters: { name: string; in: string }[];
  readonly responses: Record<string, { content?: Record<string, { example?: unknown }> }>;
}

describe.each([
  ["", QuarantineListSchema],
  ["/counts", QuarantineCountsSchema],
  ["/incidents", IncidentPageSchema],
  ["/{id}", QuarantinedReadingDetailSchema],
] as const)("the document about /api/v1/quarantine%s", (path, schema) => {
  test("has an example and an answer as it says, every status and every parameter", async () => {
    const id = await refuse({});
    const { paths } = (await (await api.fetch("/openapi.json")).json()) as {
      paths: Record<string, { get: Operation }>;
    };
    const { parameters, responses } = paths[`/api/v1/quarantine${path}`]!.get;
    const filled = path.replace("{id}", String(id));
    expect(faults(schema, responses["200"]?.content?.["application/json"]?.example)).toEqual([]);
    expect(faults(schema, await reviewer.json(filled))).toEqual([]);
    expect(Object.keys(responses)).toEqual(
      expect.arrayContaining(["200", "304", "400", "401", "403", "503", "504"]),
    );
    const { detail } = (await (await reviewer.get(`${filled}?unknown=1`)).json()) as { detail: string };
    const taken = detail.split("there are: ")[1]?.replace(/\.$/, "").split(", ").filter(Boolean) ?? [];
    const described = parameters.filter((p) => p.in === "query").map((p) => p.name);
    expect(taken.sort()).toEqual(described.sort());
  });
});
