/**
 * What a writer must do with batches, said slowly: one reading after another against a Map. Knows nothing of COPY,
 * order of rows, groups or SQL.
 */
import { ReadingColumns } from "../../src/contract/columns.ts";
import type { EntryMeta } from "../../src/contract/entry.ts";
import { newJobId } from "../../src/contract/job-id.ts";
import { copyOrder, takeOutRepeats } from "../../src/contract/order.ts";
import type { Refusal, RefusalReason } from "../../src/contract/refusal.ts";
import type { WriteGroup } from "../../src/store/writer/group.ts";
import { RECEIVED_MS, START_MS, SYSTEM, sensor, USER } from "./ingest-bench.ts";

/** A reading that has passed the rules, or null for one that was refused by them. */
export type Judged = {
  readonly sensor: number;
  readonly second: number;
  readonly value: number;
  readonly unit: string;
} | null;

/** A batch as the writer gets it. */
export interface JudgedBatch {
  readonly job_id: string;
  readonly readings: readonly Judged[];
}

export const batchesOf = (readings: readonly (readonly Judged[])[]): JudgedBatch[] =>
  readings.map((list) => ({ job_id: newJobId(0), readings: list }));

const metaOf = ({ job_id, readings }: JudgedBatch): EntryMeta => ({
  job_id,
  system_id: SYSTEM,
  user_id: USER,
  request_id: "test",
  total_readings: readings.length,
  received_at_ms: RECEIVED_MS,
});

const asSent = (judged: Judged) =>
  judged && {
    sensor_id: sensor(judged.sensor),
    timestamp: `+${judged.second}s`,
    value: judged.value,
    unit: judged.unit,
  };

/** A group as `prepare` makes it. */
export function groupOf(batches: readonly JudgedBatch[]): WriteGroup {
  const columns = new ReadingColumns(4);
  const refusals: Refusal[] = [];
  for (const [batch, { readings }] of batches.entries()) {
    for (const [ordinal, judged] of readings.entries()) {
      if (judged) {
        columns.push(
          batch,
          ordinal,
          columns.sensorIndex(sensor(judged.sensor)),
          (START_MS + judged.second * 1000) * 1000,
          judged.value,
          columns.unitIndex(judged.unit),
          90,
        );
      } else {
        refusals.push({
          batch,
          ordinal,
          reason: "parse_error",
          details: "refused by the rules",
          raw: null,
          sensor_id: null,
          timestamp_us: null,
          value: null,
          unit: null,
          quality: null,
          range_version: null,
        });
      }
    }
  }
  const { order, repeats } = takeOutRepeats(columns, copyOrder(columns));
  return {
    jobs: batches.map((batch, i) => ({
      meta: metaOf(batch),
      stream_entry: `0/${i}-0`,
      started_at_ms: RECEIVED_MS + 5,
      error_message: null,
    })),
    columns,
    order,
    repeats,
    refusals,
    registrations: [],
    sent: {
      raw: (batch, ordinal) => asSent(batches[batch]!.readings[ordinal]!),
      seen: (batch, ordinal) => asSent(batches[batch]!.readings[ordinal]!) ?? undefined,
    },
  };
}

/** A stored reading: `sensor|second` to value and unit. */
export type Table = Map<string, { readonly value: number; readonly unit: string }>;

/** What must be in the quarantine, without what the database adds. */
export interface Expected {
  readonly counts: { inserted: number; duplicate: number; quarantined: number; total: number }[];
  readonly quarantine: {
    job_id: string;
    ordinal: number;
    reason: RefusalReason;
    details: string;
    raw: unknown;
  }[];
}

/** Write the batches into `table`, one reading after another: the first of a key stays. */
export function writeSlowly(batches: readonly JudgedBatch[], table: Table): Expected {
  const expected: Expected = { counts: [], quarantine: [] };
  for (const { job_id, readings } of batches) {
    const counts = { inserted: 0, duplicate: 0, quarantined: 0, total: readings.length };
    const refuse = (ordinal: number, reason: RefusalReason, details: string, raw: unknown) => {
      counts.quarantined += 1;
      expected.quarantine.push({ job_id, ordinal, reason, details, raw });
    };
    for (const [ordinal, judged] of readings.entries()) {
      if (!judged) {
        refuse(ordinal, "parse_error", "refused by the rules", null);
        continue;
      }
      const { value, unit } = judged;
      const key = `${judged.sensor}|${judged.second}`;
      const held = table.get(key);
      if (!held) {
        table.set(key, { value, unit });
        counts.inserted += 1;
      } else if (held.value === value && held.unit === unit) {
        counts.duplicate += 1;
      } else {
        const details = `${value} ${unit} differs from ${held.value} ${held.unit}, which this sensor already has at this timestamp`;
        refuse(ordinal, "duplicate", details, asSent(judged));
      }
    }
    expected.counts.push(counts);
  }
  expected.quarantine.sort((a, b) =>
    a.job_id < b.job_id ? -1 : a.job_id > b.job_id ? 1 : a.ordinal - b.ordinal,
  );
  return expected;
}
