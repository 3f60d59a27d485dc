/** What a service holds, asked over HTTP as its producers may: only what belongs to the run can be seen. */
import { isTerminal, type JobView } from "../../src/contract/job.ts";
import { parseTimestamp_us } from "../../src/contract/timestamp.ts";
import { WrongDataError } from "../bench/tables.ts";
import { type Plan, tokenOf } from "../k6/plan.ts";
import type { RunShape } from "../k6/rig.ts";
import { originOf } from "./expected.ts";
import { type Held, type HeldJob, type OwnJob, type Reasons, type SensorSum, SumOfSensor } from "./held.ts";

/** Jobs in one question, as many as the API takes. */
const IDS = 100;
const POLL_MS = 200;
const ENDED_DEADLINE_MS = 600_000;
/** Of a run's readings, from its origin: a day of batches. */
const RANGE_MS = 2 * 86_400_000;
const CSV_HEADER = "timestamp,value,unit,quality";

export class HeldApi implements Held {
  readonly whole = false;
  readonly where = "API";
  readonly #ended = new Map<string, HeldJob>();

  constructor(
    private readonly plan: Pick<Plan, "url" | "tokens">,
    private readonly shape: RunShape,
  ) {}

  /** @throws {WrongDataError} for jobs that do not end, or that nobody knows */
  async settle(jobs: readonly OwnJob[]): Promise<void> {
    const end = performance.now() + ENDED_DEADLINE_MS;
    for (const part of partsOf(jobs)) {
      while (!(await this.#look(part))) {
        if (performance.now() > end)
          throw new WrongDataError(`accepted jobs do not end, among them ${part[0]?.job_id}`);
        await Bun.sleep(POLL_MS);
      }
    }
  }

  async jobs(jobs: readonly OwnJob[]): Promise<HeldJob[]> {
    return jobs.flatMap(({ job_id }) => this.#ended.get(job_id) ?? []);
  }

  async reasons(jobs: readonly HeldJob[], owners: ReadonlyMap<string, number>): Promise<Reasons> {
    const reasons: Record<string, number> = {};
    for (const { job_id, quarantined_readings } of jobs) {
      if (quarantined_readings === 0) continue;
      const path = `/api/v1/jobs/${job_id}/quarantine?limit=1`;
      const { counts } = (await (await this.#get(path, owners.get(job_id) ?? 0)).json()) as {
        counts: Record<string, number>;
      };
      for (const [reason, readings] of Object.entries(counts))
        reasons[reason] = (reasons[reason] ?? 0) + readings;
    }
    return reasons;
  }

  async sums(sensors: readonly string[]): Promise<SensorSum[]> {
    const origin_ms = originOf(this.shape);
    const sums: SensorSum[] = [];
    for (const sensor of sensors) {
      const units = new Map<string, SumOfSensor>();
      for await (const { time_us, value, unit, quality } of this.#readings(
        sensor,
        origin_ms,
        origin_ms + RANGE_MS,
      )) {
        const sum = units.get(unit) ?? new SumOfSensor();
        units.set(unit, sum);
        const hundredths = Math.round(value * 100);
        if (hundredths / 100 !== value || time_us % 1000 !== 0) sum.odd += 1;
        sum.add(Math.round(time_us / 1000) - origin_ms, hundredths, quality);
      }
      for (const [unit, sum] of units) sums.push(sum.of(sensor, unit));
    }
    return sums;
  }

  async count(sensors: readonly string[], from_ms: number, to_ms: number): Promise<number> {
    let readings = 0;
    for (const sensor of sensors) for await (const _ of this.#readings(sensor, from_ms, to_ms)) readings += 1;
    return readings;
  }

  async jobsOf(system_id: string, rig: number): Promise<number> {
    const answer = await this.#get(`/api/v1/jobs?system_id=${system_id}`, rig);
    return ((await answer.json()) as { items: unknown[] }).items.length;
  }

  /** Others may use the service too. */
  async strangers(): Promise<null> {
    return null;
  }

  /** @returns whether all of them have ended */
  async #look(jobs: readonly OwnJob[]): Promise<boolean> {
    const open = jobs.filter(({ job_id }) => !this.#ended.has(job_id));
    for (const [rig, own] of Map.groupBy(open, ({ rig }) => rig % this.plan.tokens.length)) {
      const ids = own.map(({ job_id }) => job_id).join(",");
      const { items, missing } = (await (await this.#get(`/api/v1/jobs?ids=${ids}`, rig)).json()) as {
        items: JobView[];
        missing: string[];
      };
      if (missing.length > 0)
        throw new WrongDataError(`accepted jobs are not there: ${missing.slice(0, 3).join(", ")}`);
      for (const job of items) if (isTerminal(job.status)) this.#ended.set(job.job_id, heldJob(job));
    }
    return jobs.every(({ job_id }) => this.#ended.has(job_id));
  }

  /** As CSV, streamed; nothing for a sensor that is not registered: none of its readings was stored. */
  async *#readings(sensor: string, from_ms: number, to_ms: number): AsyncGenerator<CsvReading> {
    const range = `from=${new Date(from_ms).toISOString()}&to=${new Date(to_ms).toISOString()}`;
    const path = `/api/v1/systems/${this.shape.system_id}/sensors/${sensor}/readings?${range}&format=csv`;
    const answer = await this.#get(path, 0, [404]);
    if (answer.status === 404) return;
    let rest = "";
    let header = true;
    for await (const text of answer.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (header && line.trimEnd() !== CSV_HEADER) throw new Error(`readings as CSV begin with ${line}`);
        if (!header) yield readingOf(line.trimEnd());
        header = false;
      }
    }
  }

  /** @throws {Error} for any other status */
  async #get(path: string, rig: number, also: readonly number[] = []): Promise<Response> {
    const answer = await fetch(this.plan.url + path, {
      headers: { Authorization: `Bearer ${tokenOf(this.plan, rig)}` },
    });
    if (answer.ok || also.includes(answer.status)) return answer;
    throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  }
}

interface CsvReading {
  readonly time_us: number;
  readonly value: number;
  readonly unit: string;
  readonly quality: number;
}

function readingOf(line: string): CsvReading {
  const [time = "", value, unit = "", quality] = line.split(",");
  return { time_us: parseTimestamp_us(time), value: Number(value), unit, quality: Number(quality) };
}

function heldJob({ created_at, completed_at, ...job }: JobView): HeldJob {
  return {
    ...job,
    created_at_ms: Date.parse(created_at),
    completed_at_ms: completed_at === null ? null : Date.parse(completed_at),
  };
}

function* partsOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += IDS) yield all.slice(from, from + IDS);
}
