/**
 * The batches of a simulation run, one after the other: rigs measured in turn, faults put in, and for each
 * batch what must become of it. The same plan gives the same batches, byte for byte.
 */
import { uuidV5 } from "../../contract/name-uuid.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import { Chance } from "./chance.ts";
import {
  conflicting,
  FaultQuota,
  type FaultShares,
  READING_FAULTS,
  type ReadingFault,
  type SimulatedReading,
  spoil,
} from "./faults.ts";
import { Rig, SENSORS } from "./rig.ts";

export interface SimulationPlan {
  readonly seed: number;
  readonly system_id: string;
  /** Users of the service; each has a rig of its own. */
  readonly users: number;
  /** Readings per second of all users together. */
  readonly rate: number;
  /** Readings per batch. */
  readonly batch: number;
  /** Readings of the whole run. */
  readonly readings: number;
  /** Timestamp of the first reading, microseconds since the epoch. */
  readonly start_us: number;
  readonly shares: FaultShares;
}

/** What must become of the readings of one batch; `quarantined` by reason. */
export interface Expectation {
  readonly inserted: number;
  readonly duplicate: number;
  readonly quarantined: Readonly<Record<Exclude<ReadingFault, "identical"> | "system_not_found", number>>;
  /** The job ends as failed: the system is not registered. */
  readonly fails: boolean;
}

export interface PlannedBatch {
  /** From 0. */
  readonly number: number;
  /** Index of the user who sends it. */
  readonly user: number;
  /** When its last reading has been measured, ms after the start of the run. */
  readonly due_ms: number;
  readonly readings: number;
  /** JSON as it is sent. */
  readonly body: string;
  readonly expected: Expectation;
}

/** Readings of a batch that a later batch may repeat. */
const KEPT_FOR_REPETITION = 256;
/** A namespace of our own for the ids of simulated sensors (RFC 9562 section 6.6). */
const SENSOR_NAMESPACE = "0b7d6a3e-6c1f-4a58-9b0e-52a7f1c3d984";

/** One rig and how far it has been measured. */
interface Source {
  readonly rig: Rig;
  readonly chance: Chance;
  readonly sensor_ids: readonly string[];
  readonly start_us: number;
  measured: number;
  timestamp: string;
  repeatable: SimulatedReading[];
}

/** Seconds between two measurements of one rig. */
export function samplingInterval_s(plan: SimulationPlan): number {
  return (plan.users * SENSORS.length) / plan.rate;
}

export class SimulatedBatches {
  readonly #plan: SimulationPlan;
  readonly #quota: FaultQuota;
  readonly #sources: readonly Source[];
  readonly #unknown_system: string;
  #number = 0;
  #readings = 0;

