/** What became of every reading of a group: the counters of its jobs, the refusals, the hours that changed. */
import type { Refusal } from "../../contract/refusal.ts";
import type { BatchSpan, DirtyHour, Ledger, Stored, WriteGroup } from "./group.ts";

/** Rows whose key is taken, and by which value. */
type Taken = ReadonlyMap<number, Stored>;

/** Repeats within the group compete with what holds their key: the stored reading, or the first of the group. */
export function settleRepeats(group: WriteGroup, stored: Taken): Taken {
  const { value, unit, units } = group.columns;
  return new Map(
    group.repeats.map(({ row, first }) => [
      row,
      stored.get(first) ?? { value: value[first]!, unit: units[unit[first]!]! },
    ]),
  );
}

/** Equal to what holds the key: the same value in the same canonical unit. Quality may differ. */
function isIdentical(group: WriteGroup, row: number, held: Stored): boolean {
  const { value, unit, units } = group.columns;
  return value[row] === held.value && units[unit[row]!] === held.unit;
}

/** The jobs' counters add up by construction: each row is stored, identical or refused, and counted once. */
export function toLedger(group: WriteGroup, stored: Taken, repeated: Taken, now_ms: number): Ledger {
  const { columns, jobs, order } = group;
  const inserted = new Int32Array(jobs.length);
  const duplicate = new Int32Array(jobs.length);
  const quarantined = new Int32Array(jobs.length);
  const refusals = [...group.refusals];
  const judge = (row: number, held: Stored) => {
    if (isIdentical(group, row, held)) duplicate[columns.batch[row]!]! += 1;
    else refusals.push(conflict(group, row, held));
  };
  for (const row of order) {
    const held = stored.size === 0 ? undefined : stored.get(row);
    if (held) judge(row, held);
    else inserted[columns.batch[row]!]! += 1;
  }
  for (const [row, held] of repeated) judge(row, held);
  for (const refusal of refusals) quarantined[refusal.batch]! += 1;
  return {
    jobs: jobs.map(({ meta, started_at_ms, error_message }, batch) => ({
      job_id: meta.job_id,
      system_id: meta.system_id,
      created_by: meta.user_id,
      status: error_message === null ? "completed" : "failed",
      total_readings: meta.total_readings,
      inserted_readings: inserted[batch]!,
      duplicate_readings: duplicate[batch]!,
      quarantined_readings: quarantined[batch]!,
      created_at_ms: meta.received_at_ms,
      started_at_ms,
      completed_at_ms: Math.max(now_ms, started_at_ms),
      error_message,
    })),
    spans: spansOf(group),
    refusals,
    dirty: dirtyHours(group, stored),
    inserted: inserted.reduce((sum, n) => sum + n, 0),
  };
}

/** Of every row in `order`: a reading that was stored before says as much about a producer's clock as a new one. */
function spansOf({ columns, jobs, order }: WriteGroup): (BatchSpan | null)[] {
  const oldest = new Float64Array(jobs.length).fill(Number.POSITIVE_INFINITY);
  const newest = new Float64Array(jobs.length).fill(Number.NEGATIVE_INFINITY);
  for (const row of order) {
    const batch = columns.batch[row]!;
    const timestamp_us = columns.timestamp_us[row]!;
    if (timestamp_us < oldest[batch]!) oldest[batch] = timestamp_us;
    if (timestamp_us > newest[batch]!) newest[batch] = timestamp_us;
  }
  return jobs.map((_, batch) =>
    newest[batch]! >= oldest[batch]! ? { oldest_us: oldest[batch]!, newest_us: newest[batch]! } : null,
  );
}

function conflict(group: WriteGroup, row: number, held: Stored): Refusal {
  const { columns } = group;
  const batch = columns.batch[row]!;
  const ordinal = columns.ordinal[row]!;
  const seen = group.sent.seen(batch, ordinal)!;
  const canonical = `${columns.value[row]} ${columns.units[columns.unit[row]!]}`;
  const sent = `${seen.value} ${seen.unit}`;
  return {
    batch,
    ordinal,
    reason: "duplicate",
    details: `${sent === canonical ? sent : `${sent} = ${canonical}`} differs from ${held.value} ${held.unit}, which this sensor already has at this timestamp`,
    raw: group.sent.raw(batch, ordinal),
    sensor_id: columns.sensors[columns.sensor[row]!]!,
    timestamp_us: columns.timestamp_us[row]!,
    value: seen.value,
    unit: seen.unit ?? null,
    quality: columns.quality[row]!,
    range_version: null,
  };
}

const HOUR_US = 3_600_000_000;

/** Each system and hour with a new row, once. */
function dirtyHours(group: WriteGroup, stored: Taken): DirtyHour[] {
  const { columns, jobs, order } = group;
  const hours = new Map<string, Set<number>>();
  let lastBatch = -1;
  let lastHour = Number.NaN;
  for (const row of order) {
    if (stored.has(row)) continue;
    const batch = columns.batch[row]!;
    const hour = Math.floor(columns.timestamp_us[row]! / HOUR_US);
    if (batch === lastBatch && hour === lastHour) continue;
    lastBatch = batch;
    lastHour = hour;
    const system_id = jobs[batch]!.meta.system_id;
    const known = hours.get(system_id);
    if (known) known.add(hour);
    else hours.set(system_id, new Set([hour]));
  }
  return [...hours].flatMap(([system_id, set]) =>
    [...set].map((hour) => ({ system_id, hour_s: hour * 3600 })),
  );
}
