/**
 * Holds a writer in the middle of its COPY: an open transaction owns the key of one reading of the batch, and COPY
 * waits for it with the rows before it already written.
 */
import type postgres from "postgres";
import { until } from "../until.ts";
import type { Batch } from "./batches.ts";

interface SentReading {
  readonly sensor_id: string;
  readonly timestamp: string;
}

export interface HeldKey {
  /** Let the writer go on. Safe to call twice. */
  release(): Promise<void>;
}

/** Own the key of the batch's middle reading, which must be a good one. */
export async function holdMiddle(sql: postgres.Sql, batch: Batch): Promise<HeldKey> {
  const { readings } = JSON.parse(batch.body) as { readings: SentReading[] };
  const middle = readings.findIndex((_, i) => i >= readings.length / 2 && !batch.bad.has(i));
  const { sensor_id, timestamp } = readings[middle]!;
  const connection = await sql.reserve();
  // The chunk must exist: a writer would else wait for the chunk's making, before its first row.
  await connection`INSERT INTO diagnostics_sensordata ("timestamp", sensor_id, system_id, value, unit, quality)
    VALUES (${timestamp}, ${sensor_id}, ${sensor_id}, -1, 'bar', 100)`;
  await connection`DELETE FROM diagnostics_sensordata WHERE sensor_id = ${sensor_id}`;
  await connection`BEGIN`;
  await connection`INSERT INTO diagnostics_sensordata ("timestamp", sensor_id, system_id, value, unit, quality)
    VALUES (${timestamp}, ${sensor_id}, ${sensor_id}, -1, 'bar', 100)`;
  let released: Promise<void> | null = null;
  return {
    release() {
      released ??= (async () => {
        await connection`ROLLBACK`;
        connection.release();
      })();
      return released;
    },
  };
}

/** A session that is in COPY and waits for the held key. */
export interface CopyInWait {
  readonly session: number;
  readonly worker: string;
  /** Of COPY data that the server has read. */
  readonly bytes: number;
}

/** The first session in COPY that waits for another transaction, as it does for a key that this one may still take. */
export function copyInWait(sql: postgres.Sql): Promise<CopyInWait> {
  return until("a worker is in the middle of COPY", async () => {
    // tuples_processed stays 0: TimescaleDB counts no tuples of a hypertable.
    const [row] = await sql<{ pid: number; application_name: string; bytes: number }[]>`
      SELECT a.pid, a.application_name, p.bytes_processed::int AS bytes
      FROM pg_stat_activity a JOIN pg_stat_progress_copy p USING (pid)
      WHERE a.datname = current_database() AND a.wait_event = 'transactionid' AND p.command = 'COPY FROM'`;
    return row && { session: row.pid, worker: row.application_name, bytes: row.bytes };
  });
}
