/** Bad readings of every kind, 5 % of a batch, and what must become of each. Pure: runs in k6 and in Bun. */
import type { RefusalReason } from "../../src/contract/refusal.ts";
import type { Halves, RigText, RunShape, Sample } from "./rig.ts";

/**
 * `identical`: counted as a duplicate, the reading is there once. `kept`: the same reading in every batch of its rig;
 * the first one is stored, all others are duplicates, whichever arrives first.
 */
export type Outcome = RefusalReason | "identical" | "kept";

interface Origin {
  readonly shape: RunShape;
  readonly text: RigText;
  /** The good reading before it in the batch. */
  readonly before: Sample;
}

interface Fault {
  readonly outcome: Outcome;
  /** Text with a joint in it, or without. */
  text(origin: Origin): Halves | string;
}

/** One bad reading after so many good ones: 5 %. */
const GOOD_FOR_EACH_FAULT = 19;
/** Of so many batches of a rig, one is for a system that nobody registered: all its readings are quarantined. */
const BATCHES_FOR_EACH_UNKNOWN = 50;
const UNKNOWN_AT = 7;
/** Value of the kept reading, and its time before the rig's first batch. */
export const KEPT = { sensor: 0, value: 123, unit: "bar", quality: 95, before_s: 1 } as const;

const own = ({ text, before }: Origin) => text.ids[before.sensor]!;
const constant = (id: string, fields: string) => `{"sensor_id":"${id}",${fields}}`;
const NOW_FIELD = '"timestamp":"2026-01-01T00:00:00Z"';
const withSuffix = ({ text, before }: Origin, change: (after: string) => string): Halves => {
  const [first, second] = text.halves(before);
  return [first, change(second)];
};

/** In turn; readings that are constant stay below the rules' first failure, so none of them is ever stored. */
const FAULTS: readonly Fault[] = [
  { outcome: "parse_error", text: (o) => constant(own(o), `${NOW_FIELD},"unit":"bar"`) },
  { outcome: "identical", text: (o) => o.text.halves(o.before) },
  { outcome: "invalid_timestamp", text: (o) => withSuffix(o, (after) => after.replace('Z"', '"')) },
  { outcome: "out_of_range", text: (o) => o.text.halves(o.before, 9_000) },
  { outcome: "duplicate", text: (o) => o.text.halves(o.before, 1) },
  {
    outcome: "invalid_unit",
    text: (o) => withSuffix(o, (after) => after.replace(/"unit":"[a-z]+"/, '"unit":"furlong"')),
  },
  { outcome: "parse_error", text: (o) => constant(own(o), `${NOW_FIELD},"value":"NaN","unit":"bar"`) },
  { outcome: "kept", text: keptText },
  {
    outcome: "invalid_timestamp",
    text: (o) => constant(own(o), '"timestamp":"2099-12-31T23:59:59Z","value":1,"unit":"bar"'),
  },
  { outcome: "parse_error", text: () => '"not a reading"' },
  {
    outcome: "out_of_range",
    text: (o) => withSuffix(o, (after) => after.replace(/"quality":\d+/, '"quality":42')),
  },
  {
    outcome: "invalid_timestamp",
    text: (o) => constant(own(o), '"timestamp":"2026-02-30T12:00:00Z","value":1,"unit":"bar"'),
  },
  {
    outcome: "parse_error",
    text: (o) => constant("no uuid", `${NOW_FIELD},"value":${o.text.rig},"unit":"bar"`),
  },
];

function keptText({ shape, text }: Origin): string {
  const time = new Date((shape.start_s - KEPT.before_s) * 1000).toISOString();
  const { sensor, value, unit, quality } = KEPT;
  return constant(
    text.ids[sensor]!,
    `"timestamp":"${time}","value":${value},"unit":"${unit}","quality":${quality}`,
  );
}

const faultAt = (k: number): Fault => FAULTS[k % FAULTS.length]!;

/** Whether a batch is for a system that nobody registered. */
export function isForUnknownSystem({ faults }: Pick<RunShape, "faults">, n: number): boolean {
  return faults && n % BATCHES_FOR_EACH_UNKNOWN === UNKNOWN_AT;
}

/** A place in a batch: a good reading, or the k-th bad one, which stands after the good one it is made from. */
export type Place = { readonly good: Sample } | { readonly fault: Fault; readonly before: Sample };

/** All readings of a batch in order. */
export function placesOf({ batch, faults }: RunShape, sampleOf: (place: number) => Sample): Place[] {
  const places: Place[] = [];
  for (let good = 0, bad = 0; places.length < batch; ) {
    const sample = sampleOf(good);
    good += 1;
    places.push({ good: sample });
    if (!faults || good % GOOD_FOR_EACH_FAULT !== 0 || places.length === batch) continue;
    places.push({ fault: faultAt(bad), before: sample });
    bad += 1;
  }
  return places;
}
