/** The limits of alerts that the configuration sets for every system without its own. */
import type { Config } from "../config/variables.ts";
import type { AlertLimits } from "../contract/alert.ts";

/** Limits of systems that have none of their own. */
export const alertLimitsOf = (config: Config): AlertLimits => ({
  share: config.QUARANTINE_ALERT_SHARE,
  window_s: config.QUARANTINE_ALERT_WINDOW_MINUTES * 60,
  min_readings: config.QUARANTINE_ALERT_MIN_READINGS,
});
