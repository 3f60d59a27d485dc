/**
 * A portion of quarantined readings under a reviewer's decision: each is judged again by the rules of ingest, with
 * the ranges of today, and then compared with what is stored. Nothing here writes.
 */
import { ReadingColumns } from "../contract/columns.ts";
import { type Correction, corrected } from "../contract/correction.ts";
import { type KnownSensor, RangeTable } from "../contract/known-sensor.ts";
import type { SensorRegistration } from "../contract/membership.ts";
import { type PlacedReadings, placeReadings } from "../contract/placement.ts";
import type { Refusal } from "../contract/refusal.ts";
import type { ReviewAction } from "../contract/review.ts";
import type { RuleSettings, SensorRange } from "../contract/rule-settings.ts";
import { checkReadings, refusal } from "../contract/rules.ts";
import { isReading } from "../contract/structure.ts";
import { parseTimestamp_us } from "../contract/timestamp.ts";
import { MAX_MAGNITUDE } from "../contract/unit-definitions.ts";
import type { QuarantinedRow } from "../store/review/readings.ts";

export interface ReviewRules extends RuleSettings {
  readonly registration: SensorRegistration;
}

/** What the registry says of the systems and sensors of a portion. */
export interface RegistryPart {
  /** Whether each registered system is archived, by id. */
  readonly systems: ReadonlyMap<string, boolean>;
  readonly sensors: ReadonlyMap<string, KnownSensor>;
}

/** A reading with the correction applied. */
export interface Candidate {
  readonly row: QuarantinedRow;
  readonly reading: unknown;
}

export interface Judgement extends PlacedReadings {
  readonly columns: ReadingColumns;
  /** The system of each batch; a batch holds the portion's readings of one system. */
  readonly systems: readonly string[];
  /** By batch and ordinal. */
  readonly seats: readonly (readonly Candidate[])[];
}

export function candidates(rows: readonly QuarantinedRow[], change: Correction | null): Candidate[] {
  return rows.map((row) => ({ row, reading: corrected(row.raw, change) }));
}

/** Ids of the sensors that the readings name, in lower case. */
export function sensorsOf(list: readonly Candidate[]): string[] {
  return [
    ...new Set(list.flatMap(({ reading }) => (isReading(reading) ? [reading.sensor_id.toLowerCase()] : []))),
  ];
}

export function judge(
  list: readonly Candidate[],
  action: ReviewAction,
  registry: RegistryPart,
  rules: ReviewRules,
  now_ms: number,
): Judgement {
  const bySystem = Map.groupBy(list, ({ row }) => row.system_id);
  const systems = [...bySystem.keys()];
  const seats = [...bySystem.values()];
  const columns = new ReadingColumns(list.length);
  const refusals: Refusal[] = [];
  const ranges = new RangeTable(registry.sensors.values().toArray()).at(now_ms);
  seats.forEach((batch, index) => {
    const fault = systemFault(registry, systems[index]!);
    batch.forEach(({ row, reading }, ordinal) => {
      if (fault !== null) refusals.push(refusal(index, ordinal, reading, "system_not_found", fault));
      else {
        const settings = action === "approve" ? waived(reading, rules) : withRanges(rules, ranges);
        const at_ms = action === "approve" ? judgedAt_ms(row, reading, now_ms) : row.received_ms;
        judgeOne(reading, index, ordinal, at_ms, settings, columns, refusals);
      }
    });
  });
  const rawOf = (batch: number, ordinal: number) => seats[batch]![ordinal]!.reading;
  const placed = placeReadings({ columns, refusals, systems, rawOf }, registry.sensors, rules);
  return { ...placed, columns, systems, seats };
}

/** An approval says that the timestamp is right, so it may lie ahead of the receipt, but not of today. */
function judgedAt_ms({ received_ms }: QuarantinedRow, reading: unknown, now_ms: number): number {
  const ahead = isReading(reading) && parseTimestamp_us(reading.timestamp) > received_ms * 1000;
  return ahead ? Math.max(received_ms, now_ms) : received_ms;
}

/** `checkReadings` counts from 0 in the list it is given, and every reading here has a time of receipt of its own. */
function judgeOne(
  reading: unknown,
  batch: number,
  ordinal: number,
  received_ms: number,
  settings: RuleSettings,
  columns: ReadingColumns,
  refusals: Refusal[],
): void {
  const row = columns.length;
  checkReadings([reading], batch, received_ms, settings, columns, refusals);
  if (columns.length > row) columns.ordinal[row] = ordinal;
  else refusals.at(-1)!.ordinal = ordinal;
}

function withRanges(
  rules: ReviewRules,
  sensorRanges: ReadonlyMap<string, SensorRange> | undefined,
): RuleSettings {
  return sensorRanges ? { ...rules, sensorRanges } : rules;
}

/** An approval waives the limits of value and quality, and nothing else. */
function waived(reading: unknown, rules: ReviewRules): RuleSettings {
  if (!isReading(reading)) return rules;
  const unit = rules.units.lookup(reading.unit)?.unit.symbol;
  if (unit === undefined) return { ...rules, minQuality: 0 };
  const range = { min: -MAX_MAGNITUDE, max: MAX_MAGNITUDE };
  return {
    ...rules,
    minQuality: 0,
    sensorRanges: new Map([[reading.sensor_id, { unit, range, version: 0 }]]),
  };
}

function systemFault({ systems }: RegistryPart, system_id: string): string | null {
  const archived = systems.get(system_id);
  if (archived === false) return null;
  return `system ${system_id} is ${archived ? "archived" : "not registered"}`;
}
