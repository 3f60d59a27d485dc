/** Batches in which one reading in ten comes weeks late, into chunks that are compressed (Community edition). */
import { BenchmarkTables } from "../../src/store/benchmark-tables.ts";
import { Database } from "../../src/store/pool.ts";
import { Dataset, LATE_EVERY } from "./dataset.ts";
import { COPY_ROWS, copyGroups } from "./fill.ts";
import { type Bench, flatOut, type HttpRun, requestsOf } from "./http-runs.ts";
import type { BenchOptions } from "./options.ts";
import { recordingOf } from "./recording.ts";
import { SYSTEM_ID } from "./stack.ts";
import { checkJobs, checkReadings, SERVICE_TABLE, startAfresh, untilMirrored } from "./tables.ts";

/** The stored recording ended so long ago: its chunks are not those of the newest readings. */
const STORED_ENDED_MS = 28 * 86_400_000;
const COMPRESS_AFTER_DAYS = 21;
const DEADLINE_MS = 600_000;

/** As many readings stand compressed before each run as are sent in it. */
export function lateRun(bench: Bench, { rows, large }: BenchOptions): () => Promise<HttpRun> {
  const { stack, service } = bench;
  const stored = recordingOf(rows, STORED_ENDED_MS);
  const late = between(stored, Math.floor(rows / LATE_EVERY));
  const fresh = recordingOf(rows - late.shape.rows);
  const requests = requestsOf(service, fresh.bodiesWith(late, large.batch));
  const check = async () => {
    await untilMirrored(stack.redis);
    const sums = { total: rows, inserted: rows, duplicate: 0, quarantined: 0 };
    await checkJobs(stack.sql, { jobs: requests.length, ...sums });
    for (const part of [stored, late, fresh])
      await checkReadings(stack.sql, SERVICE_TABLE, part, stored.shape.rows + rows);
  };
  return async () => {
    await startAfresh(stack.sql);
    await copyGroups(stack.databaseUrl, SYSTEM_ID, stored.groups(COPY_ROWS));
    await compress(stack.databaseUrl);
    return flatOut(bench, rows, requests, large.connections, check);
  };
}

/** Readings of the same sensors and weeks, half an interval beside those that are stored. */
function between({ shape }: Dataset, rows: number): Dataset {
  const start_ms = shape.start_ms + shape.interval_ms / 2;
  return new Dataset({ ...shape, rows, start_ms, interval_ms: shape.interval_ms * LATE_EVERY });
}

async function compress(url: string): Promise<void> {
  const database = new Database({ url, size: 1, query_deadline_ms: DEADLINE_MS });
  try {
    const tables = new BenchmarkTables(database);
    await tables.pauseJobs();
    await tables.compress(COMPRESS_AFTER_DAYS, false);
  } finally {
    await database.close();
  }
}
