/**
 * What each approved or fixed reading has in the table of readings, so that the decision can be taken back. Values that
 * decisions put under one key lie upon each other (`depth`), and come off in the opposite order. Storing and taking back
 * go by one advisory lock: what a transaction read after it has the lock stays true until it commits.
 */
import { ADVISORY_LOCKS } from "../advisory-locks.ts";
import type { Database } from "../pool.ts";
import type { WriterTransaction } from "../writer/connection.ts";
import type { Stored } from "../writer/group.ts";
import { arrayOf, ask } from "./ask.ts";

/** A stored reading, whole. */
export interface HeldReading extends Stored {
  readonly quality: number;
  readonly system_id: string;
}

/** Sensor, and time in microseconds since the epoch. */
export interface StoredKey {
  readonly sensor_id: string;
  readonly timestamp_us: number;
}

/** What a decided reading has stored. */
export interface Holding extends StoredKey, Stored {
  /** Of the quarantined reading. */
  readonly id: number;
  readonly depth: number;
  /** A decision stored it; else it was there before. */
  readonly own: boolean;
  /** What it took the place of; an older program did not keep all of it. */
  readonly replaced: Partial<HeldReading> | null;
  /** A reading whose value lies upon this one. */
  readonly covered_by: number | null;
  /** A reading with the same value that is not among those asked for. */
  readonly shared_with: number | null;
}

/** A reading that a decision has stored. */
export interface NewHolding extends Stored {
  readonly id: number;
  readonly sensor_id: string;
  /** RFC 3339. */
  readonly timestamp: string;
  /** The same is stored already. */
  readonly identical: boolean;
  readonly replaced: HeldReading | null;
}

const SAME_KEY = `o.sensor_id = h.sensor_id AND o."timestamp" = h."timestamp"`;
/**
 * The ids are taken apart once: for each row anew it is half a second for a portion. What lies upon a value and beside it
 * is looked for once for each value, too: a sensor whose clock stands still has thousands of readings under one key.
 */
const HOLDINGS = `WITH asked AS MATERIALIZED (SELECT unnest($1::text::bigint[]) AS id),
  held AS MATERIALIZED (SELECT * FROM diagnostics_review_holding WHERE reading_id = ANY($1::text::bigint[])),
  beside AS MATERIALIZED (
    SELECT h.sensor_id, h."timestamp", h.depth,
      (SELECT min(o.reading_id)::float8 FROM diagnostics_review_holding o WHERE ${SAME_KEY} AND o.depth > h.depth) AS covered_by,
      (SELECT min(o.reading_id)::float8 FROM diagnostics_review_holding o WHERE ${SAME_KEY} AND o.depth = h.depth
        AND o.reading_id NOT IN (SELECT id FROM asked)) AS shared_with
    FROM (SELECT DISTINCT sensor_id, "timestamp", depth FROM held) h)
  SELECT h.reading_id::float8 AS id, h.sensor_id, (extract(epoch FROM h."timestamp") * 1000000)::float8 AS timestamp_us,
    h.value, h.unit, h.depth, h.own, h.replaced::text AS replaced, b.covered_by, b.shared_with
  FROM held h JOIN beside b USING (sensor_id, "timestamp", depth) ORDER BY h.reading_id`;
const BY_TASK = `SELECT key.n::int AS n FROM unnest($1::text::uuid[], $2::text::float8[]) WITH ORDINALITY AS key (sensor_id, us, n)
  WHERE EXISTS (SELECT FROM diagnostics_review_holding h WHERE h.sensor_id = key.sensor_id
    AND h."timestamp" = to_timestamp(key.us / 1e6) AND h.task_id = $3::uuid)`;

/** The uppermost value of a key is looked for once, however many readings have the key; those of one depth are alike. */
const NEW = `n AS MATERIALIZED (
    SELECT * FROM unnest($2::bigint[], $3::uuid[], $4::timestamptz[], $5::float8[], $6::text[], $7::text[])
      AS n (id, sensor_id, "timestamp", value, unit, replaced)),
  top AS MATERIALIZED (
    SELECT key.sensor_id, key."timestamp", o.depth, o.own, o.replaced, o.value, o.unit
    FROM (SELECT DISTINCT sensor_id, "timestamp" FROM n) key CROSS JOIN LATERAL (
      SELECT * FROM diagnostics_review_holding o WHERE o.sensor_id = key.sensor_id AND o."timestamp" = key."timestamp"
      ORDER BY o.depth DESC LIMIT 1) o)`;
