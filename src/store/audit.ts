/** The record of who did what to which (diagnostics_audit). Rows come and stay; the database refuses anything else. */
import { type AuditEntry, SUBJECT_TYPES, type SubjectType } from "../contract/oversight.ts";
import type { Reach } from "../contract/reach.ts";
import { formatTimestamp } from "../contract/timestamp.ts";
import { Conditions } from "./queries/conditions.ts";
import type { QueryOptions, Reader } from "./queries/reader.ts";

/** Who does something. A null id is the service itself. */
export interface Actor {
  readonly id: string | null;
  readonly name: string;
}
export const SERVICE: Actor = { id: null, name: "service" };
/** Whoever can run the program's commands. */
export const COMMAND_LINE: Actor = { id: null, name: "command line" };

export interface AuditFilter {
  readonly actor: string | null;
  readonly action: string | null;
  readonly subject_type: SubjectType | null;
  readonly subject_id: string | null;
  /** Only about these systems; what concerns none or several is not among them. */
  readonly reach: Reach;
  /** About `at`, half open, µs since the epoch. */
  readonly from_us: number | null;
  readonly to_us: number | null;
  readonly limit: number;
  /** Id of the last one seen. */
  readonly after: number | null;
}

export interface AuditPage {
  readonly items: readonly AuditEntry[];
  /** Pass as `after`; null at the end. */
  readonly next: number | null;
}

interface AuditRow extends Omit<AuditEntry, "before" | "after"> {
  readonly before: string | null;
  readonly after: string | null;
}

export class AuditStore {
  constructor(private readonly reader: Reader) {}

  /** Entries, newest first. Throws what `Reader.rows` throws. */
  async page(filter: AuditFilter, options?: QueryOptions): Promise<AuditPage> {
    // A range of time begins anywhere in the record: its own index knows where, and has the same order but for entries
    // that were made at once.
    const byTime = filter.from_us !== null || filter.to_us !== null;
    const time = (us: number | null) => (us === null ? null : formatTimestamp(us));
    const where = new Conditions([filter.limit + 1])
      .add(filter.actor, (p) => `actor = ${p}`)
      .add(filter.action, (p) => `action = ${p}`)
      // An id alone, too, is found by the index, which begins with the type.
      .add(filter.subject_type ?? (filter.subject_id === null ? null : SUBJECT_TYPES), (p) =>
        filter.subject_type === null ? `subject_type = ANY(${p}::text[])` : `subject_type = ${p}`,
      )
      .add(filter.subject_id, (p) => `subject_id = ${p}`)
      .within("system_id", filter.reach)
      .add(time(filter.from_us), (p) => `at >= ${p}`)
      .add(time(filter.to_us), (p) => `at < ${p}`)
      .add(filter.after, (p) =>
        byTime
          ? `(at, id) < ((SELECT at FROM diagnostics_audit WHERE id = ${p}::bigint), ${p})`
          : `id < ${p}`,
      );
    const rows = await this.reader.rows<AuditRow>(
      {
        label: "audit",
        text: `SELECT id, at, actor, actor_name, action, subject_type, subject_id, task_id, before::text AS before,
            after::text AS after, note
          FROM diagnostics_audit ${where.text} ORDER BY ${byTime ? "at DESC, " : ""}id DESC LIMIT $1`,
        values: where.values,
      },
      options,
    );
    const items = rows.slice(0, filter.limit).map(toEntry);
    return { items, next: rows.length > filter.limit ? (items.at(-1)?.id ?? null) : null };
  }
}

const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
const toEntry = (row: AuditRow): AuditEntry => ({
  ...row,
  before: parsed(row.before),
  after: parsed(row.after),
});
