/**
 * Decisions that are taken back. A rejected reading is pending again and no more; of one that was stored, the stored
 * reading is taken out, if it still is the one that the decision stored, and a value that it replaced is put back by a
 * job of its own. Nothing here writes.
 */
import { ReadingColumns } from "../contract/columns.ts";
import type { SeenReading } from "../contract/naming.ts";
import { copyOrder } from "../contract/order.ts";
import { formatTimestamp } from "../contract/timestamp.ts";
import type { HeldReading, Holding, ReviewHoldings } from "../store/review/holdings.ts";
import type { QuarantinedRow, ReviewReadings } from "../store/review/readings.ts";
import type { Decision } from "../store/review/tasks.ts";
import type { Replaced, WriteJob } from "../store/writer/group.ts";
import { jobFor, type ReviewGroup } from "./group.ts";
import { plainVerdict, type Verdict } from "./outcomes.ts";

export interface Reopening {
  readonly verdicts: Verdict[];
  /** As they were when this was judged, by the reading's id. */
  readonly holdings: ReadonlyMap<number, Holding>;
}

export interface ReopeningDeps {
  readonly readings: Pick<ReviewReadings, "stored">;
  readonly holdings: Pick<ReviewHoldings, "of">;
}

/** @throws {StoreUnavailableError} */
export async function reopening(
  { readings, holdings }: ReopeningDeps,
  rows: readonly QuarantinedRow[],
): Promise<Reopening> {
  const list = await holdings.of(rows.map(({ id }) => id));
  const stored = await readings.stored(list);
  const place = new Map(list.map(({ id }, at) => [id, at]));
  // Readings with the same value share one stored row: the first takes it out.
  const taken = new Set<string>();
  const verdicts = rows.map((row) => {
    if (row.review_status === "rejected") return plainVerdict(row, "reopen");
    const at = place.get(row.id);
    if (at === undefined)
      return failing(
        row,
        "not_on_record",
        "what it has stored is not on record: an older program decided it",
      );
    const verdict = takenBack(row, list[at]!, stored.get(at) ?? null);
    if (verdict.outcome !== "withdraw" && verdict.outcome !== "restore") return verdict;
    const key = keyOf(list[at]!);
    if (taken.has(key)) return plainVerdict(row, "reopen");
    taken.add(key);
    return verdict;
  });
  return { verdicts, holdings: new Map(list.map((holding) => [holding.id, holding])) };
}

const keyOf = ({ sensor_id, timestamp_us }: Holding) => `${sensor_id} ${timestamp_us}`;

function failing(row: QuarantinedRow, reason: string, details: string): Verdict {
  return { ...plainVerdict(row, "reopen"), outcome: "fails", reason, details };
}

/** @param held what its sensor has at its timestamp now */
function takenBack(row: QuarantinedRow, holding: Holding, held: HeldReading | null): Verdict {
  const { covered_by, shared_with, own, value, unit, replaced } = holding;
  if (covered_by !== null)
    return failing(
      row,
      "replaced_since",
      `reading ${covered_by} has taken its place since: reopen that one first`,
    );
  // It stays for another decision, was there before, or is gone already.
  if (shared_with !== null || !own || held === null) return plainVerdict(row, "reopen");
  if (held.value !== value || held.unit !== unit) {
    const details = `the sensor has ${held.value} ${held.unit} at this timestamp now, not ${value} ${unit}, which was stored`;
    return { ...failing(row, "replaced_since", details), held };
  }
  if (replaced === null) return { ...plainVerdict(row, "reopen"), outcome: "withdraw", held };
  if (!isWhole(replaced))
    return failing(row, "not_on_record", "the value that it replaced is not on record as a whole");
  const { value: old, unit: oldUnit, quality } = replaced;
  const timestamp = formatTimestamp(holding.timestamp_us);
  const after = { sensor_id: holding.sensor_id, timestamp, value: old, unit: oldUnit, quality };
  return { ...plainVerdict(row, "reopen"), outcome: "restore", held, after };
}

const isWhole = (reading: Partial<HeldReading>): reading is HeldReading =>
  reading.value !== undefined &&
  reading.unit !== undefined &&
  reading.quality !== undefined &&
  reading.system_id !== undefined;

/** Stored readings that go. */
export function withdrawnBy(
  { holdings }: Reopening,
  verdicts: readonly Verdict[],
  outcome: "withdraw" | "restore",
): Replaced[] {
  return verdicts.filter((one) => one.outcome === outcome).map(({ row }) => holdings.get(row.id)!);
}

/** What puts replaced values back; null when there are none. */
export function restoring(
  reopened: Reopening,
  verdicts: readonly Verdict[],
  decision: Decision,
  now_ms: number,
): ReviewGroup | null {
  const back = verdicts.filter(({ outcome }) => outcome === "restore");
  if (back.length === 0) return null;
  const columns = new ReadingColumns(back.length);
  const jobs: WriteJob[] = [];
  const seats: SeenReading[][] = [];
  const bySystem = Map.groupBy(back, ({ row }) => reopened.holdings.get(row.id)!.replaced!.system_id!);
  const ids: number[] = [];
  for (const [system_id, list] of bySystem) {
    const batch = jobs.push(jobFor(system_id, list.length, decision, now_ms)) - 1;
    seats.push(list.map(({ after }) => after!));
    list.forEach(({ row, after }, ordinal) => {
      const { sensor_id, value, unit, quality } = after!;
      const { timestamp_us } = reopened.holdings.get(row.id)!;
      const sensor = columns.sensorIndex(sensor_id);
      columns.push(batch, ordinal, sensor, timestamp_us, value, columns.unitIndex(unit), quality);
      ids.push(row.id);
    });
  }
  const seat = (batch: number, ordinal: number) => seats[batch]![ordinal]!;
  const jobs_of = new Map(ids.map((id, at) => [id, jobs[columns.batch[at]!]!.meta.job_id]));
  return {
    group: {
      ...{ jobs, columns, order: copyOrder(columns), repeats: [], refusals: [], registrations: [] },
      replaced: withdrawnBy(reopened, verdicts, "restore"),
      sent: { raw: seat, seen: seat },
    },
    jobOf: ({ row }) => jobs_of.get(row.id) ?? null,
    idOf: (at) => ids[at]!,
  };
}
