/** Examples of answers to queries. */
import { DEMO_SENSOR_ID, JOB_EXAMPLE } from "./examples.ts";

const SENSOR = { id: DEMO_SENSOR_ID, name: "Main pump pressure", quantity: "pressure", unit: "bar" };
const DAY = { from: "2025-11-07T00:00:00Z", to: "2025-11-08T00:00:00Z" };
const AT = "2025-11-07T22:50:00Z";
const HOUR = "2025-11-07T22:00:00Z";

export const READINGS_EXAMPLE = {
  sensor: SENSOR,
  ...DAY,
  order: "asc",
  next: null,
  previous: null,
  items: [{ timestamp: AT, value: 125.5, quality: 95 }],
};

export const SERIES_EXAMPLE = {
  ...DAY,
  source: "raw",
  bucket_ms: 300_000,
  points: 288,
  series: [{ sensor: SENSOR, items: [{ timestamp: AT, min: 125.4, avg: 125.5, max: 125.6, count: 300 }] }],
};

export const HOURLY_EXAMPLE = {
  ...DAY,
  next: null,
  items: [
    {
      bucket: HOUR,
      sensor_id: DEMO_SENSOR_ID,
      readings_count: 3600,
      avg_value: 125.5,
      min_value: 120.25,
      max_value: 131,
      stddev_value: 2.5,
      last_value: 126,
    },
  ],
};

export const LATEST_EXAMPLE = {
  since: "2025-10-08T22:51:00Z",
  next: null,
  items: [
    {
      sensor_id: DEMO_SENSOR_ID,
      name: SENSOR.name,
      quantity: SENSOR.quantity,
      unit: SENSOR.unit,
      timestamp: AT,
      value: 125.5,
      quality: 95,
    },
  ],
};

export const JOB_PAGE_EXAMPLE = { items: [JOB_EXAMPLE], next: null };

const SHARE = { expected: 3600, received: 3540, completeness: 0.9833 };
export const COMPLETENESS_EXAMPLE = {
  from: HOUR,
  to: "2025-11-07T23:00:00Z",
  sensors: [
    { sensor: SENSOR, rate_hz: 1, rate_source: "expected", ...SHARE, hours: [{ hour: HOUR, ...SHARE }] },
  ],
  next: null,
};

export const GAPS_EXAMPLE = {
  sensor: SENSOR,
  ...DAY,
  rate_hz: 1,
  rate_source: "learnt",
  min_gap_s: 10,
  gaps: [{ from: AT, to: "2025-11-07T22:51:00Z", seconds: 60 }],
  next: null,
};

export const SKEW_EXAMPLE = {
  ...DAY,
  explanation: "The delay of a batch is the time from its newest reading to its receipt …",
  producers: [
    {
      user_id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a10",
      username: "rig-1",
      jobs: 1440,
      min_delay_ms: -180.5,
      median_delay_ms: 220,
      p95_delay_ms: 950.1,
      estimated_skew_ms: 180.5,
      clock_ahead: true,
    },
  ],
};
