/** Examples of decisions. */
import { DEMO_SENSOR_ID, JOB_ID_EXAMPLE } from "./examples.ts";

const AT = "2025-11-07T22:51:00.000000Z";
const BEFORE = {
  review_status: "pending",
  reason: "out_of_range",
  sensor_id: DEMO_SENSOR_ID,
  timestamp: "2025-11-07T22:50:01.000000Z",
  value: 1820,
  unit: "bar",
  quality: 95,
};
const OUTCOME = {
  id: 17,
  outcome: "store",
  before: BEFORE,
  after: { ...BEFORE, value: 125.4845827, unit: "bar" },
  reason: null,
  details: null,
  stored: null,
};

export const NEW_REVIEW_EXAMPLE = {
  action: "fix",
  selection: { ids: [17] },
  change: { set: { unit: "psi" } },
  note: "The logger sends psi and says bar",
  dry_run: true,
};
export const DRY_RUN_EXAMPLE = {
  action: "fix",
  selected: 1,
  examined: 1,
  would: { store: 1, identical: 0, replace: 0, keep: 0, reject: 0, reopen: 0, withdraw: 0, restore: 0 },
  still_failing: {},
  not_open: 0,
  samples: [OUTCOME],
};
export const REVIEW_TASK_EXAMPLE = {
  id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a20",
  action: "fix",
  state: "completed",
  actor: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a10",
  actor_name: "admin",
  note: "The logger sends psi and says bar",
  selection: { ids: [17] },
  change: { set: { unit: "psi" } },
  conflict: null,
  selected: 1,
  done: 1,
  stored: 1,
  identical: 0,
  replaced: 0,
  changed: 0,
  withdrawn: 0,
  restored: 0,
  failing: {},
  not_open: 0,
  jobs: [JOB_ID_EXAMPLE],
  created_at: AT,
  started_at: AT,
  completed_at: AT,
  error_message: null,
};
