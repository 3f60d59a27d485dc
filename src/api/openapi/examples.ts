/** Examples that work as they are against a development start. */
import { DEMO_SYSTEM_ID } from "../../contract/demo.ts";

export const DEMO_SENSOR_ID = "550e8400-e29b-41d4-a716-446655440001";

export const LOGIN_EXAMPLE = { username: "admin", password: "password" };

export const BATCH_EXAMPLE = {
  system_id: DEMO_SYSTEM_ID,
  readings: [
    { sensor_id: DEMO_SENSOR_ID, timestamp: "2025-11-07T22:50:00Z", value: 125.5, unit: "bar", quality: 95 },
    { sensor_id: DEMO_SENSOR_ID, timestamp: "2025-11-07T22:50:01Z", value: 1820, unit: "psi", quality: 95 },
  ],
};

const { readings } = BATCH_EXAMPLE;
/** The same readings, a line each. */
export const NDJSON_EXAMPLE = `${readings.map((reading) => JSON.stringify(reading)).join("\n")}\n`;
/** The same readings below their header. */
export const CSV_EXAMPLE = [
  "sensor_id,timestamp,value,unit,quality",
  ...readings.map(({ sensor_id, timestamp, value, unit, quality }) =>
    [sensor_id, timestamp, value, unit, quality].join(","),
  ),
  "",
].join("\n");

/** Two readings of one line, in nanoseconds. */
export const LINE_EXAMPLE = "pump,line=1,unit=bar pressure=125.5,return=2.25 1762555800000000000\n";

export const JOB_ID_EXAMPLE = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a00";

export const JOB_EXAMPLE = {
  job_id: JOB_ID_EXAMPLE,
  system_id: DEMO_SYSTEM_ID,
  status: "completed",
  total_readings: 2,
  inserted_readings: 2,
  duplicate_readings: 0,
  quarantined_readings: 0,
  created_at: "2025-11-07T22:50:02.000Z",
  started_at: "2025-11-07T22:50:02.010Z",
  completed_at: "2025-11-07T22:50:02.031Z",
  processing_time_ms: 21,
  error_message: null,
  success_rate: 100,
  is_active: false,
  is_completed: true,
};

export const QUARANTINE_EXAMPLE = {
  items: [
    {
      ordinal: 1,
      sensor_id: DEMO_SENSOR_ID,
      timestamp: "2025-11-07T22:50:01.000Z",
      value: 900,
      unit: "bar",
      quality: 95,
      raw: {
        sensor_id: DEMO_SENSOR_ID,
        timestamp: "2025-11-07T22:50:01Z",
        value: 900,
        unit: "bar",
        quality: 95,
      },
      reason: "out_of_range",
      reason_details: "pressure 900 bar is above 700 bar (ISO 4413)",
      range_version: null,
    },
  ],
  next: null,
  counts: { out_of_range: 1 },
};
