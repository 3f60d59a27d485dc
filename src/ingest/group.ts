/** From stream entries to a group that can be written: decode, check every reading, order the rows. CPU only. */
import type { BatchReadings } from "../contract/batch-readings.ts";
import { ReadingColumns } from "../contract/columns.ts";
import {
  decodeEntry,
  EntryError,
  type EntryMeta,
  NewerEntryError,
  readableMeta,
  readingsOf,
} from "../contract/entry.ts";
import type { KnownSensor, RangeTable } from "../contract/known-sensor.ts";
import type { SensorRegistration } from "../contract/membership.ts";
import type { Naming, SentReadings } from "../contract/naming.ts";
import { copyOrder, takeOutRepeats } from "../contract/order.ts";
import { placeReadings } from "../contract/placement.ts";
import type { Refusal } from "../contract/refusal.ts";
import { BatchRules, type RuleSettings, refusal } from "../contract/rules.ts";
import { leading, NO_SPAN, type Span, type Tracer } from "../ops/trace.ts";
import type { WriteGroup } from "../store/writer/group.ts";
import type { StreamEntry } from "../stream/entries.ts";
import { beginBatch } from "./batch-span.ts";

/** A decoded entry. */
export interface Delivery {
  readonly entry: StreamEntry;
  readonly meta: EntryMeta;
  readonly readings: BatchReadings;
  /** From here to the acknowledgement. */
  readonly span: Span;
}

/** A group and the deliveries it was made from, in the same order. */
export interface PreparedGroup extends WriteGroup {
  readonly deliveries: readonly Delivery[];
  /** Of the deliveries. */
  readonly spans: readonly Span[];
  readonly parse_ms: number;
  readonly check_ms: number;
}

/** What `prepare` asks of the registry; all of it answered from memory. */
export interface RegistryView {
  readonly sensors: ReadonlyMap<string, KnownSensor>;
  readonly ranges: RangeTable;
  naming(system_id: string): Naming;
  system(id: string): "open" | "archived" | "unknown";
}

/** The rules that the configuration sets, for readings and for sensors. */
export interface GroupRules extends RuleSettings {
  readonly registration: SensorRegistration;
}

/** An entry that cannot be processed. */
export interface Poison {
  readonly entry: StreamEntry;
  /** Null: not even that can be read. */
  readonly meta: EntryMeta | null;
  readonly reason: string;
  /** Of its batch, if it could be decoded so far. */
  readonly span?: Span;
}

/** Entries that could be decoded, and those that could not. */
export interface Decoded {
  readonly deliveries: Delivery[];
  readonly poison: Poison[];
  /** Those that only a newer program can read. */
  readonly newer: { readonly entry: StreamEntry; readonly version: number }[];
  readonly parse_ms: number;
}

/** Decodes entries and begins a span for each batch; never throws because of an entry. */
export function decode(entries: readonly StreamEntry[], tracer: Tracer): Decoded {
  const begin = performance.now();
  const decoded: Omit<Decoded, "parse_ms"> = { deliveries: [], poison: [], newer: [] };
  for (const entry of entries) {
    const begun_ms = performance.now();
    let meta: EntryMeta | null = null;
    try {
      const parts = decodeEntry(entry.fields);
      meta = parts.meta;
      const readings = readingsOf(meta, parts.body);
      const span = beginBatch(tracer, entry, meta, begun_ms);
      span.did("decode", begun_ms);
      decoded.deliveries.push({ entry, meta, readings, span });
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      if (error instanceof NewerEntryError) {
        decoded.newer.push({ entry, version: error.version });
        continue;
      }
      const readable = meta ?? readableMeta(entry.fields);
      const span = readable ? beginBatch(tracer, entry, readable, begun_ms) : NO_SPAN;
      decoded.poison.push({ entry, meta: readable, reason: error.message, span });
    }
  }
  return { ...decoded, parse_ms: performance.now() - begin };
}

/**
 * Deliveries in sets without two of the same job: a batch that stands in the stream twice (sent again after a lost
 * answer) must not meet itself within one transaction.
 */
export function apart(deliveries: readonly Delivery[]): Delivery[][] {
  const sets: { jobs: Set<string>; deliveries: Delivery[] }[] = [];
  for (const delivery of deliveries) {
    const { job_id } = delivery.meta;
    let set = sets.find(({ jobs }) => !jobs.has(job_id));
    if (!set) {
      set = { jobs: new Set(), deliveries: [] };
      sets.push(set);
    }
    set.jobs.add(job_id);
    set.deliveries.push(delivery);
  }
  return sets.map((set) => set.deliveries);
}

