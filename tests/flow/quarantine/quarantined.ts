/** Quarantined readings straight into the table, and what a plain statement says of them. */
import { REFUSAL_REASONS, type RefusalReason } from "../../../src/contract/refusal.ts";
import { REVIEW_STATUSES, type ReviewStatus } from "../../../src/contract/review-status.ts";
import { INCIDENT_COLUMNS, mergeDefinitions } from "../../../src/store/incident-merge.ts";
import type { Sql } from "../../../src/store/pool.ts";
import { CHANGED_TOTALS } from "../../../src/store/queries/quarantine-totals.ts";
import type { TestApi } from "../../support/api.ts";
import { sensorId, systemId } from "../../support/hourly.ts";

export interface Refused {
  readonly job_id: string;
  readonly ordinal: number;
  readonly system_id: string;
  readonly sensor_id: string | null;
  readonly timestamp: string | null;
  readonly value: number | null;
  readonly unit: string | null;
  readonly raw: unknown;
  readonly reason: RefusalReason;
  readonly reason_details: string;
  readonly review_status: ReviewStatus;
  readonly quarantined_at: string;
}

/** Two days after it everything below is over. */
export const BEGIN_MS = Date.UTC(2026, 5, 1);
const MINUTE_MS = 60_000;

/** The same numbers from 0 up to 1 for the same seed. */
export function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Random refusals of 2 systems with 3 sensors each over 3 days; jobs share their quarantined_at. */
export function randomRefusals(count: number, seed: number): Refused[] {
  const random = chance(seed);
  const of = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const jobs = Array.from({ length: Math.ceil(count / 10) }, () => ({
    job_id: crypto.randomUUID(),
    at_ms: BEGIN_MS + Math.floor(random() * 4_320) * MINUTE_MS,
    system: of([1, 2]),
  }));
  return Array.from({ length: count }, (_, i) => {
    const { job_id, at_ms, system } = jobs[Math.floor(i / 10)]!;
    const at_us = (at_ms - Math.floor(random() * 90) * MINUTE_MS) * 1000 + Math.floor(random() * 1_000_000);
    const value = Math.floor(random() * 1_000);
    return {
      job_id,
      ordinal: i % 10,
      system_id: systemId(system),
      sensor_id: random() < 0.1 ? null : sensorId(system, of([1, 2, 3])),
      timestamp: random() < 0.1 ? null : microseconds(at_us),
      value,
      unit: random() < 0.2 ? null : 'b"a,r\n',
      raw: { value, text: 'quote " comma , line\n end \u0000' },
      reason: of(REFUSAL_REASONS),
      reason_details: of([
        "pressure is above 700 bar",
        "100% of _it_",
        'a\\b, “quoted” "text"\r\n',
        "Nothing",
      ]),
      review_status: of(REVIEW_STATUSES),
      quarantined_at: new Date(at_ms).toISOString(),
    };
  });
}

function microseconds(at_us: number): string {
  const whole = new Date(Math.floor(at_us / 1000)).toISOString().slice(0, 19);
  return `${whole}.${String(at_us % 1_000_000).padStart(6, "0")}Z`;
}

/** One statement, as the writer's COPY is. */
export async function insertRefusals(sql: Sql, rows: readonly Refused[]): Promise<void> {
  // As text, because a record set of json takes no \\u0000.
  const given = rows.map((row) => ({ ...row, raw: JSON.stringify(row.raw) }));
  await sql`
    INSERT INTO diagnostics_quarantined_reading (job_id, ordinal, system_id, sensor_id, "timestamp", value, unit, quality,
      raw, reason, reason_details, review_status, quarantined_at)
    SELECT job_id, ordinal, system_id, sensor_id, "timestamp", value, unit, 95, raw::json, reason, reason_details,
      review_status, quarantined_at
    FROM json_to_recordset(${JSON.stringify(given)}::text::json) AS r (job_id uuid, ordinal int, system_id uuid, sensor_id uuid,
      "timestamp" timestamptz, value float8, unit text, raw text, reason text, reason_details text, review_status text,
      quarantined_at timestamptz)`;
}

