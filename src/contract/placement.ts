/** From judged readings to rows that can be written: only of sensors that belong where they were sent from, in order. */
import type { ReadingColumns } from "./columns.ts";
import type { KnownSensor } from "./known-sensor.ts";
import { judgeMembership, type MembershipRules, type Registration, regradeUnits } from "./membership.ts";
import type { SentReadings } from "./naming.ts";
import { copyOrder, type Repeat, takeOutRepeats } from "./order.ts";
import type { Refusal } from "./refusal.ts";
import { refusal } from "./rules.ts";

/** Readings of some batches after the rules for a single reading. */
export interface JudgedReadings {
  readonly columns: ReadingColumns;
  readonly refusals: readonly Refusal[];
  /** Lower-case UUID of the system of each batch. */
  readonly systems: readonly string[];
  readonly sent: SentReadings;
}

export interface PlacedReadings {
  /** Rows to store, in the order of the index, no key twice. */
  readonly order: Int32Array;
  /** Rows with the key of an earlier one. */
  readonly repeats: readonly Repeat[];
  readonly refusals: readonly Refusal[];
  /** Sensors whose first readings these are. */
  readonly registrations: readonly Registration[];
}

/** @param known registered sensors by lower-case id */
export function placeReadings(
  { columns, refusals, systems, sent }: JudgedReadings,
  known: ReadonlyMap<string, KnownSensor>,
  rules: MembershipRules,
): PlacedReadings {
  const graded = regradeUnits(refusals, known, rules.units);
  const { misplaced, registrations } = judgeMembership(columns, systems, known, rules);
  if (misplaced.length === 0)
    return { ...takeOutRepeats(columns, copyOrder(columns)), refusals: graded, registrations };
  const out = new Set(misplaced.map(({ row }) => row));
  const refused = misplaced.map(({ row, reason, details }): Refusal => {
    const batch = columns.batch[row]!;
    const ordinal = columns.ordinal[row]!;
    const seen = sent.seen(batch, ordinal);
    return refusal(batch, ordinal, sent.raw(batch, ordinal), reason, details, seen);
  });
  const order = copyOrder(columns).filter((row) => !out.has(row));
  return { ...takeOutRepeats(columns, order), refusals: [...graded, ...refused], registrations };
}
