/** Everything about one quarantined reading that its review needs. */
import type { AuditEntry } from "../../contract/oversight.ts";
import type { QuarantinedReading, QuarantinedReadingDetail } from "../../contract/quarantine-review.ts";
import type { Reach } from "../../contract/reach.ts";
import { REFUSAL_REASONS } from "../../contract/refusal.ts";
import { REVIEW_STATUSES } from "../../contract/review-status.ts";
import { eventAt } from "./quarantine-filter.ts";
import { ITEM_COLUMNS, ITEM_SOURCE, NO_SENSOR } from "./quarantine-item.ts";
import type { QueryOptions, Reader } from "./reader.ts";
import { objectText } from "./table-text.ts";

type Bucket = QuarantinedReadingDetail["around"]["items"][number];
type RefusedNearby = QuarantinedReadingDetail["around"]["refused"][number];

/** So far is looked on each side. */
const AROUND = "interval '30 minutes'";
/** A sensor of 100 Hz has as many in 20 s: what is shown narrows to these, and to all refused ones. */
const MAX_STORED = 2_000;
/** Less is no curve. */
const LEAST = "interval '10 seconds'";
/** Of what is shown; a part of one more begins at its edge. */
const BUCKETS_SHOWN = 450;
const MAX_REFUSED = 500;
const MAX_HISTORY = 100;

/** A reading may name a sensor of a system that is out of reach: nothing is told of that one. */
const reached = (of: string, list: string) => `(${list}::uuid[] IS NULL OR ${of}.system_id = ANY(${list}))`;

/** The item as text, `at` (when incidents count it), and what belongs to it by key. */
const ITEM = `SELECT (SELECT ${objectText(ITEM_COLUMNS)} FROM (${ITEM_SOURCE} WHERE q.id = $1) i) AS item,
    e.at - ${AROUND} AS "from", e.at + ${AROUND} AS "to",
    y.name AS system_name, s.id AS s_id, s.name AS s_name, s.quantity AS s_quantity, s.unit AS s_unit,
    d."timestamp" AS d_timestamp, d.value AS d_value, d.unit AS d_unit, d.quality AS d_quality,
    r.version AS r_version, r.min_value AS r_min, r.max_value AS r_max, r.valid_from AS r_valid_from, u.username AS r_author
  FROM diagnostics_quarantined_reading q
  CROSS JOIN LATERAL (SELECT ${eventAt("q")} AS at) e
  LEFT JOIN diagnostics_system y ON y.id = q.system_id
  LEFT JOIN diagnostics_sensor s ON s.id = q.sensor_id AND ${reached("s", "$2")}
  LEFT JOIN diagnostics_sensor_range r ON r.sensor_id = s.id AND r.version = q.range_version
  LEFT JOIN diagnostics_user u ON u.id = r.author
  LEFT JOIN LATERAL (SELECT * FROM diagnostics_sensordata d
    WHERE d.sensor_id = q.sensor_id AND d."timestamp" = q."timestamp" AND ${reached("d", "$2")} LIMIT 1) d ON true
  WHERE q.id = $1 AND ${reached("q", "$2")}`;

const STORED = `SELECT "timestamp" AS t FROM diagnostics_sensordata d WHERE sensor_id = $1 AND ${reached("d", "$4")}`;
/** The stretch that holds the nearest stored readings and, $5 s away, the farthest of the refused ones. */
const STRETCH = `WITH me AS (SELECT $2::timestamptz + ($3::timestamptz - $2::timestamptz) / 2 AS at),
  half AS (SELECT at, least(${AROUND}, greatest(${LEAST}, 1.05 * greatest(
    make_interval(secs => $5::float8),
    at - (SELECT min(t) FROM (${STORED} AND "timestamp" >= $2 AND "timestamp" <= at
      ORDER BY "timestamp" DESC LIMIT ${MAX_STORED}) before),
    (SELECT max(t) FROM (${STORED} AND "timestamp" > at AND "timestamp" < $3
      ORDER BY "timestamp" LIMIT ${MAX_STORED}) after) - at))) AS length FROM me)
  SELECT at - length AS "from", at + length AS "to" FROM half`;

const BUCKETS = `SELECT time_bucket(($3::timestamptz - $2::timestamptz) / ${BUCKETS_SHOWN}, "timestamp", $2::timestamptz) AS "timestamp",
    min(value) AS min, avg(value) AS avg, max(value) AS max
  FROM diagnostics_sensordata d
  WHERE sensor_id = $1 AND "timestamp" >= $2 AND "timestamp" < $3 AND ${reached("d", "$4")} GROUP BY 1 ORDER BY 1`;

const REFUSED_BY_KEY = `SELECT q.id, ${eventAt("q")} AS at, q.value, q.unit, q.reason, q.review_status
  FROM diagnostics_quarantined_reading q
  WHERE coalesce(q.sensor_id, '${NO_SENSOR}') = $2 AND q.reason = r.reason AND q.review_status = s.status AND q.id <> $1
    AND ${reached("q", "$7")}`;
