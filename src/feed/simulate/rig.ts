/**
 * A hydraulic press with an electric pump, as a small physical model. In each load cycle the pump speeds up,
 * the flow follows the speed, the load builds up pressure, the losses heat the oil, and warm oil leaks more.
 * Everything lags behind its cause as a first-order element, integrated exactly, so any time step is stable.
 */
import type { Chance } from "./chance.ts";

/** One sensor of the rig: its unit, the standard deviation of its noise and its resolution. */
export interface SensorModel {
  readonly name: string;
  readonly unit: "bar" | "lpm" | "rpm" | "celsius";
  readonly noise: number;
  readonly decimals: number;
}

/** In the order of `Rig.values`. */
export const SENSORS: readonly SensorModel[] = [
  { name: "pump_speed", unit: "rpm", noise: 1.5, decimals: 0 },
  { name: "pump_flow", unit: "lpm", noise: 0.06, decimals: 2 },
  { name: "case_drain_flow", unit: "lpm", noise: 0.01, decimals: 3 },
  { name: "supply_pressure", unit: "bar", noise: 0.2, decimals: 2 },
  { name: "load_pressure", unit: "bar", noise: 0.2, decimals: 2 },
  { name: "return_pressure", unit: "bar", noise: 0.02, decimals: 3 },
  { name: "tank_temperature", unit: "celsius", noise: 0.03, decimals: 2 },
  { name: "case_temperature", unit: "celsius", noise: 0.05, decimals: 2 },
];

/** The load cycle: share of the cycle, speed set point (rpm), load (0-1). Between the points it is linear. */
const CYCLE: readonly (readonly [at: number, speed: number, load: number])[] = [
  [0, 950, 0.05],
  [0.14, 950, 0.05],
  [0.18, 1490, 0.3],
  [0.32, 1490, 0.45],
  [0.36, 1490, 1],
  [0.62, 1490, 1],
  [0.65, 1490, 0.8],
  [0.76, 1490, 0.8],
  [0.8, 1490, 0.1],
  [0.95, 1490, 0.25],
  [1, 950, 0.05],
];

/** Time constants, s. */
const SPEED_LAG = 0.6;
const FLOW_LAG = 0.25;
const PRESSURE_LAG = 0.2;
const CASE_LAG = 25;
/** Speed lost under full load, rpm. */
const DROOP = 35;
/** Heat capacity of oil and tank, kJ/K, and what the cooler carries away, kW/K: a time constant of 11 min. */
const HEAT_CAPACITY = 110;
const COOLING = 0.165;
/** Share of the hydraulic power that becomes heat, and the losses without load, kW. */
const LOSS_SHARE = 0.28;
const IDLE_LOSS = 0.9;

/** What differs from rig to rig. */
interface RigTraits {
  readonly cycle_s: number;
  /** Pump displacement, l per revolution. */
  readonly displacement: number;
  readonly full_load_bar: number;
  /** Share of the flow that leaks at 200 bar and 45 celsius. */
  readonly wear: number;
  readonly ambient: number;
}

export class Rig {
  /** Newest values in the order of SENSORS, with noise and rounded to each sensor's resolution. */
  readonly values = new Float64Array(SENSORS.length);
  readonly #traits: RigTraits;
  readonly #chance: Chance;
  #cycle_s: number;
  /** Of the present cycle, about 1. */
  #strength = 1;
  #speed: number;
  #flow: number;
  #pressure: number;
  #tank: number;
  #case: number;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#traits = {
      cycle_s: chance.between(45, 70),
      displacement: chance.between(0.025, 0.032),
      full_load_bar: chance.between(150, 230),
      wear: chance.between(0.02, 0.07),
      ambient: chance.between(17, 26),
    };
    this.#cycle_s = chance.uniform() * this.#traits.cycle_s;
    const { speed, load } = cyclePoint(this.#cycle_s / this.#traits.cycle_s);
    this.#speed = speed - DROOP * load;
    this.#flow = this.#traits.displacement * this.#speed * 0.97;
    this.#pressure = this.#pressureFor(load);
    this.#tank = this.#traits.ambient + chance.between(14, 24);
    this.#case = this.#tank + chance.between(3, 8);
    this.#measure(load);
  }

  /** Let time pass and measure. @param step_s seconds since the last call, above 0 */
  advance(step_s: number): void {
    this.#cycle_s += step_s;
    if (this.#cycle_s >= this.#traits.cycle_s) {
      this.#cycle_s %= this.#traits.cycle_s;
      this.#strength = this.#chance.between(0.92, 1.06);
    }
    const point = cyclePoint(this.#cycle_s / this.#traits.cycle_s);
    const load = point.load * this.#strength;
    this.#speed = lag(this.#speed, point.speed - DROOP * load, step_s, SPEED_LAG);
    const delivered = this.#traits.displacement * this.#speed * (1 - this.#leakage());
    this.#flow = lag(this.#flow, delivered, step_s, FLOW_LAG);
    this.#pressure = lag(this.#pressure, this.#pressureFor(load), step_s, PRESSURE_LAG);
    this.#warm(step_s);
    this.#measure(load);
  }

  /** Load plus what pipes and valves take at this flow, bar. */
  #pressureFor(load: number): number {
    return 4 + load * this.#traits.full_load_bar + 7 * (this.#flow / 40) ** 2;
  }

  /** Share of the flow lost inside the pump; grows with pressure and, as oil thins, with temperature. */
  #leakage(): number {
    const warm = 1 + 0.012 * (this.#tank - 45);
    return 0.015 + this.#traits.wear * (this.#pressure / 200) * Math.max(0.3, warm);
  }

  /** Heat balance of the tank: C dT/dt = losses - UA (T - ambient). */
  #warm(step_s: number): void {
    // bar times l/min over 600 is kW.
    const power = (this.#pressure * this.#flow) / 600;
    const balance = this.#traits.ambient + (IDLE_LOSS + LOSS_SHARE * power) / COOLING;
    this.#tank = lag(this.#tank, balance, step_s, HEAT_CAPACITY / COOLING);
    this.#case = lag(this.#case, this.#tank + 3 + 0.6 * power, step_s, CASE_LAG);
  }

  #measure(load: number): void {
    const resistance = (this.#flow / 40) ** 2;
    const truths = [
      this.#speed,
      this.#flow,
      this.#flow * this.#leakage(),
      this.#pressure,
      Math.max(0, this.#pressure - 2 - 3 * resistance * (1 + load)),
      1.2 + 2.2 * resistance,
      this.#tank,
      this.#case,
    ];
    for (let i = 0; i < SENSORS.length; i += 1) {
      const { noise, decimals } = SENSORS[i]!;
      const scale = 10 ** decimals;
      // All of these quantities are positive in a running rig; noise around 0 would say otherwise.
      const noisy = Math.max(0, truths[i]! + noise * this.#chance.normal());
      this.values[i] = Math.round(noisy * scale) / scale;
    }
  }
}

/** Where a quantity is after `step_s` on its way to `target` with the time constant. */
function lag(value: number, target: number, step_s: number, constant_s: number): number {
  return target + (value - target) * Math.exp(-step_s / constant_s);
}

/** Set points at a share (0-1) of the load cycle. */
function cyclePoint(share: number): { speed: number; load: number } {
  let from = CYCLE[0]!;
  for (const to of CYCLE) {
    if (share < to[0]) {
      const part = (share - from[0]) / (to[0] - from[0]);
      return { speed: from[1] + (to[1] - from[1]) * part, load: from[2] + (to[2] - from[2]) * part };
    }
    from = to;
  }
  return { speed: from[1], load: from[2] };
}
