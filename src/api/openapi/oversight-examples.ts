/** Examples of what those who look after the service see. */
import { DEMO_SYSTEM_ID } from "../../contract/demo.ts";
import { JOB_EXAMPLE, JOB_ID_EXAMPLE } from "./examples.ts";

const AT = "2025-11-07T22:50:02.000Z";
const USER_ID = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a10";

export const DEAD_LETTER_EXAMPLE = {
  id: "0/1762555802000-0",
  reason: "3 attempts did not end: DatabaseError",
  buried_at: AT,
  size_bytes: 212,
  job: {
    job_id: JOB_ID_EXAMPLE,
    system_id: DEMO_SYSTEM_ID,
    created_by: USER_ID,
    total_readings: 2,
    received_at: AT,
  },
};
export const DEAD_LETTER_DETAIL_EXAMPLE = {
  ...DEAD_LETTER_EXAMPLE,
  payload: { encoding: "json", body: '{"system_id":"…","readings":[…]}', truncated: false },
};
export const AUDIT_PAGE_EXAMPLE = {
  items: [
    {
      id: 17,
      at: AT,
      actor: USER_ID,
      actor_name: "admin",
      action: "dead_letter.discard",
      subject_type: "dead_letter",
      subject_id: DEAD_LETTER_EXAMPLE.id,
      task_id: null,
      before: { reason: DEAD_LETTER_EXAMPLE.reason, job_id: JOB_ID_EXAMPLE, size_bytes: 212 },
      after: null,
      note: "Sent again by hand",
    },
  ],
  next: null,
};
export const ALERT_EXAMPLE = {
  id: 3,
  system_id: DEMO_SYSTEM_ID,
  system_name: "Demo press",
  raised_at: AT,
  resolved_at: null,
  back_since: null,
  share: 0.12,
  peak_share: 0.2,
  limit: 0.05,
  window_s: 3600,
  min_readings: 1_000,
  readings: 10_000,
  quarantined: 1_200,
  acknowledged_at: AT,
  acknowledged_by: "engineer",
  acknowledged_note: "Gateway sends psi as bar; fixed at the next stop of the rig",
};
export const ALERT_LIMITS_EXAMPLE = {
  in_force: { share: 0.2, window_s: 900, min_readings: 1_000 },
  own: { share: 0.2, window_s: 900, min_readings: null },
  author_name: "engineer",
  updated_at: AT,
};
export const WORKER_EXAMPLE = {
  name: "rig-host:4711:mhq2k1:0.1",
  process: "rig-host:4711:mhq2k1",
  state: "running",
  heartbeat_age_ms: 640,
  restarts: 0,
  in_hand: 1,
};
export const OVERVIEW_EXAMPLE = {
  at: AT,
  accepted_rows_per_s: 1_000,
  committed_rows_per_s: 980.5,
  backlog: { entries: 3, bytes: 42_000, lag: 2 },
  workers: { processes: 1, threads: 2, running: 2, in_hand: 1 },
  quarantined_share: 0.02,
  database: "up",
  pending: 310,
  jobs: [JOB_EXAMPLE],
  alerts: [ALERT_EXAMPLE],
};
export const OVERVIEW_HISTORY_EXAMPLE = {
  points: [
    { at: "2025-11-07T22:50:00.000Z", accepted_rows_per_s: 1_000, committed_rows_per_s: 975.5 },
    { at: AT, accepted_rows_per_s: 1_000, committed_rows_per_s: 980.5 },
  ],
};
