/** A portion of readings under a decision, each with its verdict; nothing is written. */
import { SeriesMap } from "../contract/series.ts";
import type { Clock } from "../ops/clock.ts";
import type { RegistryReader } from "../store/registry.ts";
import type { QuarantinedRow, ReviewReadings } from "../store/review/readings.ts";
import type { Decision } from "../store/review/tasks.ts";
import { candidates, type Judgement, judge, type ReviewRules, sensorsOf } from "./judge.ts";
import { plainVerdicts, rowOf, type Verdict, verdictsOf } from "./outcomes.ts";

export interface JudgeDeps {
  readonly registry: Pick<RegistryReader, "systems" | "sensors" | "mappings">;
  readonly readings: Pick<ReviewReadings, "stored" | "storedByTask">;
  readonly rules: ReviewRules;
  readonly clock: Clock;
}

/** @throws {StoreUnavailableError} */
export async function judgedPortion(
  { registry, readings, rules, clock }: JudgeDeps,
  rows: readonly QuarantinedRow[],
  { id: task_id, action, change, conflict }: Decision,
): Promise<{ verdicts: Verdict[]; judgement: Judgement | null }> {
  if (action === "reject" || action === "reopen") {
    return { verdicts: plainVerdicts(rows, action), judgement: null };
  }
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
  const stored = await readings.stored(judgement.columns, judgement.order);
  // Of two quarantined readings of one key the first stays, also when a portion ends between them.
  const held = conflict === "replace" ? [...stored.keys()].map((at) => rowOf(judgement, at)) : [];
  const earlier = await readings.storedByTask(task_id, held);
  const conflictOf = ({ id }: QuarantinedRow) => (earlier.has(id) ? null : conflict);
  return { verdicts: verdictsOf(judgement, stored, conflictOf), judgement };
}
