/**
 * How readings get into the hypertable: straight; without those whose keys were looked up and are taken; by way of a
 * staging table; or in the place of stored ones.
 */
import type pg from "pg";
import type { ReadingColumns } from "../../contract/columns.ts";
import { encodeReadings, READING_COPY_COLUMNS } from "../../contract/copy.ts";
import type { WriterTransaction } from "./connection.ts";
import type { DirtyHour, Replaced, Stored } from "./group.ts";

/** A stored reading that was to be replaced is another one by now; nothing was written. */
export class ReplacedError extends Error {
  override readonly name = "ReplacedError";
}

/** A stored row vanished between two statements (retention): the group is simply written again. */
export class MovedError extends Error {
  override readonly name = "MovedError";
}

/** Looking up what is stored between the readings of the group would take longer than it saves; nothing was written. */
export class CrowdedError extends Error {
  override readonly name = "CrowdedError";
}

/** What is stored. */
interface Rows {
  readonly columns: ReadingColumns;
  /** Rows of `columns` in the order of the index, no key twice. */
  readonly order: Int32Array;
}

const STAGE = "ingest_stage";
const CREATE_STAGE = `CREATE TEMPORARY TABLE IF NOT EXISTS ${STAGE} (sensor_id uuid NOT NULL, "timestamp" timestamptz NOT NULL,
  value double precision NOT NULL, system_id uuid NOT NULL, quality real NOT NULL, unit text NOT NULL, ord integer NOT NULL)
  ON COMMIT DELETE ROWS`;
const STAGE_COLUMNS = [...READING_COPY_COLUMNS, "ord"];
const COLUMN_LIST = READING_COPY_COLUMNS.map((name) => `"${name}"`).join(", ");
/** Inserts in index order and returns the positions that were stored before. */
const INSERT_STAGED = `WITH stored AS (
    INSERT INTO diagnostics_sensordata (${COLUMN_LIST}) SELECT ${COLUMN_LIST} FROM ${STAGE} ORDER BY ord
    ON CONFLICT (sensor_id, "timestamp") DO NOTHING RETURNING sensor_id, "timestamp")
  SELECT s.ord FROM ${STAGE} s LEFT JOIN stored USING (sensor_id, "timestamp")
  WHERE stored.sensor_id IS NULL ORDER BY s.ord`;
/** A statement of its own: its snapshot also sees what others committed during the insert. Bounds exclude chunks. */
const READ_STORED = `SELECT s.ord, d.value, d.unit FROM ${STAGE} s
  JOIN diagnostics_sensordata d ON d.sensor_id = s.sensor_id AND d."timestamp" = s."timestamp"
  WHERE s.ord = ANY($1::int[]) AND d."timestamp" BETWEEN to_timestamp($2::float8) AND to_timestamp($3::float8)`;

/** Fails with 23505 when a key is stored already. @param bytes by `encodeReadings` @returns what was stored before: nothing */
export async function storeDirect(
  tx: WriterTransaction,
  { order }: Rows,
  bytes: Buffer,
): Promise<Map<number, Stored>> {
  if (order.length > 0) await tx.copy("diagnostics_sensordata", READING_COPY_COLUMNS, bytes);
  return new Map();
}

/**
 * What each sensor has stored in its span of the group. OFFSET 0 keeps the inner query one look into the index for each
 * span, whatever the planner thinks of joins; the bounds for all spans exclude chunks.
 */
const READ_SPANS = `SELECT held.* FROM unnest($1::uuid[], $2::float8[], $3::float8[]) AS span (sensor_id, oldest_us, newest_us),
  LATERAL (SELECT d.sensor_id, (extract(epoch FROM d."timestamp") * 1000000)::float8 AS us, d.value, d.unit
    FROM diagnostics_sensordata d
    WHERE d.sensor_id = span.sensor_id AND d."timestamp" BETWEEN to_timestamp(span.oldest_us / 1e6)
      AND to_timestamp(span.newest_us / 1e6) AND d."timestamp" BETWEEN to_timestamp($4::float8) AND to_timestamp($5::float8)
    OFFSET 0) held
  LIMIT $6`;
/** Stored readings that are looked at: so many for each of the group, and so many more. */
const LOOKED_AT = { for_each: 2, more: 1_000 };
/**
 * Sensors times hours between the oldest and the newest reading of the group. Each sensor is looked for in each chunk of
 * these hours, 3.5 µs a chunk that has nothing of it: a third of a second if chunks have an hour, and 2 ms if they have
 * a week. One old reading among those of thousands of sensors would take minutes.
 */
const MOST_SENSOR_HOURS = 100_000;
const HOUR_US = 3_600_000_000;

/**
 * Look up which keys are stored, and COPY the others. Fails with 23505 when somebody stores one of them meanwhile.
 * @param systems of the group's batches, see `encodeReadings`
 * @returns what was stored before, by row of `columns`
 * @throws {CrowdedError}
 */
export async function storeSifted(
  tx: WriterTransaction,
  { columns, order }: Rows,
  systems: readonly string[],
): Promise<Map<number, Stored>> {
  const held = await readSpans(tx, columns, order);
  const stored = new Map<number, Stored>();
  const rest = order.filter((row) => {
    const one = held[columns.sensor[row]!]?.get(columns.timestamp_us[row]!);
    if (one) stored.set(row, one);
    return one === undefined;
  });
  if (rest.length > 0)
    await tx.copy("diagnostics_sensordata", READING_COPY_COLUMNS, encodeReadings(columns, rest, systems));
  return stored;
}