  constructor(plan: SimulationPlan) {
    this.#plan = plan;
    this.#quota = new FaultQuota(plan.shares);
    this.#unknown_system = uuidV5(SENSOR_NAMESPACE, `${plan.seed}/unknown system`);
    // Users are staggered so that their batches fall due evenly; each stamp lies just before its batch.
    const stagger_us = (plan.batch / plan.rate) * 1e6;
    this.#sources = Array.from({ length: plan.users }, (_, user) => ({
      rig: new Rig(new Chance(plan.seed, `rig ${user}`)),
      chance: new Chance(plan.seed, `batches ${user}`),
      sensor_ids: SENSORS.map(({ name }) => simulatedSensorId(plan, user, name)),
      start_us: plan.start_us + user * stagger_us,
      measured: 0,
      timestamp: "",
      repeatable: [],
    }));
  }

  /** The next batch, or null at the end of the run. */
  next(): PlannedBatch | null {
    const plan = this.#plan;
    const count = Math.min(plan.batch, plan.readings - this.#readings);
    if (count <= 0) return null;
    const number = this.#number;
    const user = number % plan.users;
    const source = this.#sources[user]!;
    const good = Array.from({ length: count }, () => this.#measure(source));
    this.#number += 1;
    this.#readings += count;
    const common = { number, user, due_ms: (this.#readings / plan.rate) * 1000, readings: count };
    // Whole batches: as soon as half a batch is due, so that the share of a run is rounded and not cut off.
    if (this.#quota.due("system_not_found", this.#readings) * 2 >= plan.batch) {
      this.#quota.placed("system_not_found", count);
      const body = JSON.stringify({ system_id: this.#unknown_system, readings: good });
      return { ...common, body, expected: expectation(count, { system_not_found: count }) };
    }
    const { readings, placed } = this.#withFaults(good, source);
    const body = JSON.stringify({ system_id: plan.system_id, readings });
    return { ...common, body, expected: expectation(count, placed) };
  }

  #measure(source: Source): SimulatedReading {
    const index = source.measured % SENSORS.length;
    if (index === 0) {
      const tick = source.measured / SENSORS.length;
      const interval_s = samplingInterval_s(this.#plan);
      if (tick > 0) source.rig.advance(interval_s);
      source.timestamp = formatTimestamp(Math.floor(source.start_us + tick * interval_s * 1e6));
    }
    source.measured += 1;
    const quality = signalQuality(source.chance);
    return {
      sensor_id: source.sensor_ids[index]!,
      timestamp: source.timestamp,
      value: source.rig.values[index]!,
      unit: SENSORS[index]!.unit,
      // Left out where the default says the same, as real producers do.
      ...(quality === 100 ? {} : { quality }),
    };
  }

  #withFaults(good: readonly SimulatedReading[], source: Source) {
    const { chance } = source;
    const readings: unknown[] = [...good];
    const free = shuffled(good.length, chance);
    const placed: Partial<Record<ReadingFault, number>> = {};
    // Repetitions come last: their originals must be among the readings that stay good.
    for (const kind of READING_FAULTS) {
      let wanted = Math.min(this.#quota.due(kind, this.#readings), free.length);
      for (; wanted > 0; wanted -= 1) {
        const place = free.pop();
        if (place === undefined) break;
        if (kind === "duplicate" || kind === "identical") {
          const original = this.#original(good, free, source);
          if (!original) {
            free.push(place);
            break;
          }
          readings[place] = kind === "duplicate" ? conflicting(original) : original;
        } else readings[place] = spoil(good[place]!, kind, chance);
        placed[kind] = (placed[kind] ?? 0) + 1;
      }
      this.#quota.placed(kind, placed[kind] ?? 0);
    }
    source.repeatable = free.slice(0, KEPT_FOR_REPETITION).map((place) => good[place]!);
    return { readings, placed };
  }

  /**
   * A good reading that nothing repeats yet, of the rig's last batch or of this one, half and half: both ways
   * of meeting a duplicate must be walked. One of this batch is taken off `free`, so it stays as it is.
   */
  #original(good: readonly SimulatedReading[], free: number[], source: Source): SimulatedReading | undefined {
    const earlier = source.repeatable;
    if (earlier.length > 0 && (free.length === 0 || source.chance.uniform() < 0.5)) return earlier.pop();
    const place = free.pop();
    return place === undefined ? undefined : good[place];
  }
}

/** The id of a sensor: it depends on the seed, the system, the rig and the sensor's name. */
function simulatedSensorId(
  plan: { readonly seed: number; readonly system_id: string },
  user: number,
  name: string,
): string {
  return uuidV5(SENSOR_NAMESPACE, `${plan.seed}/${plan.system_id}/rig ${user + 1}/${name}`);
}

/** Mostly perfect, sometimes noisy, never below what is accepted. */
function signalQuality(chance: Chance): number {
  const luck = chance.uniform();
  if (luck < 0.9) return 100;
  return luck < 0.99 ? 90 + chance.below(10) : 55 + chance.below(35);
}

function shuffled(length: number, chance: Chance): number[] {
  const places = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i -= 1) {
    const j = chance.below(i + 1);
    [places[i], places[j]] = [places[j]!, places[i]!];
  }
  return places;
}

function expectation(
  readings: number,
  placed: Partial<Record<ReadingFault | "system_not_found", number>>,
): Expectation {
  const { identical = 0, ...rest } = placed;
  const quarantined = {
    parse_error: 0,
    invalid_timestamp: 0,
    out_of_range: 0,
    invalid_unit: 0,
    duplicate: 0,
    system_not_found: 0,
    ...rest,
  };
  const refused = Object.values(quarantined).reduce((sum, n) => sum + n, 0);
  return {
    inserted: readings - refused - identical,
    duplicate: identical,
    quarantined,
    fails: quarantined.system_not_found > 0,
  };
}
