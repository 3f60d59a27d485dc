/** The yardstick of writing: rows in one binary COPY. */
import { READING_COPY_COLUMNS } from "../../contract/copy.ts";
import { WriterConnection, type WriterSettings } from "../../store/writer/connection.ts";

/**
 * COPY once into a table with the columns of the readings, over a connection that is open by then.
 * @param bytes complete binary COPY stream
 * @returns ms from BEGIN to the answer of COMMIT
 * @throws {ConnectionLostError} {DeadlineError} and errors of the server
 */
export async function timeCopy(settings: WriterSettings, table: string, bytes: Buffer): Promise<number> {
  const connection = new WriterConnection(settings);
  try {
    await connection.transaction((tx) => tx.query("SELECT 1"));
    const begin = performance.now();
    await connection.transaction((tx) => tx.copy(table, READING_COPY_COLUMNS, bytes));
    return performance.now() - begin;
  } finally {
    await connection.close();
  }
}
