/** The hourly aggregate: is it kept up to date, and does it say what the readings say? */
import { compareHourly, drawSamples, inspectHourly, LOG_ROWS_COUNTED } from "../../store/inspect/hourly.ts";
import { inspectJobs } from "../../store/inspect/hypertable.ts";
import { withHypertable } from "../context.ts";
import { failed, notAvailable, ok, warn } from "../finding.ts";
import { duration, plural, whole } from "../format.ts";

/** The maintenance takes the log every few seconds; more than this means that nobody does. */
const LOG_ROWS_WARN = 20_000;
/** Hours that receive readings are aggregated again from time to time; older ones at once. */
const OLDEST_WARN_S = 3_600;
const HOURS_WARN = 5_000;
const NAMED = 3;

export const freshness = withHypertable("hourly freshness", async ({ database }, { edition }) => {
  const { view, log_rows, dirty_hours, oldest_dirty_s } = await inspectHourly(database);
  const jobs = (await inspectJobs(database)).filter(
    ({ procedure }) => procedure === "policy_refresh_continuous_aggregate",
  );
  const figures = { log_rows, dirty_hours, oldest_dirty_s, refresh_policies: jobs.length };
  if (view === null)
    return failed(
      "there is no view diagnostics_sensordata_hourly",
      "Start the service, or run: hydraulic migrate",
      figures,
    );
  if (edition === "community" && jobs.length === 0)
    return failed(
      "the continuous aggregate has no refresh policy",
      "Start the service, or run: hydraulic migrate",
      figures,
    );
  const more = log_rows === LOG_ROWS_COUNTED ? "more than " : "";
  const text = `${more}${plural(log_rows, "log row")} to be taken; ${plural(dirty_hours, "hour")} read from the readings${
    oldest_dirty_s === null ? "" : `, the oldest for ${duration(oldest_dirty_s * 1000)}`
  }`;
  if (log_rows > LOG_ROWS_WARN || dirty_hours > HOURS_WARN || (oldest_dirty_s ?? 0) > OLDEST_WARN_S)
    return warn(
      `${text}: right but slow`,
      "Is a worker running? Its maintenance aggregates them; its log says what is in the way",
      figures,
    );
  return ok(text, figures);
});

export const agreement = withHypertable("hourly agreement", async ({ database, draw, samples }) => {
  if ((await inspectHourly(database)).view === null)
    return failed("there is no view to compare", "Start the service, or run: hydraulic migrate");
  const drawn = await drawSamples(database, samples, draw);
  if (drawn.length === 0) return notAvailable("there are no readings to compare");
  const { hours, readings, mismatches } = await compareHourly(database, drawn);
  const figures = {
    sensor_days: drawn.length,
    hours,
    readings,
    mismatches: mismatches.map((m) => `${m.sensor_id} ${m.bucket.toISOString()} ${m.column}`),
  };
  const text = `${plural(hours, "hour")} of ${plural(drawn.length, "random sensor-day")}, ${whole(readings)} readings`;
  if (mismatches.length === 0) return ok(`${text}: equal to a GROUP BY of the readings`, figures);
  const named = mismatches
    .slice(0, NAMED)
    .map(({ sensor_id, bucket, column, view_count, raw_count }) =>
      column === "readings_count"
        ? `${sensor_id} ${bucket.toISOString()}: ${view_count ?? "no"} readings in the view, ${raw_count ?? "none"} stored`
        : `${sensor_id} ${bucket.toISOString()}: ${column}`,
    );
  return failed(
    `${text}: ${mismatches.length} differ, as ${named.join("; ")}`,
    "Mark the hours dirty (INSERT INTO diagnostics_dirty_hour), and report it: this must not happen",
    figures,
  );
});
