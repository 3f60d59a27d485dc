/** Bring the hourly aggregate up to date at once, by the statements of the maintenance leader. */
import { mergeHours, refreshRange } from "../../store/cagg-refresh.ts";
import { readHourlyKeeping } from "../../store/hourly-keeping.ts";
import { MaintenanceSession } from "../../store/maintenance-session.ts";
import { dueHours, type Patience, recomputeHours, settleHours, takeDirtyHours } from "../../store/rollup.ts";

const AT_ONCE: Patience = { quiet_ms: 0, longest_ms: 0, ended_only: false };
/** Hours of systems in one transaction, as the maintenance does it; and in one round on Community. */
const HOURS_PER_STEP = 8;
const HOURS_PER_ROUND = 5_000;
const STATEMENT_DEADLINE_MS = 600_000;

/**
 * Aggregate every dirty hour of the database (or schema) behind the URL. Nobody else may do so meanwhile.
 * @returns hours of systems that were aggregated
 */
export async function aggregateAll(url: string, stop: AbortSignal): Promise<number> {
  const session = await MaintenanceSession.open({
    url,
    application_name: "hydraulic-verify-hourly",
    statement_deadline_ms: STATEMENT_DEADLINE_MS,
  });
  try {
    const { edition } = await readHourlyKeeping(session);
    while ((await takeDirtyHours(session)).more) stop.throwIfAborted();
    let done = 0;
    for (;;) {
      stop.throwIfAborted();
      const limit = edition === "apache" ? HOURS_PER_STEP : HOURS_PER_ROUND;
      const hours = await dueHours(session, AT_ONCE, limit);
      if (hours.length === 0) return done;
      if (edition === "apache") await recomputeHours(session, hours);
      else {
        for (const range of mergeHours(hours)) await refreshRange(session, range);
        await settleHours(session, hours);
      }
      done += hours.length;
    }
  } finally {
    await session.close();
  }
}
