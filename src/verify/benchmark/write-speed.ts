/** How fast the service's writer is, as a share of one raw COPY of the same rows into an identical hypertable. */
import type { ReadingColumns } from "../../contract/columns.ts";
import { encodeReadings } from "../../contract/copy.ts";
import { copyOrder } from "../../contract/order.ts";
import { type BenchmarkTables, RAW_TABLE } from "../../store/benchmark-tables.ts";
import type { WriteGroup, WriteJob } from "../../store/writer/group.ts";
import { Writer } from "../../store/writer/writer.ts";
import { median } from "./percentile.ts";
import { timeCopy } from "./raw-copy.ts";
import type { Recording } from "./recording.ts";

/** Readings in one transaction and in each of its jobs: what the service coalesces of full batches. */
const GROUP_ROWS = 40_000;
const JOB_ROWS = 10_000;
const DEADLINE_MS = 120_000;

export interface WriteSpeed {
  readonly rows: number;
  /** Medians over the rounds. */
  readonly raw_rows_per_s: number;
  readonly service_rows_per_s: number;
  readonly ratio: number;
}

export interface WriteTarget {
  readonly url: string;
  readonly tables: BenchmarkTables;
  readonly user_id: string;
}

/** Raw and service in turn, from empty tables each. The rows of the last round stay in the service's tables. */
export async function measureWriting(
  target: WriteTarget,
  recording: Recording,
  rounds: number,
  stop: AbortSignal,
): Promise<WriteSpeed> {
  const [whole] = recording.groups(2 * recording.shape.rows);
  if (!whole) throw new RangeError("the recording is empty");
  const rows = whole.length;
  const bytes = encodeReadings(whole, inOrder(rows), [recording.shape.system_id]);
  const groups = [...recording.groups(GROUP_ROWS)];
  const session = { url: target.url, application_name: "hydraulic-verify-raw", deadline_ms: DEADLINE_MS };
  const raw_ms: number[] = [];
  const service_ms: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    stop.throwIfAborted();
    await target.tables.empty();
    raw_ms.push(await timeCopy(session, RAW_TABLE, bytes));
    stop.throwIfAborted();
    service_ms.push(await writeAll(target, recording, groups, stop));
    await target.tables.assertSame();
  }
  const perSecond = (durations: readonly number[]) => (rows / median(durations)) * 1000;
  const [raw, service] = [perSecond(raw_ms), perSecond(service_ms)];
  return {
    rows,
    raw_rows_per_s: Math.round(raw),
    service_rows_per_s: Math.round(service),
    ratio: service / raw,
  };
}

const inOrder = (rows: number) => Int32Array.from({ length: rows }, (_, row) => row);

/** Sort, encode, COPY, jobs, dirty hours and COMMIT of every group, on one connection. @returns ms */
async function writeAll(
  { url, user_id }: WriteTarget,
  recording: Recording,
  groups: readonly ReadingColumns[],
  stop: AbortSignal,
): Promise<number> {
  const settings = { url, application_name: "hydraulic-verify-writer", deadline_ms: DEADLINE_MS };
  const writer = new Writer(settings, Date.now);
  try {
    const begin = performance.now();
    let registrations = recording.sensors.map(({ id, system_id, quantity, unit }) => ({
      id,
      system_id,
      quantity,
      unit,
      name: null,
    }));
    for (const columns of groups) {
      stop.throwIfAborted();
      await writer.commit({ ...groupOf(columns, recording, user_id), registrations });
      registrations = [];
    }
    return performance.now() - begin;
  } finally {
    await writer.close();
  }
}

function groupOf(columns: ReadingColumns, { shape }: Recording, user_id: string): WriteGroup {
  for (let row = 0; row < columns.length; row += 1) {
    columns.batch[row] = Math.floor(row / JOB_ROWS);
    columns.ordinal[row] = row % JOB_ROWS;
  }
  const now_ms = Date.now();
  const job = (first: number): WriteJob => ({
    meta: {
      job_id: crypto.randomUUID(),
      system_id: shape.system_id,
      user_id,
      request_id: "verify",
      total_readings: Math.min(JOB_ROWS, columns.length - first),
      received_at_ms: now_ms,
    },
    stream_entry: "0-0",
    started_at_ms: now_ms,
    error_message: null,
  });
  const firsts = Array.from({ length: Math.ceil(columns.length / JOB_ROWS) }, (_, n) => n * JOB_ROWS);
  return {
    jobs: firsts.map(job),
    columns,
    order: copyOrder(columns),
    repeats: [],
    refusals: [],
    registrations: [],
    sent: { raw: () => null, seen: () => undefined },
  };
}
