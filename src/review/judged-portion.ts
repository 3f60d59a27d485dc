/** A portion of readings under a decision, each with its verdict; nothing is written. */
import { SeriesMap } from "../contract/series.ts";
import type { Clock } from "../ops/clock.ts";
import type { RegistryReader } from "../store/registry.ts";
import type { ReviewHoldings, StoredKey } from "../store/review/holdings.ts";
import type { QuarantinedRow, ReviewReadings } from "../store/review/readings.ts";
import type { Decision } from "../store/review/tasks.ts";
import { candidates, type Judgement, judge, type ReviewRules, sensorsOf } from "./judge.ts";
import { plainVerdict, rowOf, type Verdict, verdictsOf } from "./outcomes.ts";
import { type Reopening, reopening } from "./reopening.ts";

export interface JudgeDeps {
  readonly registry: Pick<RegistryReader, "systems" | "sensors" | "mappings">;
  readonly readings: Pick<ReviewReadings, "stored">;
  readonly holdings: Pick<ReviewHoldings, "of" | "byTask">;
  readonly rules: ReviewRules;
  readonly clock: Clock;
}

export interface JudgedPortion {
  readonly verdicts: readonly Verdict[];
  /** Of what is to be stored. */
  readonly judgement: Judgement | null;
  /** Of decisions that are taken back. */
  readonly reopened: Reopening | null;
}

/** @throws {StoreUnavailableError} */
export async function judgedPortion(
  deps: JudgeDeps,
  rows: readonly QuarantinedRow[],
  decision: Decision,
): Promise<JudgedPortion> {
  const { action } = decision;
  if (action === "reject") {
    const verdicts = rows.map((row) => plainVerdict(row, action));
    return { verdicts, judgement: null, reopened: null };
  }
  if (action === "reopen") {
    const reopened = await reopening(deps, rows);
    return { verdicts: reopened.verdicts, judgement: null, reopened };
  }
  return { ...(await toBeStored(deps, rows, decision)), reopened: null };
}

async function toBeStored(
  { registry, readings, holdings, rules, clock }: JudgeDeps,
  rows: readonly QuarantinedRow[],
  { id: task_id, action, change, conflict }: Decision,
): Promise<{ verdicts: Verdict[]; judgement: Judgement }> {
  const list = candidates(rows, change);
  const systems = await registry.systems([...new Set(rows.map(({ system_id }) => system_id))]);
  const mapped = systems.filter(({ mapped_at }) => mapped_at !== null);
  const series = new Map(
    (await registry.mappings(mapped.map(({ id }) => id))).map(({ system_id, mappings }) => [
      system_id,
      new SeriesMap(system_id, mappings),
    ]),
  );
  const sensors = await registry.sensors(sensorsOf(list, series));
  const part = {
    series,
    systems: new Map(systems.map(({ id, archived }) => [id, archived])),
    sensors: new Map(sensors.map((sensor) => [sensor.id, sensor])),
  };
  const judgement = judge(list, action, part, rules, clock.now_ms());
  const order = [...judgement.order];
  const keys = order.map((at) => keyAt(judgement, at));
  const found = await readings.stored(keys);
  const stored = new Map([...found].map(([n, reading]) => [order[n]!, reading]));
  // Of two quarantined readings of one key the first stays, also when a portion ends between them.
  const held = conflict === "replace" ? [...found.keys()] : [];
  const byTask = await holdings.byTask(
    task_id,
    held.map((n) => keys[n]!),
  );
  const earlier = new Set(byTask.map((n) => rowOf(judgement, order[held[n]!]!).id));
  const conflictOf = ({ id }: QuarantinedRow) => (earlier.has(id) ? null : conflict);
  return { verdicts: verdictsOf(judgement, stored, conflictOf), judgement };
}

function keyAt({ columns }: Judgement, at: number): StoredKey {
  return { sensor_id: columns.sensors[columns.sensor[at]!]!, timestamp_us: columns.timestamp_us[at]! };
}