const FROM_NEW = 'FROM n LEFT JOIN top USING (sensor_id, "timestamp")';
const IS_SAME = "(top.value = n.value AND top.unit = n.unit)";
const COLUMNS = `reading_id, task_id, sensor_id, "timestamp", value, unit, depth, own, replaced`;
const HOLD = `WITH ${NEW} INSERT INTO diagnostics_review_holding (${COLUMNS})
  SELECT n.id, $1::uuid, sensor_id, "timestamp", n.value, n.unit, coalesce(top.depth + 1, 0), true, n.replaced::json
  ${FROM_NEW}`;
const SHARE = `WITH ${NEW} INSERT INTO diagnostics_review_holding (${COLUMNS})
  SELECT n.id, $1::uuid, sensor_id, "timestamp", n.value, n.unit,
    CASE WHEN ${IS_SAME} THEN top.depth ELSE coalesce(top.depth + 1, 0) END, coalesce(top.own AND ${IS_SAME}, false),
    CASE WHEN ${IS_SAME} THEN top.replaced END
  ${FROM_NEW}`;

type HoldingRow = Omit<Holding, "replaced"> & { readonly replaced: string | null };
const toHolding = (row: HoldingRow): Holding => ({
  ...row,
  replaced: row.replaced === null ? null : (JSON.parse(row.replaced) as Partial<HeldReading>),
});

export class ReviewHoldings {
  constructor(private readonly database: Database) {}

  /** Of these readings, by id; none of a reading that is not stored. @throws {StoreUnavailableError} */
  async of(ids: readonly number[]): Promise<Holding[]> {
    return (await ask<HoldingRow>(this.database, "holdings", HOLDINGS, [arrayOf(ids)])).map(toHolding);
  }

  /** Places of the keys under which an earlier reading of the same decision is stored. @throws {StoreUnavailableError} */
  async byTask(task_id: string, keys: readonly StoredKey[]): Promise<number[]> {
    if (keys.length === 0) return [];
    const found = await ask<{ n: number }>(this.database, "stored by a review before", BY_TASK, [
      arrayOf(keys.map(({ sensor_id }) => sensor_id)),
      arrayOf(keys.map(({ timestamp_us }) => timestamp_us)),
      task_id,
    ]);
    return found.map(({ n }) => n - 1);
  }
}

/** Wait for those who take stored readings out; @param alone to be one of them. Comes first in a transaction. */
export async function lockHoldings(tx: WriterTransaction, alone: boolean): Promise<void> {
  const text = alone
    ? "SELECT pg_advisory_xact_lock($1::bigint)::text"
    : "SELECT pg_advisory_xact_lock_shared($1::bigint)::text";
  await tx.query(text, [ADVISORY_LOCKS.review_holdings]);
}

/** As `ReviewHoldings.of`, in a transaction. */
export async function holdingsIn(tx: WriterTransaction, ids: readonly number[]): Promise<Holding[]> {
  return (await tx.query<HoldingRow>(HOLDINGS, [arrayOf(ids)])).map(toHolding);
}

/** Keep what a decision has stored. */
export async function hold(
  tx: WriterTransaction,
  task_id: string,
  readings: readonly NewHolding[],
): Promise<void> {
  const write = async (statement: string, list: readonly NewHolding[]) => {
    if (list.length === 0) return;
    await tx.query(statement, [
      task_id,
      list.map(({ id }) => id),
      list.map(({ sensor_id }) => sensor_id),
      list.map(({ timestamp }) => timestamp),
      list.map(({ value }) => value),
      list.map(({ unit }) => unit),
      list.map(({ replaced }) => (replaced === null ? null : JSON.stringify(replaced))),
    ]);
  };
  await write(
    HOLD,
    readings.filter(({ identical }) => !identical),
  );
  // What is the same may have been stored by the statement above.
  await write(
    SHARE,
    readings.filter(({ identical }) => identical),
  );
}

/** These readings have nothing stored any more. */
export async function release(tx: WriterTransaction, ids: readonly number[]): Promise<void> {
  await tx.query("DELETE FROM diagnostics_review_holding WHERE reading_id = ANY($1::bigint[])", [ids]);
}
