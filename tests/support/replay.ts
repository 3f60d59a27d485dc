/** The ledger's side of a replay: the job of a dead letter is open again. */
import { SERVICE } from "../../src/store/audit.ts";
import { DeadLetterRecord } from "../../src/store/dead-letter-record.ts";
import type { Database } from "../../src/store/pool.ts";

export async function reopenJob(database: Database, job_id: string): Promise<void> {
  const letter = { id: "0/1-0", job_id, system_id: null, total_readings: 1, reason: "why", size_bytes: 1 };
  await new DeadLetterRecord(database).replay(letter, { actor: SERVICE, reach: null, note: null });
}
