/** What alerts are judged by. */
import { DedicatedSession } from "../../src/store/dedicated-session.ts";
import type { Database } from "../../src/store/pool.ts";

/** The limits of the service in tests of alerts; one is over as soon as the share is back. */
export const RULE = { share: 0.05, window_s: 3_600, min_readings: 1_000, quiet_s: 0 };

/** A job of the system that ended a second ago. */
export async function endedJob(
  { sql }: Pick<Database, "sql">,
  system_id: string,
  inserted: number,
  quarantined: number,
  more: object = {},
): Promise<void> {
  await sql`
    INSERT INTO diagnostics_ingestion_job ${sql({
      id: crypto.randomUUID(),
      system_id,
      created_by: crypto.randomUUID(),
      status: "completed",
      total_readings: inserted + quarantined,
      inserted_readings: inserted,
      quarantined_readings: quarantined,
      created_at: new Date(Date.now() - 1_000),
      ...more,
    })}`;
}

/** A session that alerts are judged by, as the maintenance has one. */
export const judgingSession = (url: string) =>
  DedicatedSession.open({ url, application_name: "test", statement_deadline_ms: 10_000 });
