/**
 * What does a second worker process bring on this machine? An API process, and one or two worker processes of one
 * thread beside it, by turns; with fsync as it is, and without it, so that the disk holds nobody up.
 */
import type postgres from "postgres";
import { CpuMeter } from "./cpu.ts";
import { type Bench, checkRun, flatOut, type HttpRun, requestsOf } from "./http-runs.ts";
import type { BenchOptions } from "./options.ts";
import { recordingOf } from "./recording.ts";
import { startService, startWorker } from "./service.ts";
import { BENCH_DIR, type Stack, USERS } from "./stack.ts";
import { startAfresh } from "./tables.ts";

export interface WorkerRuns {
  readonly fsync: boolean;
  readonly one: readonly HttpRun[];
  readonly two: readonly HttpRun[];
}

/** fsync is the server's: without it only on a server that was started for the benchmark. */
export async function workerRuns(stack: Stack, options: BenchOptions): Promise<WorkerRuns[]> {
  const results = [{ fsync: true, ...(await byTurns(stack, options)) }];
  if (!stack.own) return results;
  await setFsync(stack.sql, "off");
  try {
    results.push({ fsync: false, ...(await byTurns(stack, options)) });
  } finally {
    await setFsync(stack.sql, "on");
  }
  return results;
}

/** Takes effect with the reload (PostgreSQL documentation, "Write Ahead Log", fsync). */
async function setFsync(sql: postgres.Sql, to: "on" | "off"): Promise<void> {
  await sql.unsafe(`ALTER SYSTEM SET fsync = ${to}`);
  await sql.unsafe("SELECT pg_reload_conf()");
}

async function byTurns(stack: Stack, options: BenchOptions): Promise<Pick<WorkerRuns, "one" | "two">> {
  const kind = { role: "api", logPath: `${BENCH_DIR}/api.log`, users: USERS } as const;
  const service = await startService(stack, undefined, kind);
  const stops = [() => service.stop()];
  try {
    const first = await startWorker(stack, 1);
    stops.push(() => first.stop());
    const meter = await CpuMeter.of(service.pid, stack.sql, stack.redis);
    const run = runner({ stack, service, meter }, options);
    await run();
    const [one, two]: [HttpRun[], HttpRun[]] = [[], []];
    for (let n = 1; n <= options.repetitions; n += 1) {
      one.push(await run());
      const second = await startWorker(stack, 1);
      try {
        // The second one compiles what is hot.
        await run();
        two.push(await run());
      } finally {
        await second.stop();
      }
      console.error(
        `worker processes, ${n}: one ${one.at(-1)!.rows_per_s}, two ${two.at(-1)!.rows_per_s} rows/s`,
      );
    }
    return { one, two };
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

function runner(bench: Bench, { rows, large }: BenchOptions): () => Promise<HttpRun> {
  const data = recordingOf(rows);
  const requests = requestsOf(bench.service, data.bodies(large.batch));
  return async () => {
    await startAfresh(bench.stack.sql);
    const check = () => checkRun(bench.stack, data, requests.length);
    return flatOut(bench, rows, requests, large.connections, check);
  };
}
