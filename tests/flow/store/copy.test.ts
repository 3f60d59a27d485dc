/** Binary COPY (PostgreSQL documentation, COPY, "Binary Format"): what is encoded comes back, at every extreme. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ReadingColumns } from "../../../src/contract/columns.ts";
import {
  encodeReadings,
  encodeRefusals,
  QUARANTINE_COPY_COLUMNS,
  READING_COPY_COLUMNS,
  rawJson,
} from "../../../src/contract/copy.ts";
import { copyOrder } from "../../../src/contract/order.ts";
import { REFUSAL_REASONS, type Refusal } from "../../../src/contract/refusal.ts";
import { Database } from "../../../src/store/pool.ts";
import { WriterConnection } from "../../../src/store/writer/connection.ts";
import { createTestDatabase, type TestService } from "../../support/test-services.ts";

let service: TestService;
let database: Database;
let connection: WriterConnection;
beforeAll(async () => {
  service = await createTestDatabase();
  database = new Database({ url: service.url, size: 1, query_deadline_ms: 20_000 });
  connection = new WriterConnection({ url: service.url, application_name: "copy-test", deadline_ms: 20_000 });
  // The same types without the hypertable's chunks: timestamps from one end of time to the other.
  await database.sql`CREATE TABLE plain AS SELECT * FROM diagnostics_sensordata WITH NO DATA`;
  await database.sql`ALTER TABLE plain ADD COLUMN ord integer`;
});
afterAll(async () => {
  await connection.close();
  await database.close();
  await service.drop();
});

const SENSORS = [
  "00000000-0000-0000-0000-000000000000",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
  "550e8400-e29b-41d4-a716-446655440000",
];
const SYSTEMS = ["0123abcd-0123-4567-89ab-0123456789ab", "fedcba98-7654-3210-fedc-ba9876543210"];
/** PostgreSQL's timestamps end in the year 294276; dates of ECMAScript in 275760. */
const [FIRST_US, LAST_US] = [Date.UTC(0, 0, 1) * 1000 - 1.9e15, 8_640_000_000_000_000 * 1000];

/** Before it (the year 1715) a double cannot hold the distance to 2000 in whole microseconds. */
const EARLIEST_US = 946_684_800_000_000 - Number.MAX_SAFE_INTEGER;

describe("readings", () => {
  const row = fc.record({
    sensor: fc.constantFrom(...SENSORS),
    timestamp_us: fc.oneof(
      fc.maxSafeInteger().filter((us) => us >= EARLIEST_US),
      fc.constantFrom(
        0,
        -1,
        1,
        946_684_800_000_000,
        946_684_799_999_999,
        4_294_967_296,
        -62_135_596_800_000_000,
        253_402_300_799_999_000,
      ),
    ),
    value: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(-0, 5e-324, 1e308, -1.7976931348623157e308, 0.1),
    ),
    unit: fc.oneof(
      fc.constantFrom("bar", "°C", "µm", "巴", "🛠", "m³/h"),
      fc.string({ minLength: 1, maxLength: 20 }).map((s) => s.replaceAll("\0", "")),
    ),
    quality: fc.float({ min: 50, max: 100, noNaN: true }),
    batch: fc.integer({ min: 0, max: 1 }),
  });

  test("come back bit by bit, in the order asked for", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 40 }), async (rows) => {
        const columns = new ReadingColumns(1);
        rows.forEach((r, i) => {
          columns.push(
            r.batch,
            i,
            columns.sensorIndex(r.sensor),
            r.timestamp_us,
            r.value,
            columns.unitIndex(r.unit),
            r.quality,
          );
        });
        const order = copyOrder(columns);
        await connection.transaction(async (tx) => {
          await tx.query("TRUNCATE plain");
          await tx.copy(
            "plain",
            [...READING_COPY_COLUMNS, "ord"],
            encodeReadings(columns, order, SYSTEMS, true),
          );
        });
        const stored = await database.sql<Record<string, unknown>[]>`
          SELECT sensor_id, (extract(epoch FROM "timestamp") * 1000000)::bigint::text AS us, encode(float8send(value), 'hex') AS value,
                 unit, encode(float4send(quality), 'hex') AS quality, system_id, ord FROM plain ORDER BY ord`;
        expect([...stored]).toEqual(
          [...order].map((position, ord) => {
            const r = rows[position]!;
            const [value, quality] = [Buffer.alloc(8), Buffer.alloc(4)];
            value.writeDoubleBE(r.value);
            quality.writeFloatBE(r.quality);
            return {
              sensor_id: r.sensor,
              us: BigInt(r.timestamp_us).toString(),
              value: value.toString("hex"),
              unit: r.unit,
              quality: quality.toString("hex"),
              system_id: SYSTEMS[r.batch]!,
              ord,
            };
          }),
        );
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  test("at both ends of time", async () => {
    const columns = new ReadingColumns(2);
    for (const [i, us] of [FIRST_US, LAST_US].entries()) {
      columns.push(0, i, columns.sensorIndex(SENSORS[0]!), us, 1, columns.unitIndex("bar"), 100);
    }
    await connection.transaction(async (tx) => {
      await tx.query("TRUNCATE plain");
      await tx.copy("plain", READING_COPY_COLUMNS, encodeReadings(columns, copyOrder(columns), SYSTEMS));
    });
    const stored = await database.sql<{ us: string }[]>`
      SELECT (extract(epoch FROM "timestamp") * 1000000)::numeric(30)::text AS us FROM plain ORDER BY "timestamp"`;
    expect(stored.map(({ us }) => us)).toEqual([FIRST_US, LAST_US].map((us) => BigInt(us).toString()));
  });

  test("none at all is a valid stream", async () => {
    const columns = new ReadingColumns(0);
    await connection.transaction((tx) =>
      tx.copy("plain", READING_COPY_COLUMNS, encodeReadings(columns, copyOrder(columns), [])),
    );
  });
});

