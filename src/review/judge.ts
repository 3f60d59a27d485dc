/**
 * A portion of quarantined readings under a reviewer's decision: each is judged again by the rules of ingest, with
 * the ranges of today, and then compared with what is stored. Nothing here writes.
 */
import { ReadingColumns } from "../contract/columns.ts";
import { type Correction, corrected } from "../contract/correction.ts";
import type { SensorRange } from "../contract/known-sensor.ts";
import { type KnownSensor, RangeTable } from "../contract/known-sensor.ts";
import type { SensorRegistration } from "../contract/membership.ts";
import { type Naming, type SeenReading, type SentReadings, seenReading } from "../contract/naming.ts";
import { type PlacedReadings, placeReadings } from "../contract/placement.ts";
import type { Refusal } from "../contract/refusal.ts";
import type { ReviewAction } from "../contract/review.ts";
import type { RuleSettings } from "../contract/rule-settings.ts";
import { checkReadings, refusal } from "../contract/rules.ts";
import { SeriesMap } from "../contract/series.ts";
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
  /** What names stand for, by system; none for a system without mappings. */
  readonly series: ReadonlyMap<string, SeriesMap>;
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
  readonly sent: SentReadings;
}

/** The readings that a review is about, as they are once changed. @param change null: nothing is changed */
export function candidates(rows: readonly QuarantinedRow[], change: Correction | null): Candidate[] {
  return rows.map((row) => ({ row, reading: corrected(row.raw, change) }));
}

/** Ids of the sensors that the readings give or name, in lower case. */
export function sensorsOf(list: readonly Candidate[], series: RegistryPart["series"]): string[] {
  const ids = list.flatMap(({ row: { system_id }, reading }) => {
    const seen = seenReading(reading, namingOf({ series, sensors: new Map() }, system_id));
    return seen ? [seen.sensor_id.toLowerCase()] : [];
  });
  return [...new Set(ids)];
}

function namingOf({ series, sensors }: Pick<RegistryPart, "series" | "sensors">, system_id: string): Naming {
  return { series: series.get(system_id) ?? new SeriesMap(system_id), sensors };
}

/**
 * Judges readings under review as they were sent, by today's registry: an approval waives the limits of value and
 * quality, and nothing else.
 * @param now_ms the ranges in force then count, ms since the epoch; timestamps are judged by their receipt
 */
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
  const namings = systems.map((system_id) => namingOf(registry, system_id));
  const columns = new ReadingColumns(list.length);
  const refusals: Refusal[] = [];
  const ranges = new RangeTable(registry.sensors.values().toArray()).at(now_ms);
  seats.forEach((batch, index) => {
    const fault = systemFault(registry, systems[index]!);
    const naming = namings[index]!;
    batch.forEach(({ row, reading }, ordinal) => {
      if (fault !== null) refusals.push(refusal(index, ordinal, reading, "system_not_found", fault));
      else {
        const own = { ...rules, naming };
        const seen = seenReading(reading, naming);
        const settings = action === "approve" ? waived(seen, own) : withRanges(own, ranges);
        const at_ms = action === "approve" ? judgedAt_ms(row, seen, now_ms) : row.received_ms;
        judgeOne(reading, index, ordinal, at_ms, settings, columns, refusals);
      }
    });
  });
  const raw = (batch: number, ordinal: number) => seats[batch]![ordinal]!.reading;
  const sent = {
    raw,
    seen: (batch: number, ordinal: number) => seenReading(raw(batch, ordinal), namings[batch]!),
  };
  const placed = placeReadings({ columns, refusals, systems, sent }, registry.sensors, rules);
  return { ...placed, columns, systems, seats, sent };
}

/** An approval says that the timestamp is right, so it may lie ahead of the receipt, but not of today. */
function judgedAt_ms({ received_ms }: QuarantinedRow, seen: SeenReading | undefined, now_ms: number): number {
  const ahead = seen !== undefined && parseTimestamp_us(seen.timestamp) > received_ms * 1000;
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
  rules: RuleSettings,
  sensorRanges: ReadonlyMap<string, SensorRange> | undefined,
): RuleSettings {
  return sensorRanges ? { ...rules, sensorRanges } : rules;
}

/** An approval waives the limits of value and quality, and nothing else. */
function waived(seen: SeenReading | undefined, rules: RuleSettings): RuleSettings {
  if (seen === undefined) return rules;
  const unit = rules.units.lookup(seen.unit ?? "")?.unit.symbol;
  if (unit === undefined) return { ...rules, minQuality: 0 };
  const range = { min: -MAX_MAGNITUDE, max: MAX_MAGNITUDE };
  return {
    ...rules,
    minQuality: 0,
    sensorRanges: new Map([[seen.sensor_id, { unit, range, version: 0 }]]),
  };
}

function systemFault({ systems }: RegistryPart, system_id: string): string | null {
  const archived = systems.get(system_id);
  if (archived === false) return null;
  return `system ${system_id} is ${archived ? "archived" : "not registered"}`;
}
