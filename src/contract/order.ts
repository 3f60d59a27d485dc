/**
 * Order of rows for COPY: by (sensor, timestamp), the order of the unique index. Writers that all insert in this
 * order cannot deadlock, neighbours on disk are neighbours in time, and equal keys stand side by side.
 */
import type { ReadingColumns } from "./columns.ts";

/** Rows of the group by sensor UUID, then timestamp, then order of arrival. */
export function copyOrder(columns: ReadingColumns): Int32Array {
  const { length, sensor, sensors, timestamp_us } = columns;
  const rankOf = ranks(sensors);
  const starts = new Int32Array(sensors.length + 1);
  for (let row = 0; row < length; row += 1) starts[rankOf[sensor[row]!]! + 1]! += 1;
  for (let rank = 0; rank < sensors.length; rank += 1) starts[rank + 1]! += starts[rank]!;
  const order = new Int32Array(length);
  const next = starts.slice();
  for (let row = 0; row < length; row += 1) {
    const rank = rankOf[sensor[row]!]!;
    order[next[rank]!] = row;
    next[rank]! += 1;
  }
  for (let rank = 0; rank < sensors.length; rank += 1) {
    const rows = order.subarray(starts[rank]!, starts[rank + 1]!);
    if (!isAscending(rows, timestamp_us)) rows.sort((a, b) => timestamp_us[a]! - timestamp_us[b]! || a - b);
  }
  return order;
}

/** Position of each sensor in the order of the UUIDs; lower-case text sorts as the bytes do. */
function ranks(sensors: readonly string[]): Int32Array {
  const sorted = sensors.map((_, index) => index).sort((a, b) => (sensors[a]! < sensors[b]! ? -1 : 1));
  const rankOf = new Int32Array(sensors.length);
  sorted.forEach((index, rank) => {
    rankOf[index] = rank;
  });
  return rankOf;
}

/** Producers mostly send in order of time: one comparison a row instead of a sort. */
function isAscending(rows: Int32Array, timestamp_us: Float64Array): boolean {
  for (let i = 1; i < rows.length; i += 1) {
    if (timestamp_us[rows[i]!]! < timestamp_us[rows[i - 1]!]!) return false;
  }
  return true;
}

/** A row whose key an earlier row of the group has too. */
export interface Repeat {
  readonly row: number;
  /** The row that stays. */
  readonly first: number;
}

/**
 * Takes rows with the key of an earlier one out of the order.
 * @returns the rows that stay and those taken out, both in order
 */
export function takeOutRepeats(
  columns: ReadingColumns,
  order: Int32Array,
): { order: Int32Array; repeats: Repeat[] } {
  const { sensor, timestamp_us } = columns;
  const repeats: Repeat[] = [];
  let kept = 0;
  for (const row of order) {
    const first = kept === 0 ? -1 : order[kept - 1]!;
    const same = first >= 0 && sensor[first] === sensor[row] && timestamp_us[first] === timestamp_us[row];
    if (same) repeats.push({ row, first });
    else order[kept++] = row;
  }
  return { order: order.subarray(0, kept), repeats };
}
