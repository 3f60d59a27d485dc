/** What a service holds after a run, asked of its tables or of its API. Figures are whole numbers, exact in a double. */
import type { JobState } from "../../src/contract/job.ts";
import type { RefusalReason } from "../../src/contract/refusal.ts";

/** Of the readings that are stored for one sensor. */
export interface SensorSum {
  readonly sensor_id: string;
  readonly unit: string;
  readonly readings: number;
  readonly quality: number;
  /** Sum of the times, ms since `originOf` the run. */
  readonly times_ms: number;
  /** Sum of value in hundredths times `weightOf` its time: ties values to times. */
  readonly mixed: number;
  /** Readings whose value has more than two decimals or whose time has a part of a ms: none was sent. */
  readonly odd: number;
}

export interface HeldJob {
  readonly job_id: string;
  readonly status: JobState;
  readonly total_readings: number;
  readonly inserted_readings: number;
  readonly duplicate_readings: number;
  readonly quarantined_readings: number;
  readonly created_at_ms: number;
  readonly completed_at_ms: number | null;
}

export type Reasons = Partial<Record<RefusalReason, number>>;

/** A job that was accepted, and whose it is. */
export interface OwnJob {
  readonly job_id: string;
  readonly rig: number;
}

export interface Held {
  /** For people: where it was looked. */
  readonly where: string;
  /** Everything of the run can be seen, and nothing else is there; else only what was accepted can be asked for. */
  readonly whole: boolean;
  /** Resolves when nothing waits any more. @throws {WrongDataError} when accepted jobs do not end */
  settle(jobs: readonly OwnJob[]): Promise<void>;
  /** Of `jobs`, and all others when the view is `whole`. */
  jobs(jobs: readonly OwnJob[]): Promise<HeldJob[]>;
  /** Quarantined readings of these jobs by reason; of all when the view is `whole`. */
  reasons(jobs: readonly HeldJob[], owners: ReadonlyMap<string, number>): Promise<Reasons>;
  /** Of every sensor that has readings, by id. */
  sums(sensors: readonly string[]): Promise<SensorSum[]>;
  /** How many readings these sensors have from a time on and before another, ms since the epoch. */
  count(sensors: readonly string[], from_ms: number, to_ms: number): Promise<number>;
  /** How many jobs there are of a system that is not registered; asked by the sender of a rig. */
  jobsOf(system_id: string, rig: number): Promise<number>;
  /** Readings of other systems; null when that cannot be seen. */
  strangers(): Promise<number | null>;
}

/** A prime: readings that change places change the sum. */
export const WEIGHTS = 9_973;
/** @param time_ms since the run's origin */
const weightOf = (time_ms: number): number => (time_ms % WEIGHTS) + 1;

/** Adds up one sensor's readings as `SensorSum` says. */
export class SumOfSensor {
  readings = 0;
  quality = 0;
  times_ms = 0;
  mixed = 0;
  odd = 0;

  /** @param time_ms since the run's origin */
  add(time_ms: number, hundredths: number, quality: number): void {
    this.readings += 1;
    this.quality += quality;
    this.times_ms += time_ms;
    this.mixed += hundredths * weightOf(time_ms);
  }

  of(sensor_id: string, unit: string): SensorSum {
    const { readings, quality, times_ms, mixed, odd } = this;
    return { sensor_id, unit, readings, quality, times_ms, mixed, odd };
  }
}
