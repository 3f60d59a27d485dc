/** The rules for the readings of a body in line protocol: what a series has in common is asked once. */
import type { SensorRange } from "../known-sensor.ts";
import { ambiguity, type Naming, type Resolved, resolve, type SeenReading } from "../naming.ts";
import { quoted } from "../printable.ts";
import { DEFAULT_QUALITY } from "../reading.ts";
import type { BatchRules } from "../rules.ts";
import { AmbiguousSeries, type FieldKey } from "../series.ts";
import { structureDetails } from "../structure.ts";
import { canonicalWithin, type Range, type UnitUse } from "../units.ts";
import type { Precision } from "./line-values.ts";

/** What is judged: readings in columns, one by one only where one is refused. */
interface LineColumns {
  readonly length: number;
  /** What the fields are of. */
  readonly series: readonly FieldKey[];
  /** Of each reading, its position in `series`; negative: it cannot be read. */
  readonly seriesOf: Int32Array;
  /** NaN: the value is no number. */
  readonly value: Float64Array;
  /** Whole microseconds since the epoch; NaN: it is no timestamp. */
  readonly timestamp_us: Float64Array;
  readonly settings: { readonly precision: Precision };
  raw(ordinal: number): unknown;
  seen(ordinal: number, naming: Naming): SeenReading | undefined;
}

/** What the rules need to know of a series. */
interface Judged {
  readonly resolved: Resolved;
  readonly quality: number;
  readonly use: UnitUse | undefined;
  readonly own: SensorRange | undefined;
  readonly range: Range | undefined;
  /** Positions in the columns; negative until a reading of the series is good. */
  sensor: number;
  unit: number;
}

/** Judge every reading, each exactly once and in order, as `judgeValues` does. */
export function judgeLines(readings: LineColumns, rules: BatchRules): void {
  const { naming, batch, columns } = rules;
  if (naming === undefined) throw new TypeError("line protocol cannot be judged without names");
  const { series, seriesOf, value, timestamp_us, length } = readings;
  const judged = series.map((key) => judgedSeries(key, rules));
  for (let ordinal = 0; ordinal < length; ordinal += 1) {
    const one = judged[seriesOf[ordinal]!];
    const sent = value[ordinal]!;
    const at_us = timestamp_us[ordinal]!;
    if (one === undefined || Number.isNaN(sent) || one instanceof AmbiguousSeries || Number.isNaN(at_us)) {
      refuseUnread(readings, ordinal, one, rules);
      continue;
    }
    const { use, range, quality } = one;
    const canonical =
      use === undefined || range === undefined ? Number.NaN : canonicalWithin(use, sent, range);
    if (use === undefined || Number.isNaN(canonical) || !rules.accepts(at_us, quality)) {
      const seen = readings.seen(ordinal, naming)!;
      rules.refuse(ordinal, readings.raw(ordinal), seen, at_us, use, one.own);
      continue;
    }
    if (one.sensor < 0) {
      one.sensor = columns.sensorIndex(one.resolved.sensor_id, one.resolved.name);
      one.unit = columns.unitIndex(use.unit.symbol);
    }
    columns.push(batch, ordinal, one.sensor, at_us, canonical, one.unit, quality);
  }
}

function judgedSeries(key: FieldKey, rules: BatchRules): Judged | AmbiguousSeries {
  const resolved = resolve(key, rules.naming!);
  if (resolved instanceof AmbiguousSeries) return resolved;
  const use = resolved.unit === undefined ? undefined : rules.units.lookup(resolved.unit);
  const own = use && rules.ownRange(resolved.sensor_id, use);
  const range = own?.range ?? use?.range;
  return { resolved, quality: resolved.quality ?? DEFAULT_QUALITY, use, own, range, sensor: -1, unit: -1 };
}

/** What cannot be asked the other rules. */
function refuseUnread(
  readings: LineColumns,
  ordinal: number,
  one: Judged | AmbiguousSeries | undefined,
  rules: BatchRules,
): void {
  const raw = readings.raw(ordinal);
  const seen = readings.seen(ordinal, rules.naming!);
  if (one === undefined || Number.isNaN(readings.value[ordinal]!)) {
    rules.refuseFor(ordinal, raw, "parse_error", structureDetails(raw), seen);
  } else if (one instanceof AmbiguousSeries) {
    rules.refuseFor(ordinal, raw, "system_not_found", ambiguity(one));
  } else {
    const { precision } = readings.settings;
    const details = `timestamp ${quoted(seen!.timestamp)} is not a whole number of ${precision} since 1970`;
    rules.refuseFor(ordinal, raw, "invalid_timestamp", details, seen);
  }
}
