/** Actions on quarantine, as the fake API answers them. */
import { IDS, NOW_MS, REFUSED } from "./console-fixtures.ts";

export interface FakeTask {
  readonly id: string;
  readonly state: string;
  readonly done: number;
  readonly [name: string]: unknown;
}

export function dryRun(body: Record<string, unknown>) {
  const samples = REFUSED.slice(0, 6).map(({ id, value, unit, timestamp }, index) => ({
    id,
    outcome: index === 0 ? "fails" : "store",
    before: { value, unit, timestamp },
    after: { value: 169.01, unit: "bar", timestamp },
    reason: index === 0 ? "out_of_range" : null,
    details: index === 0 ? "value 351.2 bar is above the sensor's own limit of 350 bar" : null,
    stored: null,
  }));
  return {
    action: body.action,
    selected: 3_412,
    examined: 3_412,
    would: { store: 3_400, identical: 8, replace: 0, keep: 0, reject: 0, reopen: 0 },
    still_failing: { out_of_range: 4 },
    not_open: 0,
    samples,
  };
}

export const taskOf = (asked: Readonly<Record<string, unknown>>, state: string, done: number): FakeTask => ({
  id: IDS.task,
  action: asked.action,
  state,
  actor: IDS.admin,
  actor_name: "admin",
  note: asked.note ?? "Gateway labels psi as bar.",
  selection: asked.selection ?? { incident: "i-1" },
  change: asked.change ?? { set: { unit: "psi" } },
  conflict: null,
  selected: 3_412,
  done,
  stored: Math.max(0, done - 12),
  identical: 8,
  replaced: 0,
  changed: done,
  failing: { out_of_range: 4 },
  not_open: 0,
  jobs: [IDS.job],
  created_at: new Date(NOW_MS).toISOString(),
  started_at: new Date(NOW_MS).toISOString(),
  completed_at: state === "completed" ? new Date(NOW_MS + 9_000).toISOString() : null,
  error_message: null,
});
