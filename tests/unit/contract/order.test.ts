import { expect, test } from "bun:test";
import fc from "fast-check";
import { ReadingColumns } from "../../../src/contract/columns.ts";
import { copyOrder, takeOutRepeats } from "../../../src/contract/order.ts";

const row = fc.record({
  sensor: fc
    .constantFrom("00", "01", "0a", "A0", "a0", "ff", "FF")
    .map((hex) => `${hex}000000-0000-0000-0000-000000000000`),
  timestamp_us: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(-1, 1.7e15, 1.7e15 + 1)),
});
type Row = { sensor: string; timestamp_us: number };

function columnsOf(rows: readonly Row[]): ReadingColumns {
  const columns = new ReadingColumns(1);
  rows.forEach(({ sensor, timestamp_us }, i) => {
    columns.push(0, i, columns.sensorIndex(sensor), timestamp_us, i, columns.unitIndex("bar"), 100);
  });
  return columns;
}

/** The bytes of the UUID as PostgreSQL compares them, then time, then arrival. */
function slowOrder(rows: readonly Row[]): number[] {
  const bytes = ({ sensor }: Row) => Buffer.from(sensor.replaceAll("-", ""), "hex");
  return rows
    .map((_, i) => i)
    .sort(
      (a, b) =>
        Buffer.compare(bytes(rows[a]!), bytes(rows[b]!)) ||
        rows[a]!.timestamp_us - rows[b]!.timestamp_us ||
        a - b,
    );
}

test("the order is by sensor as the index has it, then time, then arrival", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
      expect([...copyOrder(columnsOf(rows))]).toEqual(slowOrder(rows));
    }),
    { seed: 3, numRuns: 500 },
  );
});

test("the first to arrive of equal keys stays, the others name it, and no row is lost", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
      const columns = columnsOf(rows);
      const { order, repeats } = takeOutRepeats(columns, copyOrder(columns));
      const firsts = new Map<string, number>();
      rows.forEach(({ sensor, timestamp_us }, i) => {
        const key = `${sensor.toLowerCase()} ${timestamp_us}`;
        if (!firsts.has(key)) firsts.set(key, i);
      });
      const stays = new Set(firsts.values());
      expect([...order]).toEqual(slowOrder(rows).filter((i) => stays.has(i)));
      expect(repeats).toEqual(
        slowOrder(rows)
          .filter((i) => !stays.has(i))
          .map((i) => ({
            row: i,
            first: firsts.get(`${rows[i]!.sensor.toLowerCase()} ${rows[i]!.timestamp_us}`)!,
          })),
      );
    }),
    { seed: 4, numRuns: 500 },
  );
});

test("no rows have an empty order", () => {
  const columns = new ReadingColumns(0);
  expect(takeOutRepeats(columns, copyOrder(columns))).toEqual({ order: new Int32Array(0), repeats: [] });
});
