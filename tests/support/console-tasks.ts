/** Actions on quarantine, as the fake API answers them. */
import type { DryRun, NewReview, ReviewTask } from "../../src/contract/review.ts";
import { IDS, NOW_MS, REFUSED } from "./console-fixtures.ts";

/** Readings of the incident that the tests decide about. */
export const SELECTED = 3_412;

export function dryRun(body: NewReview): DryRun {
  const samples = REFUSED.slice(0, 6).map(({ id, value, unit, timestamp }, index) => ({
    id,
    outcome: index === 0 ? ("fails" as const) : ("store" as const),
    before: { value, unit, timestamp },
    after: { value: 169.01, unit: "bar", timestamp },
    reason: index === 0 ? "out_of_range" : null,
    details: index === 0 ? "value 351.2 bar is above the sensor's own limit of 350 bar" : null,
    stored: null,
  }));
  return {
    action: body.action,
    selected: SELECTED,
    examined: SELECTED,
    would: { store: 3_400, identical: 8, replace: 0, keep: 0, reject: 0, reopen: 0, withdraw: 0, restore: 0 },
    still_failing: { out_of_range: 4 },
    not_open: 0,
    samples,
  };
}

type Asked = Pick<ReviewTask, "action"> & {
  readonly [name in "note" | "selection" | "change"]?: unknown;
};

export function taskOf(asked: Asked, state: ReviewTask["state"], done: number): ReviewTask {
  const now = new Date(NOW_MS).toISOString();
  return {
    id: IDS.task,
    action: asked.action,
    state,
    actor: IDS.admin,
    actor_name: "admin",
    note: typeof asked.note === "string" ? asked.note : "Gateway labels psi as bar.",
    selection: asked.selection ?? { incident: "i-1" },
    change: asked.change ?? { set: { unit: "psi" } },
    conflict: null,
    selected: SELECTED,
    done,
    stored: Math.max(0, done - 12),
    identical: 8,
    replaced: 0,
    changed: 0,
    withdrawn: 0,
    restored: 0,
    failing: { out_of_range: 4 },
    not_open: 0,
    jobs: [IDS.job],
    created_at: now,
    started_at: now,
    completed_at: state === "completed" ? new Date(NOW_MS + 9_000).toISOString() : null,
    error_message: null,
  };
}

/** Readings of a selection that another reviewer has decided. */
export const DECIDED = REFUSED.slice(0, 2).map(({ id }, index) => ({
  id,
  review_status: index === 0 ? "rejected" : "fixed",
  reviewed_by_name: "second-reviewer",
  reviewed_at: new Date(NOW_MS - 20_000).toISOString(),
}));
