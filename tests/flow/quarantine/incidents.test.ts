/** Incidents: equal to a slow walk over all readings, whatever the filter, the page and the state of the sums. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { decodeIncidentKey } from "../../../src/contract/incident-key.ts";
import type { Incident, QuarantineCounts } from "../../../src/contract/quarantine-review.ts";
import type { ReviewStatus } from "../../../src/contract/review-status.ts";
import { DedicatedSession } from "../../../src/store/dedicated-session.ts";
import { foldQuarantineChanges } from "../../../src/store/quarantine-upkeep.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { HOUR_MS, registerSensors, sensorId, systemId } from "../../support/hourly.ts";
import {
  BEGIN_MS,
  insertRefusals,
  type Refused,
  randomRefusals,
  type Visitor,
  visitor,
} from "./quarantined.ts";

let bench: ApiBench;
let api: TestApi;
let reviewer: Visitor;
let session: DedicatedSession;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  reviewer = await visitor(api);
  const { url } = bench.database;
  session = await DedicatedSession.open({ url, application_name: "fold", statement_deadline_ms: 10_000 });
  await registerSensors(bench.database.sql, 1, 3);
  const rows = randomRefusals(2_000, 23);
  await insertRefusals(bench.database.sql, rows.slice(0, 1_200));
  await foldQuarantineChanges(session);
  await insertRefusals(bench.database.sql, rows.slice(1_200));
});
afterAll(async () => {
  await session.close();
  await bench.close();
});

interface Moment {
  readonly id: number;
  readonly system_id: string;
  readonly sensor_id: string | null;
  readonly reason: Refused["reason"];
  readonly review_status: ReviewStatus;
  readonly at_us: number;
}
interface Expected {
  readonly series: string;
  first_us: number;
  last_us: number;
  ids: number[];
  readonly statuses: Record<ReviewStatus, number>;
}
const HOUR_US = HOUR_MS * 1000;

/** One reading after the other, each joined to the incident of its series that it follows closely. */
async function oracle(): Promise<Expected[]> {
  const moments = await bench.database.sql<Moment[]>`
    SELECT id::int AS id, system_id, sensor_id, reason, review_status, (extract(epoch FROM CASE
      WHEN reason = 'invalid_timestamp' OR "timestamp" IS NULL THEN quarantined_at ELSE "timestamp" END) * 1000000)::float8 AS at_us
    FROM diagnostics_quarantined_reading ORDER BY at_us`;
  const open = new Map<string, Expected>();
  const incidents: Expected[] = [];
  for (const { id, system_id, sensor_id, reason, review_status, at_us } of moments) {
    const series = `${system_id}/${sensor_id}/${reason}`;
    let incident = open.get(series);
    if (!incident || at_us - incident.last_us > HOUR_US) {
      const statuses = { pending: 0, approved: 0, rejected: 0, fixed: 0 };
      incident = { series, first_us: at_us, last_us: at_us, ids: [], statuses };
      incidents.push(incident);
      open.set(series, incident);
    }
    incident.last_us = at_us;
    incident.ids.push(id);
    incident.statuses[review_status] += 1;
  }
  return incidents;
}

/** The ids in the order of the moments that incidents go by, the last first. */
async function inTime(ids: readonly number[]): Promise<number[]> {
  const rows = await bench.database.sql<{ id: number }[]>`
    SELECT id::int AS id FROM diagnostics_quarantined_reading WHERE id IN ${bench.database.sql([...ids])}
    ORDER BY CASE WHEN reason = 'invalid_timestamp' OR "timestamp" IS NULL THEN quarantined_at ELSE "timestamp" END DESC,
      id DESC`;
  return rows.map(({ id }) => id);
}

const us = (text: string) =>
  Date.parse(`${text.slice(0, 19)}Z`) * 1000 + Math.round(Number(`0${/\.\d+/.exec(text)?.[0] ?? ""}`) * 1e6);
