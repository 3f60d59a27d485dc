/** The audit record: nobody may change what it says. */
import { inspectRecord } from "../../store/inspect/record.ts";
import type { Check } from "../context.ts";
import { failed, ok } from "../finding.ts";

const NEEDED = ["diagnostics_audit_kept", "diagnostics_audit_kept_row"];

export const record: Check = {
  name: "record",
  async run({ database }) {
    const facts = await inspectRecord(database);
    if (facts === null) return failed("there is no table diagnostics_audit", "Run: hydraulic migrate");
    const { armed, owner, changeable } = facts;
    const missing = NEEDED.filter((name) => !armed.includes(name));
    const figures = { missing_triggers: missing, owner, changeable_by_this_role: changeable };
    if (missing.length > 0)
      return failed(
        `missing, or not enabled for everybody: ${missing.join(", ")}; the record can be changed`,
        "Find out who did it; ALTER TABLE diagnostics_audit ENABLE ALWAYS TRIGGER …, or create it again as sql/migrations says",
        figures,
      );
    const who = changeable ? "this role" : `only ${owner}, not this role,`;
    return ok(`UPDATE, DELETE and TRUNCATE are refused; ${who} could drop it or its triggers`, figures);
  },
};
