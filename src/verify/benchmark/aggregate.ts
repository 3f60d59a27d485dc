/** Bring the hourly aggregate up to date at once, by the statements of the maintenance leader. */
import { sleep } from "../../ops/retry.ts";
import { type HourRange, mergeHours, refreshRange } from "../../store/cagg-refresh.ts";
import { DedicatedSession } from "../../store/dedicated-session.ts";
import { sqlState } from "../../store/errors.ts";
import { readHourlyKeeping } from "../../store/hourly-keeping.ts";
import { dueHours, type Patience, recomputeHours, settleHours, takeDirtyHours } from "../../store/rollup.ts";

const AT_ONCE: Patience = { quiet_ms: 0, longest_ms: 0, ended_only: false };
/** Hours of systems in one transaction, as the maintenance does it; and in one round on Community. */
const HOURS_PER_STEP = 8;
const HOURS_PER_ROUND = 5_000;
const STATEMENT_DEADLINE_MS = 600_000;
/** The refresh policy of a database may be at work on the same range. */
const LOCK_NOT_AVAILABLE = "55P03";
const REFRESH_AGAIN_MS = 100;
const REFRESH_ATTEMPTS = 600;

/**
 * Aggregate every dirty hour of the database (or schema) behind the URL. No other leader may be at work.
 * @returns hours of systems that were aggregated
 */
export async function aggregateAll(url: string, stop: AbortSignal): Promise<number> {
  const session = await DedicatedSession.open({
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
        for (const range of mergeHours(hours)) await refreshPatiently(session, range, stop);
        await settleHours(session, hours);
      }
      done += hours.length;
    }
  } finally {
    await session.close();
  }
}

async function refreshPatiently(
  session: DedicatedSession,
  range: HourRange,
  stop: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    stop.throwIfAborted();
    try {
      await refreshRange(session, range);
      return;
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE || attempt === REFRESH_ATTEMPTS) throw error;
      await sleep(REFRESH_AGAIN_MS, stop);
    }
  }
}