/** Judge every reading of the deliveries and put the good ones in the order of the index. */
export function prepare(
  deliveries: readonly Delivery[],
  registry: RegistryView,
  started_at_ms: number,
  rules: GroupRules,
  parse_ms: number,
): PreparedGroup {
  const begin = performance.now();
  const total = deliveries.reduce((sum, { meta }) => sum + meta.total_readings, 0);
  const columns = new ReadingColumns(total);
  const refusals: Refusal[] = [];
  const namings = deliveries.map(({ meta }) => registry.naming(meta.system_id));
  const jobs = deliveries.map(({ entry, meta, readings }, batch) => {
    const error_message = systemFault(registry, meta.system_id);
    if (error_message === null) {
      const sensorRanges = registry.ranges.at(meta.received_at_ms);
      const naming = namings[batch]!;
      const settings = sensorRanges ? { ...rules, naming, sensorRanges } : { ...rules, naming };
      readings.judge(new BatchRules(batch, meta.received_at_ms, settings, columns, refusals));
    } else refuseAll(readings, batch, error_message, refusals);
    return { meta, stream_entry: `${entry.partition}/${entry.id}`, started_at_ms, error_message };
  });
  const sent = sentReadings(deliveries, namings);
  const systems = deliveries.map(({ meta }) => meta.system_id);
  const placed = placeReadings({ columns, refusals, systems, sent }, registry.sensors, rules);
  const check_ms = performance.now() - begin;
  const spans = deliveries.map(({ span }) => span);
  leading(spans).did("rules", begin);
  return { deliveries, spans, jobs, columns, ...placed, sent, parse_ms, check_ms };
}

/** @param namings of each delivery, as they were when its readings were judged */
function sentReadings(deliveries: readonly Delivery[], namings: readonly Naming[]): SentReadings {
  return {
    raw: (batch, ordinal) => deliveries[batch]!.readings.raw(ordinal),
    seen: (batch, ordinal) => deliveries[batch]!.readings.seen(ordinal, namings[batch]!),
  };
}

/**
 * Sensors of the group that the registry view does not know: among stored readings, and those refused for their range
 * or for a unit that the sensor may say.
 */
export function unknownSensors(group: PreparedGroup, registry: RegistryView): string[] {
  const refused = group.refusals.flatMap(({ reason, sensor_id }) =>
    sensor_id !== null && (reason === "out_of_range" || reason === "invalid_unit") ? [sensor_id] : [],
  );
  return [...group.columns.sensors, ...refused].filter((id) => !registry.sensors.has(id));
}

/** Why no reading of the system can be stored, or null. */
function systemFault(registry: RegistryView, system_id: string): string | null {
  const state = registry.system(system_id);
  if (state === "open") return null;
  return `system ${system_id} is ${state === "archived" ? "archived" : "not registered"}`;
}

function refuseAll(readings: BatchReadings, batch: number, details: string, refusals: Refusal[]): void {
  for (let ordinal = 0; ordinal < readings.length; ordinal += 1) {
    refusals.push(refusal(batch, ordinal, readings.raw(ordinal), "system_not_found", details));
  }
}

/**
 * The group with rows refused by PostgreSQL itself moved to its refusals; a repeat of such a row takes its place.
 * @param guilty positions in `order`, with why
 */
export function refuseRows(group: PreparedGroup, guilty: ReadonlyMap<number, string>): PreparedGroup {
  const { columns } = group;
  const refused = [...guilty].map(([position, why]): Refusal => {
    const row = group.order[position]!;
    const batch = columns.batch[row]!;
    const ordinal = columns.ordinal[row]!;
    const details = `the database refuses it: ${why}`;
    const seen = group.sent.seen(batch, ordinal);
    return refusal(batch, ordinal, group.sent.raw(batch, ordinal), "parse_error", details, seen);
  });
  const taken = new Set([...guilty.keys()].map((position) => group.order[position]!));
  const repeated = new Set(group.repeats.map(({ row }) => row));
  const kept = new Set(group.order.filter((row) => !taken.has(row)));
  const rest = copyOrder(columns).filter((row) => kept.has(row) || repeated.has(row));
  return { ...group, ...takeOutRepeats(columns, rest), refusals: [...group.refusals, ...refused] };
}
