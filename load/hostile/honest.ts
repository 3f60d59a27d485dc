/** A producer who means well, as fast as it can: before an attack and after it. */
import { Dataset } from "../bench/dataset.ts";
import { flatOut, type Latency, requestsOf } from "../bench/http-runs.ts";
import { recordingOf } from "../bench/recording.ts";
import { untilMirrored } from "../bench/tables.ts";
import type { Run } from "./ground.ts";

const BATCH = 1_000;
const CONNECTIONS = 8;
const ROUNDS = 5;

export interface Speed {
  readonly rows_per_s: number;
  readonly accept: Latency;
  /** Processor time of the service for a reading, µs; null where there is no /proc. Others on the machine hardly change it. */
  readonly cpu_us: number | null;
}

/** What is stored of honest batches, for the comparison at the end. */
export interface Honest {
  readonly jobs: number;
  readonly rows: number;
}

export class SpeedRuns {
  #rig = 1;
  jobs = 0;
  rows = 0;

  constructor(
    private readonly run: Run,
    private readonly each: number,
  ) {}

  /**
   * The best of `times` runs: others on the machine only ever make one slower.
   * @param isEnough asked after as many runs; while it says no, as many are made again, up to `ROUNDS` times
   */
  async measure(times: number, isEnough: (best: Speed) => boolean = () => true): Promise<Speed> {
    const runs: Speed[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let n = 0; n < times; n += 1) runs.push(await this.#once());
      if (isEnough(bestOf(runs))) break;
    }
    return bestOf(runs);
  }

  async #once(): Promise<Speed> {
    const { stack } = this.run;
    const data = new Dataset({ ...recordingOf(this.each).shape, rig: this.#rig++ });
    const requests = requestsOf(this.run.service, data.bodies(BATCH));
    const bench = { stack, service: this.run.service, meter: this.run.meter };
    const done = await flatOut(bench, this.each, requests, CONNECTIONS, () => untilMirrored(stack.redis));
    this.jobs += requests.length;
    this.rows += this.each;
    const { service } = done.cpu;
    const cpu_us = service === null ? null : (service * 1e6) / this.each;
    return { rows_per_s: done.rows_per_s, accept: done.accept, cpu_us };
  }
}

function bestOf(runs: readonly Speed[]): Speed {
  const least = (of: (speed: Speed) => number) => runs.map(of).reduce((a, b) => Math.min(a, b));
  const accept = {
    p50: least(({ accept: { p50 } }) => p50),
    p95: least(({ accept: { p95 } }) => p95),
    p99: least(({ accept: { p99 } }) => p99),
  };
  const cpu_us = runs.some((run) => run.cpu_us === null) ? null : least((run) => run.cpu_us ?? 0);
  return { rows_per_s: -least(({ rows_per_s }) => -rows_per_s), accept, cpu_us };
}