/** A reader of the API by its role. */
export async function visitor(
  api: TestApi,
  role: "admin" | "engineer" | "reviewer" | "producer" = "reviewer",
) {
  const { token } = await api.tokenFor(role);
  const get = (path: string, headers: Record<string, string> = {}) =>
    api.fetch(path.startsWith("/api") ? path : `/api/v1/quarantine${path}`, {
      headers: { Authorization: `Bearer ${token}`, ...headers },
    });
  const json = async <T>(path: string): Promise<T> => {
    const response = await get(path);
    if (response.status !== 200) throw new Error(`${path}: ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  };
  /** Every item of every page. */
  const pages = async <T>(path: string): Promise<T[]> => {
    const items: T[] = [];
    let link: string | null = path;
    while (link !== null) {
      const page: { items: T[]; next: string | null } = await json(link);
      items.push(...page.items);
      link = page.next;
    }
    return items;
  };
  return { token, get, json, pages };
}
export type Visitor = Awaited<ReturnType<typeof visitor>>;

type Rows = readonly unknown[];

/** Totals by system, sensor and reason, and incidents: as readers make them, and by plain statements over the readings. */
export async function sumsAndTruth(
  sql: Sql,
): Promise<{ readonly totals: readonly [Rows, Rows]; readonly incidents: readonly [Rows, Rows] }> {
  const counts = REVIEW_STATUSES.map((s) => `sum(${s})::int AS ${s}`).join(", ");
  const counted = REVIEW_STATUSES.map(
    (s) => `count(*) FILTER (WHERE review_status = '${s}')::int AS ${s}`,
  ).join(", ");
  const series = "system_id, sensor_id, reason";
  return sql.begin("isolation level repeatable read read only", async (tx) => {
    const rows = async (text: string): Promise<Rows> => [...(await tx.unsafe(text))];
    const moments = `SELECT system_id, coalesce(sensor_id, '00000000-0000-0000-0000-000000000000') AS sensor_id, reason,
      review_status, id, CASE WHEN reason = 'invalid_timestamp' OR "timestamp" IS NULL THEN quarantined_at
        ELSE "timestamp" END AS at FROM diagnostics_quarantined_reading`;
    const totals = await rows(
      `SELECT ${series}, ${counts} FROM (${CHANGED_TOTALS}) t GROUP BY ${series} ORDER BY ${series}`,
    );
    const trueTotals = await rows(
      `SELECT ${series}, ${counted} FROM (${moments}) m GROUP BY ${series} ORDER BY ${series}`,
    );
    const shown = `${series}, first_at::text, last_at::text, sample_id, ${REVIEW_STATUSES.map((s) => `${s}::int`).join(", ")}`;
    const incidents = await rows(`WITH ${mergeDefinitions("diagnostics_quarantine_change", { take: false })}
      SELECT ${shown} FROM (SELECT ${INCIDENT_COLUMNS} FROM merged UNION ALL
        SELECT ${INCIDENT_COLUMNS} FROM diagnostics_quarantine_incident
        WHERE (${series}, last_at) NOT IN (SELECT ${series}, last_at FROM touched)) i ORDER BY ${series}, last_at`);
    const trueIncidents = await rows(`SELECT ${series}, min(at)::text AS first_at, max(at)::text AS last_at,
        max(id) AS sample_id, ${counted}
      FROM (SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY ${series} ORDER BY at, id) AS nth
        FROM (SELECT *, (at <= lag(at) OVER (PARTITION BY ${series} ORDER BY at, id) + interval '1 hour') IS NOT TRUE AS begins
          FROM (${moments}) m) b) n
      GROUP BY ${series}, nth ORDER BY ${series}, max(at)`);
    return { totals: [totals, trueTotals], incidents: [incidents, trueIncidents] };
  });
}