/** The nearest ones on both sides, of each reason and status by its part of an index. */
const REFUSED = `WITH me AS (SELECT $3::timestamptz + ($4::timestamptz - $3::timestamptz) / 2 AS at),
  near AS (
    SELECT o.* FROM me CROSS JOIN unnest($5::text[]) AS r (reason) CROSS JOIN unnest($6::text[]) AS s (status)
    CROSS JOIN LATERAL (
      (${REFUSED_BY_KEY} AND ${eventAt("q")} >= $3 AND ${eventAt("q")} <= me.at
        ORDER BY ${eventAt("q")} DESC, q.id DESC LIMIT ${MAX_REFUSED})
      UNION ALL
      (${REFUSED_BY_KEY} AND ${eventAt("q")} > me.at AND ${eventAt("q")} < $4
        ORDER BY ${eventAt("q")}, q.id LIMIT ${MAX_REFUSED})) o)
  SELECT id, at AS "timestamp", CASE WHEN value > '-Infinity' AND value < 'Infinity' THEN value END AS value, unit,
    reason, review_status, abs(extract(epoch FROM at - (SELECT me.at FROM me)))::float8 AS away_s
  FROM (SELECT near.* FROM near, me
    ORDER BY abs(extract(epoch FROM near.at - me.at)), id LIMIT ${MAX_REFUSED}) n
  ORDER BY at, id`;

const HISTORY = `SELECT id, at, actor, actor_name, action, subject_type, subject_id, task_id, before, after, note
  FROM diagnostics_audit WHERE subject_type = 'reading' AND subject_id = $1 ORDER BY id DESC LIMIT ${MAX_HISTORY}`;

interface ItemRow {
  readonly item: string;
  readonly from: string;
  readonly to: string;
  readonly system_name: string | null;
  readonly s_id: string | null;
  readonly s_name: string;
  readonly s_quantity: string;
  readonly s_unit: string;
  readonly d_timestamp: string | null;
  readonly d_value: number;
  readonly d_unit: string;
  readonly d_quality: number;
  readonly r_version: number | null;
  readonly r_min: number | null;
  readonly r_max: number | null;
  readonly r_valid_from: string;
  readonly r_author: string | null;
}
type HistoryRow = Omit<AuditEntry, "before" | "after"> & {
  readonly before: string | null;
  readonly after: string | null;
};

export class QuarantineDetailQueries {
  constructor(private readonly reader: Reader) {}

  /** Null when no reading within reach has this id. Throws what `Reader.rows` throws. */
  async get(id: number, reach: Reach, options?: QueryOptions): Promise<QuarantinedReadingDetail | null> {
    const ask = <R extends object>(label: string, text: string, values: readonly unknown[]) =>
      this.reader.rows<R>({ label, text, values }, options);
    const [row] = await ask<ItemRow>("quarantined reading", ITEM, [id, reach]);
    if (!row) return null;
    const item = JSON.parse(row.item) as QuarantinedReading;
    const [around, history] = await Promise.all([
      this.#around(item, row, reach, options),
      ask<HistoryRow>("record of a reading", HISTORY, [String(id)]),
    ]);
    return { ...item, ...relatedOf(row, item), around, history: history.map(toEntry) };
  }

  async #around(
    { id, sensor_id }: QuarantinedReading,
    { from, to }: Pick<ItemRow, "from" | "to">,
    reach: Reach,
    options?: QueryOptions,
  ): Promise<QuarantinedReadingDetail["around"]> {
    if (sensor_id === null) return { from, to, items: [], refused: [] };
    const ask = <R extends object>(label: string, text: string, values: readonly unknown[]) =>
      this.reader.rows<R>({ label, text, values }, options);
    const asked = [id, sensor_id, from, to, REFUSAL_REASONS, REVIEW_STATUSES, reach];
    const near = await ask<RefusedNearby & { away_s: number }>("refusals around a refusal", REFUSED, asked);
    const farthest_s = Math.max(0, ...near.map(({ away_s }) => away_s));
    const refused = near.map(({ away_s, ...reading }) => reading);
    const whole = [sensor_id, from, to, reach, farthest_s];
    const [stretch] = await ask<Pick<ItemRow, "from" | "to">>("stretch around a refusal", STRETCH, whole);
    const shown = stretch ?? { from, to };
    const items = await ask<Bucket>("readings around a refusal", BUCKETS, [
      sensor_id,
      shown.from,
      shown.to,
      reach,
    ]);
    return { ...shown, items, refused };
  }
}

function relatedOf(row: ItemRow, item: QuarantinedReading) {
  const { s_id, d_timestamp, r_version } = row;
  return {
    system: row.system_name === null ? null : { id: item.system_id, name: row.system_name },
    sensor: s_id === null ? null : { id: s_id, name: row.s_name, quantity: row.s_quantity, unit: row.s_unit },
    stored:
      d_timestamp === null
        ? null
        : { timestamp: d_timestamp, value: row.d_value, unit: row.d_unit, quality: row.d_quality },
    rule:
      r_version === null
        ? null
        : {
            version: r_version,
            min: row.r_min,
            max: row.r_max,
            valid_from: row.r_valid_from,
            author_name: row.r_author,
          },
  };
}

const json = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
const toEntry = (row: HistoryRow): AuditEntry => ({
  ...row,
  before: json(row.before),
  after: json(row.after),
});
