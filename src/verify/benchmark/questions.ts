/** The questions of engineers, by the service's own query functions; each time another sensor or another end. */
import { planSeries } from "../../api/routes/series-source.ts";
import { DAY_US, HOUR_MS, type TimeRange, wholeBuckets } from "../../contract/query-range.ts";
import type { BenchmarkSensor } from "../../store/benchmark-tables.ts";
import type { Queries } from "../../store/queries/queries.ts";
import { type Latency, latency } from "./percentile.ts";
import type { Recording } from "./recording.ts";

export interface Question {
  /** Short and stable. */
  readonly name: string;
  readonly about: string;
  /** @returns rows in the answer, or bytes where the function gives text */
  ask(queries: Queries, recording: Recording, n: number): Promise<number>;
}

export interface Answered {
  readonly name: string;
  readonly about: string;
  readonly latency: Latency;
}

const POINTS = 1_000;
const DAY_ROWS = 100_000;
const JOBS = 50;
const MINUTE_US = 60_000_000;
const WARM_UP = 5;

/** `days` that end in the last half hour. */
function range({ shape }: Recording, n: number, days: number): TimeRange {
  const to_us = shape.end_ms * 1000 - (n % 30) * MINUTE_US;
  return { from_us: to_us - days * DAY_US, to_us };
}

const oneOf = <T>(list: readonly T[], n: number): T => list[n % list.length]!;

async function series(queries: Queries, sensor: BenchmarkSensor, asked: TimeRange): Promise<number> {
  const { system_id } = sensor;
  const plan = await planSeries(
    { system_id, sensor_ids: [sensor.id], range: asked, points: POINTS, source: "auto" },
    queries,
    {},
  );
  const texts = await queries.series.bySensor({ system_id, sensor_ids: [sensor.id], ...plan }, "columns");
  return texts.get(sensor.id)?.length ?? 0;
}

export const QUESTIONS: readonly Question[] = [
  {
    name: "day of readings",
    about: "24 h of one sensor at 1 Hz, every reading",
    async ask({ readings }, recording, n) {
      const sensor_id = oneOf(recording.fastSensors, n).id;
      const page = {
        sensor_id,
        range: range(recording, n, 1),
        order: "asc",
        limit: DAY_ROWS,
        start: null,
      } as const;
      return (await readings.page(page, "columns")).count;
    },
  },
  {
    name: "day in buckets",
    about: `24 h of one sensor at 1 Hz in ${POINTS} buckets`,
    ask: (queries, recording, n) => series(queries, oneOf(recording.fastSensors, n), range(recording, n, 1)),
  },
  {
    name: "14 days in buckets",
    about: `14 days of one sensor in ${POINTS} buckets`,
    ask: (queries, recording, n) => series(queries, oneOf(recording.sensors, n * 7), range(recording, n, 14)),
  },
  {
    name: "latest",
    about: "latest of 100 sensors",
    async ask({ latest }, recording, n) {
      const { shape } = recording;
      const since_us = range(recording, n, 30).from_us;
      return (await latest.page({ system_id: shape.system_id, since_us, limit: 100, after: null }, "rows"))
        .count;
    },
  },
  {
    name: "hourly",
    about: "hourly aggregate of one sensor over 14 days",
    async ask({ hourly }, recording, n) {
      const page = {
        system_id: recording.shape.system_id,
        sensor_ids: [oneOf(recording.sensors, n * 7).id],
        range: wholeBuckets(range(recording, n, 14), HOUR_MS),
        limit: POINTS,
        after: null,
      };
      return (await hourly.page(page, "rows")).count;
    },
  },
  {
    name: "jobs",
    about: "first page of jobs",
    async ask({ jobs }, recording, n) {
      const asked = { ...range(recording, n, 30), to_us: Date.now() * 1000 };
      const filter = {
        created_by: null,
        status: null,
        lost: false,
        system_id: null,
        reach: null,
        range: asked,
        limit: JOBS,
        after: null,
      };
      return (await jobs.page(filter)).jobs.length;
    },
  },
];

/** A question was answered with nothing. */
class EmptyAnswerError extends Error {
  override readonly name = "EmptyAnswerError";
}

/** Each question `repeats` times, in turn. @throws {EmptyAnswerError} */
export async function measureQuestions(
  queries: Queries,
  recording: Recording,
  repeats: number,
  stop: AbortSignal,
): Promise<Answered[]> {
  const durations = QUESTIONS.map((): number[] => []);
  for (let n = -WARM_UP; n < repeats; n += 1) {
    for (const [which, question] of QUESTIONS.entries()) {
      stop.throwIfAborted();
      const begin = performance.now();
      const size = await question.ask(queries, recording, n + WARM_UP);
      const duration_ms = performance.now() - begin;
      if (size === 0) throw new EmptyAnswerError(`"${question.about}" was answered with nothing`);
      if (n >= 0) durations[which]!.push(duration_ms);
    }
  }
  return QUESTIONS.map(({ name, about }, which) => ({ name, about, latency: latency(durations[which]!) }));
}
