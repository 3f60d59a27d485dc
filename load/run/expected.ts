/** What must be there after a run, computed from which batches were accepted. */
import type { RefusalReason } from "../../src/contract/refusal.ts";
import { isForUnknownSystem, KEPT, placesOf } from "../k6/faults.ts";
import {
  hundredthsOf,
  qualityOf,
  type RunShape,
  type Sample,
  SENSORS,
  sampleOf,
  sensorId,
  unitOf,
  wholeOf,
} from "../k6/rig.ts";
import { type Reasons, type SensorSum, SumOfSensor } from "./held.ts";

/** What must become of one batch. */
export interface BatchOutcome {
  readonly total: number;
  /** Without the kept readings. */
  readonly inserted: number;
  readonly identical: number;
  /** Readings of k6/faults.ts `KEPT`: the rig's first is inserted, the others are duplicates. */
  readonly kept: number;
  readonly quarantined: number;
  readonly reasons: Reasons;
  readonly status: "completed" | "failed";
}

/** Sums over all jobs. */
export interface Totals {
  readonly jobs: number;
  readonly failed: number;
  readonly total: number;
  readonly inserted: number;
  readonly duplicate: number;
  readonly quarantined: number;
}

/** Time that the times of a run count from, ms since the epoch. */
export const originOf = ({ start_s }: RunShape): number => (start_s - KEPT.before_s) * 1000;
/** The second that a batch of a rig fills, ms since the epoch. */
export const secondOf = ({ start_s }: RunShape, n: number): number => (start_s + n) * 1000;

export const sensorsOf = ({ run }: RunShape, rig: number): string[] =>
  Array.from({ length: SENSORS }, (_, sensor) => sensorId(run, rig, sensor));

export class Expected {
  readonly #good: readonly Sample[];
  readonly #usual: BatchOutcome;
  readonly #unknown: BatchOutcome;
  readonly #rigs = new Map<number, SumOfSensor[]>();
  readonly #reasons = new Map<RefusalReason, number>();
  readonly #totals = { jobs: 0, failed: 0, total: 0, inserted: 0, duplicate: 0, quarantined: 0 };
  readonly #keeping = new Set<number>();

  constructor(readonly shape: RunShape) {
    const places = placesOf(shape, (at) => sampleOf(at, shape.batch));
    this.#good = places.flatMap((place) => ("good" in place ? [place.good] : []));
    const outcomes = places.flatMap((place) => ("fault" in place ? [place.fault.outcome] : []));
    const count = (which: string) => outcomes.filter((outcome) => outcome === which).length;
    const [identical, kept] = [count("identical"), count("kept")];
    const reasons = Object.fromEntries(
      outcomes.filter((one) => one !== "identical" && one !== "kept").map((one) => [one, count(one)]),
    );
    const total = shape.batch;
    const quarantined = outcomes.length - identical - kept;
    const inserted = this.#good.length;
    this.#usual = { total, inserted, identical, kept, quarantined, reasons, status: "completed" };
    this.#unknown = {
      ...{ total, inserted: 0, identical: 0, kept: 0, quarantined: total },
      ...{ reasons: { system_not_found: total }, status: "failed" },
    };
  }

  outcomeOf(n: number): BatchOutcome {
    return isForUnknownSystem(this.shape, n) ? this.#unknown : this.#usual;
  }

  /** A batch of which the service has to have everything. */
  add(rig: number, n: number): void {
    const outcome = this.outcomeOf(n);
    const totals = this.#totals;
    // The rig's first kept reading is inserted.
    const first = outcome.kept > 0 && !this.#keeping.has(rig) ? 1 : 0;
    totals.jobs += 1;
    totals.failed += outcome.status === "failed" ? 1 : 0;
    totals.total += outcome.total;
    totals.inserted += outcome.inserted + first;
    totals.duplicate += outcome.identical + outcome.kept - first;
    totals.quarantined += outcome.quarantined;
    for (const [reason, readings] of Object.entries(outcome.reasons) as [RefusalReason, number][])
      this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + readings);
    if (outcome.inserted > 0) this.#addReadings(rig, n);
    if (first === 0) return;
    this.#keeping.add(rig);
    this.#sumsOf(rig)[KEPT.sensor]!.add(0, KEPT.value * 100, KEPT.quality);
  }

  get totals(): Totals {
    return { ...this.#totals };
  }

  reasons(): Reasons {
    return Object.fromEntries(this.#reasons);
  }

  rigs(): number[] {
    return [...this.#rigs.keys()];
  }

  /** By sensor id. */
  sums(): SensorSum[] {
    const { run } = this.shape;
    return [...this.#rigs]
      .flatMap(([rig, sums]) => sums.map((sum, sensor) => sum.of(sensorId(run, rig, sensor), unitOf(sensor))))
      .filter(({ readings }) => readings > 0)
      .sort((a, b) => (a.sensor_id < b.sensor_id ? -1 : 1));
  }

  #sumsOf(rig: number): SumOfSensor[] {
    let sums = this.#rigs.get(rig);
    if (sums === undefined) {
      sums = Array.from({ length: SENSORS }, () => new SumOfSensor());
      this.#rigs.set(rig, sums);
    }
    return sums;
  }

  #addReadings(rig: number, n: number): void {
    const sums = this.#sumsOf(rig);
    const hundredths = hundredthsOf(this.shape.run, rig, n);
    const second_ms = secondOf(this.shape, n) - originOf(this.shape);
    for (const { sensor, sample, ms } of this.#good) {
      const value = wholeOf(rig, sensor, sample) * 100 + hundredths;
      sums[sensor]!.add(second_ms + ms, value, qualityOf(sensor, sample));
    }
  }
}
