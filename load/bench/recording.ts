/** Recorded data of the rig, as it is sent to the service. */
import { Dataset, SENSORS } from "./dataset.ts";
import { SYSTEM_ID } from "./stack.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Two weeks, so three chunks of seven days. */
const RECORDING_MS = 14 * DAY_MS;

/** Recorded data that ended some time ago. */
export function recordingOf(rows: number, ended_ms_ago = HOUR_MS): Dataset {
  const samples = Math.ceil(rows / SENSORS);
  // Even, so that there is a whole ms between two samples.
  const interval_ms = 2 * Math.floor(RECORDING_MS / samples / 2);
  const start_ms = Date.now() - RECORDING_MS - ended_ms_ago;
  return new Dataset({ rows, system_id: SYSTEM_ID, start_ms, interval_ms });
}
