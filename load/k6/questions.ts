/** What the pages of the console ask, by name. Pure: bounds are set and reported for each. */
import type { Plan } from "./plan.ts";
import { SENSORS, sensorId } from "./rig.ts";

const HOUR_S = 3_600;

export interface Question {
  readonly name: string;
  /** Asks about everybody's batches. */
  readonly oversight: boolean;
  /** About one sensor, which is registered with its first stored reading. */
  readonly ofSensor: boolean;
  path(plan: Plan, rig: number, turn: number): string;
}

const iso = (time_s: number) => new Date(time_s * 1000).toISOString();
/** The hour that the rigs begin with, so most of what a run stores. */
const range = ({ start_s }: Plan) => `from=${iso(start_s)}&to=${iso(start_s + HOUR_S)}`;
const system = ({ system_id }: Plan) => `/api/v1/systems/${system_id}`;
const sensor = ({ run }: Plan, rig: number, turn: number) => sensorId(run, rig, turn % SENSORS);

const everybody = (name: string, path: Question["path"]): Question => ({
  name,
  oversight: false,
  ofSensor: ["series", "readings", "hourly"].includes(name),
  path,
});
const oversight = (name: string, path: string): Question => ({
  name,
  oversight: true,
  ofSensor: false,
  path: () => path,
});

export const QUESTIONS: readonly Question[] = [
  everybody("jobs", () => "/api/v1/jobs?limit=50"),
  everybody("latest", (plan) => `${system(plan)}/latest`),
  everybody(
    "series",
    (plan, rig, n) => `${system(plan)}/series?sensors=${sensor(plan, rig, n)}&${range(plan)}`,
  ),
  everybody(
    "readings",
    (plan, rig, n) => `${system(plan)}/sensors/${sensor(plan, rig, n)}/readings?${range(plan)}&limit=1000`,
  ),
  everybody("sensors", (plan) => `${system(plan)}/sensors?limit=100`),
  everybody(
    "hourly",
    (plan, rig, n) => `${system(plan)}/sensors/${sensor(plan, rig, n)}/hourly?${range(plan)}`,
  ),
  oversight("overview", "/api/v1/overview"),
  oversight("incidents", "/api/v1/quarantine/incidents?limit=50"),
  oversight("counts", "/api/v1/quarantine/counts"),
];