describe("refusals", () => {
  const JOB = { job_id: "01890000-0000-7000-8000-000000000000", system_id: SYSTEMS[0]! };
  const base: Refusal = {
    batch: 0,
    ordinal: 0,
    reason: "parse_error",
    details: "",
    raw: null,
    sensor_id: null,
    timestamp_us: null,
    value: null,
    unit: null,
    quality: null,
    range_version: null,
  };
  async function roundTrip(refusals: readonly Refusal[]) {
    await connection.transaction(async (tx) => {
      await tx.query("TRUNCATE diagnostics_quarantined_reading");
      await tx.copy(
        "diagnostics_quarantined_reading",
        QUARANTINE_COPY_COLUMNS,
        encodeRefusals(refusals, [JOB]),
      );
    });
    return database.sql<Record<string, unknown>[]>`
      SELECT ordinal, reason, reason_details AS details, raw::text AS raw, sensor_id,
        (extract(epoch FROM "timestamp") * 1000000)::bigint::text AS us, encode(float8send(value), 'hex') AS value, unit, quality
      FROM diagnostics_quarantined_reading WHERE job_id = ${JOB.job_id} ORDER BY ordinal`;
  }

  test("every nullable column null, and every one filled", async () => {
    const filled: Refusal = {
      ...base,
      ordinal: 1,
      sensor_id: SENSORS[1]!,
      timestamp_us: -1,
      value: -0,
      unit: "巴",
      quality: 0,
      details: "µ\n\t\\N",
    };
    const [empty, full] = await roundTrip([base, filled]);
    expect(empty).toEqual({
      ordinal: 0,
      reason: "parse_error",
      details: "",
      raw: "null",
      sensor_id: null,
      us: null,
      value: null,
      unit: null,
      quality: null,
    });
    expect(full).toEqual({
      ordinal: 1,
      reason: "parse_error",
      details: "µ\n\t\\N",
      raw: "null",
      sensor_id: SENSORS[1],
      us: "-1",
      value: "8000000000000000",
      unit: "巴",
      quality: 0,
    });
  });

  test("every reason is taken", async () => {
    const rows = await roundTrip(REFUSAL_REASONS.map((reason, ordinal) => ({ ...base, ordinal, reason })));
    expect(rows.map(({ reason }) => reason)).toEqual([...REFUSAL_REASONS]);
  });

  test("any JSON value is kept as its text", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ stringUnit: "binary", maxDepth: 6 }), { minLength: 1, maxLength: 30 }),
        async (values) => {
          const rows = await roundTrip(values.map((raw, ordinal) => ({ ...base, ordinal, raw })));
          expect(rows.map(({ raw }) => raw)).toEqual(values.map((value) => JSON.stringify(value)));
        },
      ),
      { numRuns: 60, seed: 7 },
    );
  });

  const nested = (levels: number): unknown => JSON.parse(`${'{"a":['.repeat(levels)}1${"]}".repeat(levels)}`);
  test.each([
    ["NUL and lone surrogates", { "a\0": "\ud800\0\udfff" }],
    ["a megabyte", "é".repeat(500_000)],
    ["infinities", [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ["a key of every prototype", JSON.parse('{"__proto__":{"toJSON":1},"constructor":2}')],
    ["250 pairs of levels", nested(250)],
    ["251 pairs of levels", nested(251)],
    ["10,000 levels", nested(5_000)],
    ["1,000,000 levels", nested(500_000)],
  ])("%s: PostgreSQL takes the text and gives it back", async (_, raw) => {
    const [row] = await roundTrip([{ ...base, raw }]);
    const text = rawJson(raw);
    expect(row!.raw === text).toBe(true);
    expect(typeof JSON.parse(text)).toBe(text.startsWith('"') ? "string" : "object");
  });

  test("deep values are kept as text that says the same", () => {
    const deep = {
      list: nested(300),
      more: [[], {}, -0, 1e308, "x\u2028", null, true],
      inf: Number.POSITIVE_INFINITY,
    };
    const kept = JSON.parse(JSON.parse(rawJson(deep)) as string) as unknown;
    expect(
      Bun.deepEquals(kept, { ...deep, inf: "Infinity", more: [[], {}, 0, 1e308, "x\u2028", null, true] }),
    ).toBe(true);
  });
});
