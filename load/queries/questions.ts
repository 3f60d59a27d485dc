/** The questions of issue 4, as requests of the HTTP API. Each request asks for another sensor or another end. */
import type { BenchmarkSensor } from "../../src/store/benchmark-tables.ts";
import { DAY_MS, type Recording } from "../../src/verify/benchmark/recording.ts";

export interface Question {
  readonly name: string;
  /** Part of the target figures; the others are for comparison. */
  readonly counts: boolean;
  /** Path and query of the n-th request. */
  path(recording: Recording, n: number): string;
  /** Rows in the answer, to prove that it is one; of JSON already parsed. */
  rows(answer: Answer): number;
}

/** The members of answers that hold rows. */
export interface Answer {
  readonly items?: readonly unknown[];
  readonly columns?: Readonly<Partial<Record<"timestamp" | "bucket", readonly unknown[]>>>;
  readonly series?: readonly { readonly columns: { readonly timestamp: readonly unknown[] } }[];
}

const MINUTE_MS = 60_000;
const POINTS = 1_000;
/** Ends lie in the last half hour, so that a day at 1 Hz is in every range of both recordings. */
const ENDS = 30;

/** `days` that end in the last half hour. */
function range({ shape }: Recording, n: number, days: number): string {
  const to_ms = shape.end_ms - (n % ENDS) * MINUTE_MS;
  const iso = (ms: number) => encodeURIComponent(new Date(ms).toISOString());
  return `from=${iso(to_ms - days * DAY_MS)}&to=${iso(to_ms)}`;
}

const oneOf = <T>(list: readonly T[], n: number): T => list[n % list.length]!;
/** Not one of the 1 Hz sensors; a step that visits all of them. */
const slowSensor = ({ sensors, fastSensors }: Recording, n: number): BenchmarkSensor =>
  oneOf(sensors.slice(fastSensors.length), n * 7);
const system = ({ shape }: Recording) => `/api/v1/systems/${shape.system_id}`;
const seriesRows = ({ series }: Answer) =>
  (series ?? []).reduce((sum, { columns }) => sum + columns.timestamp.length, 0);
const itemRows = ({ items }: Answer) => items?.length ?? 0;

function series(
  name: string,
  counts: boolean,
  days: number,
  sensor: (r: Recording, n: number) => BenchmarkSensor,
): Question {
  return {
    name,
    counts,
    path: (r, n) =>
      `${system(r)}/series?sensors=${sensor(r, n).id}&${range(r, n, days)}&points=${POINTS}&format=columns`,
    rows: seriesRows,
  };
}

export const QUESTIONS: readonly Question[] = [
  {
    name: "24 h of one sensor at 1 Hz, every reading",
    counts: true,
    path: (r, n) =>
      `${system(r)}/sensors/${oneOf(r.fastSensors, n).id}/readings?${range(r, n, 1)}&limit=100000&format=columns`,
    rows: ({ columns }) => columns?.timestamp?.length ?? 0,
  },
  series("24 h of one sensor at 1 Hz, 1,000 buckets", true, 1, (r, n) => oneOf(r.fastSensors, n)),
  series("14 days in 1,000 buckets, sensor at 1 Hz", true, 14, (r, n) => oneOf(r.fastSensors, n)),
  series("14 days in 1,000 buckets, any other sensor", true, 14, slowSensor),
  {
    name: "latest of 100 sensors",
    counts: true,
    path: (r) => `${system(r)}/latest?limit=100`,
    rows: itemRows,
  },
  {
    name: "hourly over 14 days, one sensor",
    counts: true,
    path: (r, n) => `${system(r)}/hourly?sensors=${oneOf(r.sensors, n * 7).id}&${range(r, n, 14)}&limit=1000`,
    rows: itemRows,
  },
  {
    name: "hourly over 14 days, all 100 sensors",
    counts: false,
    path: (r, n) => `${system(r)}/hourly?${range(r, n, 14)}&limit=50000&format=columns`,
    rows: ({ columns }) => columns?.bucket?.length ?? 0,
  },
  {
    name: "first page of jobs",
    counts: true,
    path: () => "/api/v1/jobs",
    rows: itemRows,
  },
];
