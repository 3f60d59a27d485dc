/** Quarantined readings as a review reads them, and what is stored under the same keys. */
import type { Reach } from "../../contract/reach.ts";
import type { RefusalReason } from "../../contract/refusal.ts";
import { MAX_SELECTED } from "../../contract/review.ts";
import type { ReviewStatus } from "../../contract/review-status.ts";
import type { Database } from "../pool.ts";
import { arrayOf, ask } from "./ask.ts";
import type { HeldReading, StoredKey } from "./holdings.ts";
import { type Selected, selectionConditions } from "./selection.ts";

export interface QuarantinedRow {
  readonly id: number;
  readonly system_id: string;
  /** When its batch was received, ms since the epoch. */
  readonly received_ms: number;
  /** The reading as sent. */
  readonly raw: unknown;
  readonly reason: RefusalReason;
  readonly sensor_id: string | null;
  /** RFC 3339, or null. */
  readonly timestamp: string | null;
  readonly value: number | null;
  readonly unit: string | null;
  readonly quality: number | null;
  readonly review_status: ReviewStatus;
  readonly reviewed_by_name: string | null;
  readonly reviewed_at: string | null;
}

const RFC3339 = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const ROW = `q.id::float8 AS id, q.system_id, q.raw::text AS raw, q.reason, q.sensor_id, q.value, q.unit, q.quality::text::float8 AS quality,
  ${RFC3339(`q."timestamp"`)} AS "timestamp", q.review_status, u.username AS reviewed_by_name,
  ${RFC3339("q.reviewed_at")} AS reviewed_at,
  (extract(epoch FROM coalesce(j.created_at, q.quarantined_at)) * 1000)::float8 AS received_ms`;
const FROM = `diagnostics_quarantined_reading q LEFT JOIN diagnostics_ingestion_job j ON j.id = q.job_id
  LEFT JOIN diagnostics_user u ON u.id = q.reviewed_by`;

type RawRow = Omit<QuarantinedRow, "raw"> & { readonly raw: string };
const parse = (row: RawRow): QuarantinedRow => ({ ...row, raw: JSON.parse(row.raw) as unknown });

export class ReviewReadings {
  constructor(private readonly database: Database) {}

  /** Those of the readings that exist within reach, whatever their status. @throws {StoreUnavailableError} */
  async byIds(ids: readonly number[], reach: Reach): Promise<QuarantinedRow[]> {
    const text = `SELECT ${ROW} FROM ${FROM} WHERE q.id = ANY($1::text::bigint[])
      AND ($2::text IS NULL OR q.system_id = ANY($2::text::uuid[])) ORDER BY q.id`;
    const values = [arrayOf(ids), reach && arrayOf(reach)];
    return (await ask<RawRow>(this.database, "readings under review", text, values)).map(parse);
  }

  /**
   * The next of a selection in the order of their ids.
   * @param after last id seen, 0 to begin
   * @param last_id readings that came later are not part of it
   * @throws {StoreUnavailableError}
   */
  async portion(
    selected: Selected,
    statuses: readonly ReviewStatus[],
    { after, last_id, limit }: { readonly after: number; readonly last_id: number; readonly limit: number },
  ): Promise<QuarantinedRow[]> {
    const { text, values } = selectionConditions(selected, statuses);
    const n = values.length;
    const statement = `SELECT ${ROW} FROM ${FROM} WHERE ${text}
      AND q.id > $${n + 1}::bigint AND q.id <= $${n + 2}::bigint ORDER BY q.id LIMIT $${n + 3}::int`;
    const rows = await ask<RawRow>(this.database, "portion under review", statement, [
      ...values,
      after,
      last_id,
      limit,
    ]);
    return rows.map(parse);
  }

  /** How many are selected, at most one more than may be; and the newest id of all. @throws {StoreUnavailableError} */
  async extent(
    selected: Selected,
    statuses: readonly ReviewStatus[],
  ): Promise<{ selected: number; last_id: number }> {
    const { text, values } = selectionConditions(selected, statuses);
    const [row] = await ask<{ selected: number; last_id: number }>(
      this.database,
      "extent of a review",
      `SELECT (SELECT count(*) FROM (SELECT FROM diagnostics_quarantined_reading q WHERE ${text}
          LIMIT ${MAX_SELECTED + 1}) s)::float8 AS selected,
        coalesce((SELECT max(id) FROM diagnostics_quarantined_reading), 0)::float8 AS last_id`,
      values,
    );
    return row!;
  }

  /** What is stored under the keys, by place in the list. @throws {StoreUnavailableError} */
  async stored(keys: readonly StoredKey[]): Promise<Map<number, HeldReading>> {
    if (keys.length === 0) return new Map();
    const [min_us, max_us] = keys.reduce(
      ([lo, hi], { timestamp_us: us }) => [Math.min(lo, us), Math.max(hi, us)],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
    const found = await ask<HeldReading & { n: number }>(
      this.database,
      "stored beside a review",
      `SELECT key.n::int AS n, d.value, d.unit, d.quality::text::float8 AS quality, d.system_id
      FROM unnest($1::text::uuid[], $2::text::float8[]) WITH ORDINALITY AS key (sensor_id, us, n)
      JOIN diagnostics_sensordata d ON d.sensor_id = key.sensor_id AND d."timestamp" = to_timestamp(key.us / 1e6)
      WHERE d."timestamp" BETWEEN to_timestamp($3::float8) AND to_timestamp($4::float8)`,
      [
        arrayOf(keys.map(({ sensor_id }) => sensor_id)),
        arrayOf(keys.map(({ timestamp_us }) => timestamp_us)),
        Math.floor(min_us / 1e6),
        Math.ceil(max_us / 1e6),
      ],
    );
    return new Map(found.map(({ n, ...reading }) => [n - 1, reading]));
  }
}