const plain = (incident: Incident) => ({
  series: `${incident.system_id}/${incident.sensor_id}/${incident.reason}`,
  first_us: us(incident.first_at),
  last_us: us(incident.last_at),
  count: incident.count,
  sample: incident.sample.id,
  statuses: incident.statuses,
});
const expected = ({ ids, ...incident }: Expected) => ({
  ...incident,
  count: ids.length,
  sample: Math.max(...ids),
});
const inOrder = <T extends { series: string; first_us: number }>(items: readonly T[]) =>
  items.toSorted((a, b) => (a.series < b.series ? -1 : a.series > b.series ? 1 : a.first_us - b.first_us));

const [FROM_MS, TO_MS] = [BEGIN_MS + 20 * HOUR_MS, BEGIN_MS + 30 * HOUR_MS];
const has =
  (...statuses: ReviewStatus[]) =>
  (i: Expected) =>
    statuses.some((s) => i.statuses[s] > 0);
const FILTERS: readonly [query: string, choose: (incident: Expected) => boolean][] = [
  ["status=any", () => true],
  ["", has("pending")],
  ["status=approved,fixed", has("approved", "fixed")],
  [`system_id=${systemId(1)}&status=any`, (i) => i.series.startsWith(systemId(1))],
  [`sensor_id=${sensorId(2, 1)}`, (i) => i.series.includes(sensorId(2, 1)) && i.statuses.pending > 0],
  ["reason=duplicate,parse_error&status=any", (i) => /duplicate|parse_error/.test(i.series)],
  [
    `from=${new Date(FROM_MS).toISOString()}&to=${new Date(TO_MS).toISOString()}&status=any`,
    (i) => i.last_us >= FROM_MS * 1000 && i.first_us < TO_MS * 1000,
  ],
];

