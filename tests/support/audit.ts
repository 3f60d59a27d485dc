/** Entries of the record: read over HTTP, or made by hand. */
import type { AuditEntry, SubjectType } from "../../src/contract/oversight.ts";
import type { Actor } from "../../src/store/audit.ts";
import type { Sql } from "../../src/store/pool.ts";
import type { TestApi } from "./api.ts";
import { bodyOf } from "./registry.ts";

/** What is on record of a subject, newest first, one page. @param token of an admin */
export async function auditOf(
  api: TestApi,
  token: string,
  subject_type: SubjectType,
  subject_id: string,
): Promise<AuditEntry[]> {
  const path = `/api/v1/audit?subject_type=${subject_type}&subject_id=${subject_id}`;
  return (await bodyOf<{ items: AuditEntry[] }>(await api.call(token, "GET", path))).items;
}

/** An entry before it is recorded; `before` and `after` are JSON values. */
export interface NewAuditEntry {
  readonly actor: Actor;
  readonly action: string;
  readonly subject_type: SubjectType;
  readonly subject_id: string;
  /** System that it concerns. */
  readonly system_id?: string | null;
  readonly task_id?: string | null;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly note?: string | null;
}

const json = (value: unknown) => (value === undefined || value === null ? null : JSON.stringify(value));

/**
 * Record entries in one statement, in their order. The program writes its own in the statements that change what they
 * are about.
 * @param sql of the transaction that the entries belong to, or of the pool
 */
export async function writeAudit(sql: Sql, entries: readonly NewAuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const column = (pick: (entry: NewAuditEntry) => string | null) => sql.array(entries.map(pick), 1009);
  await sql`
    INSERT INTO diagnostics_audit
      (actor, actor_name, action, subject_type, subject_id, system_id, task_id, before, after, note)
    SELECT actor::uuid, actor_name, action, subject_type, subject_id, system_id::uuid, task_id::uuid, before::json,
      after::json, note
    FROM unnest(${column((e) => e.actor.id)}::text[], ${column((e) => e.actor.name)}::text[],
                ${column((e) => e.action)}::text[], ${column((e) => e.subject_type)}::text[],
                ${column((e) => e.subject_id)}::text[], ${column((e) => e.system_id ?? null)}::text[],
                ${column((e) => e.task_id ?? null)}::text[],
                ${column((e) => json(e.before))}::text[], ${column((e) => json(e.after))}::text[],
                ${column((e) => e.note ?? null)}::text[]) WITH ORDINALITY
      AS entry (actor, actor_name, action, subject_type, subject_id, system_id, task_id, before, after, note, position)
    ORDER BY position`;
}
