/** Does it matter how much is stored? Large requests once more, to a table that holds many readings of other sensors. */
import { Recording } from "../../src/verify/benchmark/recording.ts";
import { Dataset } from "./dataset.ts";
import { COPY_ROWS, copyGroups } from "./fill.ts";
import { type Bench, flatOut, type HttpRun, requestsOf } from "./http-runs.ts";
import type { BenchOptions } from "./options.ts";
import { recordingOf } from "./recording.ts";
import { checkJobs, checkpoint, checkReadings, SERVICE_TABLE, startAfresh, untilMirrored } from "./tables.ts";

const OTHER_SYSTEM = "0d3c41d2-7f4c-4a52-9b7e-2f5a3b0f6f11";
const SEED = 7;
const MINUTE_MS = 60_000;

export interface StoredRuns {
  /** In the table before the first run; each run adds its own. */
  readonly rows: number;
  readonly runs: readonly HttpRun[];
}

/** The same days as those of the requests, so that these go into the chunks that are full already. */
export async function storedRuns(bench: Bench, options: BenchOptions): Promise<StoredRuns> {
  const { stack } = bench;
  await startAfresh(stack.sql);
  const end_ms = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const shape = { rows: options.stored, system_id: OTHER_SYSTEM, end_ms, seed: SEED };
  console.error(`storing ${options.stored} readings`);
  const groups = new Recording(shape).groups(COPY_ROWS);
  const rows = await copyGroups(stack.databaseUrl, OTHER_SYSTEM, groups);
  await stack.sql.unsafe(`VACUUM ANALYZE ${SERVICE_TABLE}`);
  // While the first one runs, what was stored is still on its way to the disk.
  await oneRun(bench, options, rows, 0);
  const runs: HttpRun[] = [];
  for (let n = 1; n <= options.repetitions; n += 1) {
    const run = await oneRun(bench, options, rows, n);
    console.error(`${rows} stored, ${n} of ${options.repetitions}: ${run.rows_per_s} rows/s`);
    runs.push(run);
  }
  return { rows, runs };
}

/** @param n runs before this one, whose readings stay: those of this one are of another rig */
async function oneRun(bench: Bench, options: BenchOptions, stored: number, n: number): Promise<HttpRun> {
  const { stack, service } = bench;
  const { rows, large } = options;
  const data = new Dataset({ ...recordingOf(rows).shape, rig: n });
  const requests = requestsOf(service, data.bodies(large.batch));
  await checkpoint(stack.sql);
  return flatOut(bench, rows, requests, large.connections, async () => {
    await untilMirrored(stack.redis);
    const [jobs, total] = [(n + 1) * requests.length, (n + 1) * rows];
    await checkJobs(stack.sql, { jobs, total, inserted: total, duplicate: 0, quarantined: 0 });
    await checkReadings(stack.sql, SERVICE_TABLE, data, stored + total);
  });
}
