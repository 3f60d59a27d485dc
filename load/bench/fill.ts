/** Readings that stand in the service's table before anything is measured, written by COPY. */
import type { ReadingColumns } from "../../src/contract/columns.ts";
import { encodeReadings, READING_COPY_COLUMNS } from "../../src/contract/copy.ts";
import { WriterConnection } from "../../src/store/writer/connection.ts";

export const COPY_ROWS = 50_000;
const DEADLINE_MS = 1_800_000;

/** Each group in a transaction of its own. @returns rows written */
export async function copyGroups(
  url: string,
  system_id: string,
  groups: Iterable<ReadingColumns>,
  stop?: AbortSignal,
): Promise<number> {
  const connection = new WriterConnection({ url, application_name: "bench fill", deadline_ms: DEADLINE_MS });
  let rows = 0;
  try {
    for (const group of groups) {
      stop?.throwIfAborted();
      const order = Int32Array.from({ length: group.length }, (_, row) => row);
      const bytes = encodeReadings(group, order, [system_id]);
      await connection.transaction((tx) => tx.copy("diagnostics_sensordata", READING_COPY_COLUMNS, bytes));
      rows += group.length;
    }
  } finally {
    await connection.close();
  }
  return rows;
}
