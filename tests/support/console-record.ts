/** The record that the console's tests show. */
import type { AuditEntry } from "../../src/contract/oversight.ts";
import { ago, IDS } from "./console-fixtures.ts";

export const HISTORY: readonly AuditEntry[] = [
  {
    id: 9_001,
    at: ago(40 * 60_000),
    actor: IDS.admin,
    actor_name: "admin",
    action: "reopen",
    subject_type: "reading",
    subject_id: String(IDS.reading),
    task_id: IDS.task,
    before: { review_status: "rejected" },
    after: { review_status: "pending" },
    note: "Rejected too early: the gateway only labels the unit wrongly.",
  },
  {
    id: 9_000,
    at: ago(80 * 60_000),
    actor: IDS.admin,
    actor_name: "admin",
    action: "reject",
    subject_type: "reading",
    subject_id: String(IDS.reading),
    task_id: null,
    before: { review_status: "pending" },
    after: { review_status: "rejected" },
    note: null,
  },
];
export const AUDIT: readonly AuditEntry[] = [
  ...HISTORY,
  {
    ...HISTORY[0]!,
    id: 8_999,
    action: "discard",
    subject_type: "dead_letter",
    subject_id: "1/1764220000000-3",
    before: { reason: "XX001", size_bytes: 81_220 },
    after: null,
    note: "Test batch of the rig builder.",
  },
  {
    ...HISTORY[0]!,
    id: 8_998,
    action: "set_range",
    subject_type: "range",
    subject_id: IDS.sensor,
    before: { min: 0, max: 700 },
    after: { min: 0, max: 350 },
    note: null,
  },
];