describe("incidents", () => {
  test.each(FILTERS)("with %s are those of a walk over all readings", async (query, choose) => {
    const found = await reviewer.pages<Incident>(`/incidents?${query}&limit=7`.replace("?&", "?"));
    const last = found.map((i) => us(i.last_at));
    expect(last).toEqual(last.toSorted((a, b) => b - a));
    const wanted = (await oracle()).filter(choose);
    expect(wanted.length).toBeGreaterThan(7);
    expect(inOrder(found.map(plain))).toEqual(inOrder(wanted.map(expected)));
  });

  test("have names where something is registered, and a key that selects their readings", async () => {
    const found = await reviewer.pages<Incident>("/incidents?status=any&limit=200");
    for (const incident of found) {
      const isKnown = incident.system_id === systemId(1);
      expect(incident.system_name).toBe(isKnown ? "system 1" : null);
      expect(incident.unit).toBe(isKnown && incident.sensor_id ? "bar" : null);
      const key = decodeIncidentKey(incident.key)!;
      const { system_id, sensor_id, reason, first_at, last_at } = incident;
      expect(key).toEqual({ system_id, sensor_id, reason, first_at, last_at });
    }
    for (const incident of found.slice(0, 50)) {
      const key = decodeIncidentKey(incident.key)!;
      const [row] = await bench.database.sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM diagnostics_quarantined_reading
        WHERE system_id = ${key.system_id} AND sensor_id IS NOT DISTINCT FROM ${key.sensor_id} AND reason = ${key.reason}
          AND diagnostics_event_at(reason, "timestamp", quarantined_at)
            BETWEEN ${key.first_at}::text::timestamptz AND ${key.last_at}::text::timestamptz`;
      expect(row?.n).toBe(incident.count);
    }
  });

  test("have a key that lists, exports and counts exactly their readings, the last moment first", async () => {
    const found = await reviewer.pages<Incident>("/incidents?status=any&limit=200");
    const wanted = new Map((await oracle()).map((i) => [`${i.series}/${i.first_us}`, i]));
    const bySize = found.toSorted((a, b) => b.count - a.count);
    const large = [null, "any"].flatMap((sensor) =>
      bySize.filter((i) => (i.sensor_id === null) === (sensor === null)).slice(0, 6),
    );
    expect(large.length).toBe(12);
    for (const incident of large) {
      const { ids, statuses } = wanted.get(`${plain(incident).series}/${us(incident.first_at)}`)!;
      const query = `?incident=${incident.key}&status=any`;
      const items = await reviewer.pages<{ id: number }>(`${query}&limit=3`);
      expect(items.map(({ id }) => id)).toEqual(await inTime(ids));
      const ndjson = await (await reviewer.get(`${query}&format=ndjson`)).text();
      expect(
        ndjson
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as object),
      ).toEqual(items);
      const counts = await reviewer.json<QuarantineCounts>(`/counts${query}`);
      expect(counts.total).toEqual({ count: ids.length, capped: false });
      expect(counts.reasons[incident.reason]).toEqual({ count: ids.length, capped: false });
      expect(Object.fromEntries(Object.entries(counts.statuses).map(([s, { count }]) => [s, count]))).toEqual(
        statuses,
      );
      expect(counts.systems).toMatchObject([{ id: incident.system_id, count: ids.length }]);
      expect(counts.sensors).toMatchObject(incident.sensor_id ? [{ id: incident.sensor_id }] : []);
    }
  });

  test("narrow the list together with other filters", async () => {
    const [incident] = (await reviewer.pages<Incident>("/incidents?status=any&limit=200")).toSorted(
      (a, b) => b.count - a.count,
    );
    const items = async (query: string) =>
      (await reviewer.pages<object>(`?incident=${incident!.key}${query}`)).length;
    expect(await items("")).toBe(incident!.statuses.pending);
    expect(await items("&status=rejected,fixed")).toBe(
      incident!.statuses.rejected + incident!.statuses.fixed,
    );
    const other = incident!.reason === "duplicate" ? "parse_error" : "duplicate";
    expect(await items(`&status=any&reason=${other}`)).toBe(0);
    expect(await items(`&status=any&system_id=${systemId(9)}`)).toBe(0);
    expect(await items("&status=any&to=1970-01-02T00:00:00Z")).toBe(0);
    expect(await items(`&status=any&job_id=${crypto.randomUUID()}`)).toBe(0);
  });

  test("stay right when statuses change and the sums are added up", async () => {
    const { sql } = bench.database;
    for (const [from, to] of [
      ["pending", "rejected"],
      ["fixed", "pending"],
    ] as const) {
      await sql`UPDATE diagnostics_quarantined_reading SET review_status = ${to} WHERE review_status = ${from} AND id % 3 = 0`;
      const wanted = inOrder((await oracle()).map(expected));
      expect(inOrder((await reviewer.pages<Incident>("/incidents?status=any&limit=200")).map(plain))).toEqual(
        wanted,
      );
      await foldQuarantineChanges(session);
      expect(inOrder((await reviewer.pages<Incident>("/incidents?status=any&limit=200")).map(plain))).toEqual(
        wanted,
      );
    }
  });

  test("an hour apart belong together, a microsecond more does not", async () => {
    const { sql } = bench.database;
    const [template] = randomRefusals(1, 1);
    const at = (text: string, ordinal: number, job_id: string) => ({
      ...template!,
      job_id,
      ordinal,
      system_id: systemId(5),
      reason: "duplicate" as const,
      timestamp: text,
    });
    const [near, far] = [crypto.randomUUID(), crypto.randomUUID()];
    await insertRefusals(sql, [at("2026-06-01T10:15:00.5Z", 0, near), at("2026-06-01T11:15:00.5Z", 1, near)]);
    await insertRefusals(sql, [
      { ...at("2026-06-01T10:15:00.5Z", 0, far), system_id: systemId(6) },
      { ...at("2026-06-01T11:15:00.500001Z", 1, far), system_id: systemId(6) },
    ]);
    const count = async (system: number) =>
      (await reviewer.pages<Incident>(`/incidents?status=any&system_id=${systemId(system)}`)).length;
    expect([await count(5), await count(6)]).toEqual([1, 2]);
  });
});
