/** Counts of the quarantine: equal to GROUP BY whichever way they are made, and honest where they are bounded. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { QuarantineCounts } from "../../../src/contract/quarantine-review.ts";
import { REFUSAL_REASONS } from "../../../src/contract/refusal.ts";
import { REVIEW_STATUSES } from "../../../src/contract/review-status.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { registerSensors, sensorId, systemId } from "../../support/hourly.ts";
import { BEGIN_MS, insertRefusals, randomRefusals, type Visitor, visitor } from "./quarantined.ts";

let bench: ApiBench;
let api: TestApi;
let reviewer: Visitor;
const rows = randomRefusals(2_000, 11);
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  reviewer = await visitor(api);
  // The second system is registered nowhere.
  await registerSensors(bench.database.sql, 1, 3);
  await insertRefusals(bench.database.sql, rows);
});
afterAll(() => bench.close());

type Filter = Partial<
  Record<"job_id" | "system_id" | "sensor_id" | "reason" | "status" | "from" | "to" | "q", string>
>;
const day = (n: number) => new Date(BEGIN_MS + n * 86_400_000).toISOString();

const CONDITIONS: Record<keyof Filter, (value: string) => string> = {
  job_id: (id) => `job_id = '${id}'`,
  system_id: (id) => `system_id = '${id}'`,
  sensor_id: (id) => `sensor_id = '${id}'`,
  reason: (words) => `reason = ANY('{${words}}')`,
  status: (words) => (words === "any" ? "true" : `review_status = ANY('{${words}}')`),
  from: (at) => `quarantined_at >= '${at}'`,
  to: (at) => `quarantined_at < '${at}'`,
  q: (text) => `strpos(lower(reason_details), lower('${text}')) > 0`,
};

/** Readings by a column, with all filters but that column's own. */
async function grouped(filter: Filter, own: keyof Filter | null, column: string) {
  const given = { status: "pending", ...filter };
  const conditions = (Object.entries(given) as [keyof Filter, string][]).flatMap(([name, value]) =>
    name === own ? [] : [CONDITIONS[name](value)],
  );
  const found = await bench.database.sql.unsafe<{ value: string; n: number }[]>(
    `SELECT ${column} AS value, count(*)::int AS n FROM diagnostics_quarantined_reading
     WHERE ${["true", ...conditions].join(" AND ")} AND ${column} IS NOT NULL GROUP BY 1`,
  );
  return Object.fromEntries(found.map(({ value, n }) => [value, n]));
}

const numbers = (items: readonly { id: string; count: number }[]) =>
  Object.fromEntries(items.map(({ id, count }) => [id, count]));
const withZeros = (names: readonly string[], found: Record<string, number>) =>
  Object.fromEntries(names.map((name) => [name, { count: found[name] ?? 0, capped: false }]));

const FILTERS: readonly Filter[] = [
  {},
  { status: "any" },
  { status: "approved,fixed", reason: "duplicate,out_of_range" },
  { system_id: systemId(2), status: "any" },
  { sensor_id: sensorId(1, 2), reason: "duplicate" },
  { system_id: systemId(2), sensor_id: sensorId(1, 2) },
  { job_id: rows[0]!.job_id, status: "any" },
  { job_id: rows[500]!.job_id, reason: "parse_error,duplicate", q: "bar" },
  { q: "PRESSURE", status: "any" },
  { q: "of _it", system_id: systemId(1), reason: "invalid_unit", from: day(1) },
  { q: "is nowhere" },
  { q: "%" },
  { q: "o", sensor_id: sensorId(1, 2), status: "any" },
  { from: day(1), to: day(2) },
  { from: day(1), status: "any", reason: "duplicate", system_id: systemId(1) },
  { to: day(1), sensor_id: sensorId(2, 1), status: "any" },
  { from: day(1), system_id: systemId(1), sensor_id: sensorId(1, 3) },
  { from: day(20) },
];

describe("counts", () => {
  test.each(FILTERS)("of %j are those of GROUP BY", async (filter) => {
    const counts = await reviewer.json<QuarantineCounts>(`/counts?${new URLSearchParams(filter)}`);
    const all = await grouped(filter, null, "true");
    expect(counts.total).toEqual({ count: all.true ?? 0, capped: false });
    expect(counts.reasons as object).toEqual(
      withZeros(REFUSAL_REASONS, await grouped(filter, "reason", "reason")),
    );
    expect(counts.statuses as object).toEqual(
      withZeros(REVIEW_STATUSES, await grouped(filter, "status", "review_status")),
    );
    expect(numbers(counts.systems)).toEqual(await grouped(filter, "system_id", "system_id"));
    expect(numbers(counts.sensors)).toEqual(await grouped(filter, "sensor_id", "sensor_id"));
  });

  test("come with names, largest first, at most 50", async () => {
    const { systems, sensors } = await reviewer.json<QuarantineCounts>("/counts?status=any");
    expect(Object.fromEntries(systems.map(({ id, name }) => [id, name]))).toEqual({
      [systemId(1)]: "system 1",
      [systemId(2)]: null,
    });
    expect(sensors.find(({ id }) => id === sensorId(1, 2))).toMatchObject({
      name: "sensor 2",
      system_id: systemId(1),
    });
    const sizes = sensors.map(({ count }) => count);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  });

  test("end at a bound when they are made from the table", async () => {
    const system = systemId(7);
    await bench.database.sql`
      INSERT INTO diagnostics_quarantined_reading (job_id, ordinal, system_id, raw, reason, reason_details, quarantined_at)
      SELECT gen_random_uuid(), 0, ${system}, '{}', 'parse_error', 'seven', ${day(50)} FROM generate_series(1, 10_001)`;
    const capped = { count: 10_000, capped: true };
    for (const query of [`from=${day(40)}`, "q=seven"]) {
      const counts = await reviewer.json<QuarantineCounts>(`/counts?${query}&system_id=${system}`);
      // Looked at are fewer than would be counted.
      const found = query.startsWith("q") ? { count: 5_000, capped: true } : capped;
      expect(counts.total).toEqual(found);
      expect(counts.reasons.parse_error).toEqual(found);
      expect(counts.statuses.pending).toEqual(found);
      expect(counts.systems[0]).toMatchObject({ id: system, capped: true });
      expect(counts.systems[0]?.count).toBeWithin(1_000, 10_001);
    }
    const exact = await reviewer.json<QuarantineCounts>(`/counts?system_id=${system}`);
    expect(exact.total).toEqual({ count: 10_001, capped: false });
  });
});
