/** How the view diagnostics_sensordata_hourly in place is kept. Read from the view itself: see src/store/reconcile.ts. */

import type { DedicatedSession } from "./dedicated-session.ts";
import { type Edition, EditionError } from "./edition.ts";
import { HOURLY_CAGG, HOURLY_VIEW, type MaterializedTable } from "./hourly-view.ts";

export interface HourlyKeeping {
  readonly edition: Edition;
  /** Rows of the continuous aggregate; null on Apache. */
  readonly materialized: MaterializedTable | null;
}

/**
 * The leader asks the view and not the server, so that what it does always fits what readers see, whichever program
 * reconciled last.
 * @throws {EditionError} when no view was made
 */
export async function readHourlyKeeping(session: DedicatedSession): Promise<HourlyKeeping> {
  const [row] = await session.query<{ mark: string | null; materialized: string | null }>(
    `SELECT obj_description(to_regclass($1), 'pg_class') AS mark,
       (SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
        FROM timescaledb_information.continuous_aggregates
        WHERE view_schema = current_schema() AND view_name = $2) AS materialized`,
    [HOURLY_VIEW, HOURLY_CAGG],
  );
  const edition = row?.mark?.split(" ")[0];
  if (edition === "apache") return { edition, materialized: null };
  if (edition === "community" && row?.materialized) return { edition, materialized: row.materialized };
  throw new EditionError(
    `The view ${HOURLY_VIEW} is missing: start the service again, or run its migrate command`,
  );
}