/** @returns by sensor of `columns` and by timestamp, microseconds since the epoch */
async function readSpans(
  tx: WriterTransaction,
  columns: ReadingColumns,
  order: Int32Array,
): Promise<(Map<number, Stored> | undefined)[]> {
  const oldest = new Float64Array(columns.sensors.length).fill(Number.POSITIVE_INFINITY);
  const newest = new Float64Array(columns.sensors.length).fill(Number.NEGATIVE_INFINITY);
  for (const row of order) {
    const [sensor, us] = [columns.sensor[row]!, columns.timestamp_us[row]!];
    if (us < oldest[sensor]!) oldest[sensor] = us;
    if (us > newest[sensor]!) newest[sensor] = us;
  }
  const spans = columns.sensors.flatMap((id, sensor) =>
    newest[sensor]! >= oldest[sensor]! ? [{ id, sensor }] : [],
  );
  const oldest_us = oldest.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const newest_us = newest.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const hours = 1 + (newest_us - oldest_us) / HOUR_US;
  if (spans.length * hours > MOST_SENSOR_HOURS)
    throw new CrowdedError(
      `${spans.length} sensors over ${Math.round(hours)} hours are too many to look for`,
    );
  const limit = LOOKED_AT.for_each * order.length + LOOKED_AT.more;
  const rows = await tx.query<{ sensor_id: string; us: number } & Stored>(READ_SPANS, [
    spans.map(({ id }) => id),
    spans.map(({ sensor }) => oldest[sensor]!),
    spans.map(({ sensor }) => newest[sensor]!),
    Math.floor(oldest_us / 1e6),
    Math.ceil(newest_us / 1e6),
    limit,
  ]);
  if (rows.length >= limit)
    throw new CrowdedError(`${limit} or more readings are stored between those of the group`);
  const held: (Map<number, Stored> | undefined)[] = [];
  const sensorOf = new Map(spans.map(({ id, sensor }) => [id, sensor]));
  for (const { sensor_id, us, value, unit } of rows) {
    const sensor = sensorOf.get(sensor_id)!;
    const times = held[sensor] ?? new Map<number, Stored>();
    held[sensor] = times.set(us, { value, unit });
  }
  return held;
}

const MARK_DIRTY = `INSERT INTO diagnostics_dirty_hour (system_id, hour)
  SELECT system_id, to_timestamp(hour_s) FROM unnest($1::uuid[], $2::float8[]) AS dirty (system_id, hour_s)`;

/** The hourly aggregate of these has to be computed again. */
export async function markDirty(tx: WriterTransaction, hours: readonly DirtyHour[]): Promise<void> {
  if (hours.length === 0) return;
  await tx.query(MARK_DIRTY, [hours.map(({ system_id }) => system_id), hours.map(({ hour_s }) => hour_s)]);
}

/** By index, and in compressed chunks (Community) however many rows have to be unpacked for it. */
const UNPACK_FREELY = `SELECT set_config(name, '0', true) FROM pg_settings
  WHERE name = 'timescaledb.max_tuples_decompressed_per_dml_transaction'`;
const TAKE_OUT = `DELETE FROM diagnostics_sensordata d
  USING unnest($1::uuid[], $2::float8[], $3::float8[], $6::text[]) AS old (sensor_id, us, value, unit)
  WHERE d.sensor_id = old.sensor_id AND d."timestamp" = to_timestamp(old.us / 1e6) AND d.value = old.value
    AND d.unit = old.unit AND d."timestamp" BETWEEN to_timestamp($4::float8) AND to_timestamp($5::float8)
  RETURNING d.system_id, extract(epoch FROM date_trunc('hour', d."timestamp", 'UTC'))::float8 AS hour_s`;

/** Their hours are dirty then. @throws {ReplacedError} */
export async function takeOut(tx: WriterTransaction, replaced: readonly Replaced[]): Promise<void> {
  await tx.query(UNPACK_FREELY);
  const times = replaced.map(({ timestamp_us }) => timestamp_us / 1e6);
  const gone = await tx.query<DirtyHour & pg.QueryResultRow>(TAKE_OUT, [
    replaced.map(({ sensor_id }) => sensor_id),
    replaced.map(({ timestamp_us }) => timestamp_us),
    replaced.map(({ value }) => value),
    Math.floor(Math.min(...times)),
    Math.ceil(Math.max(...times)),
    replaced.map(({ unit }) => unit),
  ]);
  if (gone.length !== replaced.length) throw new ReplacedError("a stored reading to be replaced has changed");
  await markDirty(tx, [...new Map(gone.map((hour) => [`${hour.system_id} ${hour.hour_s}`, hour])).values()]);
}

/**
 * Insert by way of the staging table.
 * @param bytes by `encodeReadings`, with positions
 * @returns what was stored before, by row of `columns`
 * @throws {MovedError}
 */
export async function storeStaged(
  tx: WriterTransaction,
  { columns, order }: Rows,
  bytes: Buffer,
): Promise<Map<number, Stored>> {
  await tx.query(CREATE_STAGE);
  await tx.copy(STAGE, STAGE_COLUMNS, bytes);
  const before = await tx.query<{ ord: number }>(INSERT_STAGED);
  if (before.length === 0) return new Map();
  const times = before.map(({ ord }) => columns.timestamp_us[order[ord]!]!);
  const [min_s, max_s] = times.reduce(
    ([lo, hi], us) => [Math.min(lo, us), Math.max(hi, us)],
    [Infinity, -Infinity],
  );
  const bounds = [Math.floor(min_s / 1e6), Math.ceil(max_s / 1e6)];
  const ords = before.map(({ ord }) => ord);
  const stored = await tx.query<{ ord: number } & Stored>(READ_STORED, [ords, ...bounds]);
  if (stored.length !== before.length)
    throw new MovedError("a stored reading vanished while its duplicate was compared");
  return new Map(stored.map(({ ord, value, unit }) => [order[ord]!, { value, unit }]));
}
