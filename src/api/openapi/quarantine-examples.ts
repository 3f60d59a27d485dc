/** Examples of the quarantine as reviewers see it. */
import { DEMO_SYSTEM_ID } from "../../contract/demo.ts";
import { encodeIncidentKey } from "../../contract/incident-key.ts";
import { DEMO_SENSOR_ID, JOB_ID_EXAMPLE, QUARANTINE_EXAMPLE } from "./examples.ts";

const AT = "2025-11-07T22:50:01Z";
const REVIEWER_ID = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a11";
const REASON = "out_of_range";
const ITEM = {
  ...QUARANTINE_EXAMPLE.items[0],
  id: 4711,
  job_id: JOB_ID_EXAMPLE,
  system_id: DEMO_SYSTEM_ID,
  timestamp: AT,
  quarantined_at: "2025-11-07T22:50:02.031Z",
  review_status: "pending",
  reviewed_by: null,
  reviewed_by_name: null,
  reviewed_at: null,
  review_notes: null,
  review_task_id: null,
  stored_by_job: null,
};
const SYSTEM = { id: DEMO_SYSTEM_ID, name: "Demo press" };
const SENSOR = { id: DEMO_SENSOR_ID, name: "Main pump pressure" };

export const QUARANTINE_LIST_EXAMPLE = { next: null, items: [ITEM] };

const count = (n: number) => ({ count: n, capped: false });
export const QUARANTINE_COUNTS_EXAMPLE = {
  total: count(12),
  reasons: {
    parse_error: count(0),
    invalid_timestamp: count(2),
    out_of_range: count(10),
    invalid_unit: count(0),
    duplicate: count(0),
    system_not_found: count(0),
  },
  statuses: { pending: count(12), approved: count(3), rejected: count(40), fixed: count(0) },
  systems: [{ ...SYSTEM, ...count(12) }],
  sensors: [{ ...SENSOR, system_id: DEMO_SYSTEM_ID, ...count(12) }],
};

const SERIES = { system_id: DEMO_SYSTEM_ID, sensor_id: DEMO_SENSOR_ID, reason: REASON } as const;
const TIMES = { first_at: "2025-11-07T22:41:17.25Z", last_at: AT };
export const INCIDENT_PAGE_EXAMPLE = {
  items: [
    {
      key: encodeIncidentKey({ ...SERIES, ...TIMES }),
      ...SERIES,
      system_name: SYSTEM.name,
      sensor_name: SENSOR.name,
      unit: "bar",
      ...TIMES,
      count: 10,
      statuses: { pending: 10, approved: 0, rejected: 0, fixed: 0 },
      sample: ITEM,
    },
  ],
  next: null,
};

export const QUARANTINED_READING_EXAMPLE = {
  ...ITEM,
  system: SYSTEM,
  sensor: { ...SENSOR, quantity: "pressure", unit: "bar" },
  stored: { timestamp: AT, value: 125.5, unit: "bar", quality: 95 },
  rule: null,
  around: {
    from: "2025-11-07T22:20:01Z",
    to: "2025-11-07T23:20:01Z",
    items: [{ timestamp: "2025-11-07T22:49:53Z", min: 125.4, avg: 125.5, max: 125.6 }],
    refused: [
      {
        id: 4710,
        timestamp: "2025-11-07T22:50:00Z",
        value: 899,
        unit: "bar",
        reason: REASON,
        review_status: "pending",
      },
    ],
  },
  history: [
    {
      id: 812,
      at: "2025-11-08T08:12:00.5Z",
      actor: REVIEWER_ID,
      actor_name: "reviewer",
      action: "reopen",
      subject_type: "reading",
      subject_id: "4711",
      task_id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a12",
      before: { review_status: "rejected" },
      after: { review_status: "pending" },
      note: "The sensor was right",
    },
  ],
};
