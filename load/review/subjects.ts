/** What the questions are about: ids, places in the lists and keys of incidents that the database has. */
import type postgres from "postgres";
import { toCursor } from "../../src/api/cursor.ts";
import { encodeIncidentKey, type IncidentKey } from "../../src/contract/incident-key.ts";
import type { Letters } from "./dead-letters.ts";
import { USER } from "./filled-database.ts";

export interface Subjects {
  readonly jobs: readonly string[];
  /** Jobs with thousands of quarantined readings. */
  readonly largeJobs: readonly string[];
  /** Of quarantined readings. */
  readonly ids: readonly number[];
  /** Of quarantined readings that were decided on. */
  readonly decided: readonly number[];
  /** Who decided, and somebody who did nothing. */
  readonly user: string;
  readonly idle: string;
  /** Jobs of dead letters, the oldest first. */
  readonly letters: readonly string[];
  /** Keys of the incidents with the most readings, and of any. */
  readonly incidents: { readonly large: readonly string[]; readonly any: readonly string[] };
  /** `after` in the middle of lists. */
  readonly deep: Readonly<Record<Deep, string>>;
}

type Deep =
  | "pending"
  | "any"
  | "system"
  | "tasks"
  | "audit"
  | "alerts"
  | "jobs"
  | "letters"
  | "incidents"
  | "pendingIncidents";

const PICKED = 50;
const READINGS = "diagnostics_quarantined_reading";
const INCIDENTS = "diagnostics_quarantine_incident";
const NO_SENSOR = "00000000-0000-0000-0000-000000000000";
const RFC3339 = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** @param system_id of the list whose middle is looked for */
export async function findSubjects(
  sql: postgres.Sql,
  system_id: string,
  letters: Letters,
): Promise<Subjects> {
  const column = async (text: string): Promise<string[]> =>
    (await sql.unsafe<{ it: string }[]>(text)).map(({ it }) => it);
  const some = (what: string, condition: string) =>
    column(
      `SELECT ${what} AS it FROM (SELECT * FROM ${READINGS} TABLESAMPLE bernoulli (1) REPEATABLE (4)) r
       WHERE ${condition} ORDER BY hashint8(id) LIMIT ${PICKED}`,
    );
  const users = await column(
    `SELECT id AS it FROM diagnostics_user ORDER BY username <> '${USER}', username`,
  );
  return {
    jobs: await some("job_id", "true"),
    largeJobs: await column(
      `SELECT id AS it FROM diagnostics_ingestion_job ORDER BY quarantined_readings DESC, id LIMIT ${PICKED}`,
    ),
    ids: (await some("id::text", "sensor_id IS NOT NULL")).map(Number),
    decided: (await some("id::text", "review_status <> 'pending'")).map(Number),
    user: users[0]!,
    idle: users[1]!,
    letters: letters.jobs,
    incidents: {
      large: await incidents(sql, "pending + approved + rejected + fixed DESC", 20),
      any: await incidents(sql, "hashint8(sample_id)", PICKED),
    },
    deep: await places(sql, system_id, letters),
  };
}

async function incidents(sql: postgres.Sql, order: string, limit: number): Promise<string[]> {
  const keys = await sql.unsafe<IncidentKey[]>(
    `SELECT system_id, nullif(sensor_id, '${NO_SENSOR}') AS sensor_id, reason, ${RFC3339("first_at")} AS first_at,
      ${RFC3339("last_at")} AS last_at FROM ${INCIDENTS} ORDER BY ${order} LIMIT ${limit}`,
  );
  return keys.map(encodeIncidentKey);
}

async function places(sql: postgres.Sql, system_id: string, letters: Letters): Promise<Subjects["deep"]> {
  const place = async (list: string, condition: string) => {
    const [row] = await sql.unsafe<{ at: string; id: string }[]>(
      `SELECT ${RFC3339(list)} AS at, id::text AS id FROM ${condition}
       ORDER BY ${list} DESC, id DESC OFFSET (SELECT count(*) / 2 FROM ${condition}) LIMIT 1`,
    );
    return toCursor([row!.at, row!.id]);
  };
  const half = async (table: string) => {
    const [row] = await sql.unsafe<{ id: string }[]>(`SELECT (max(id) / 2)::text AS id FROM ${table}`);
    return toCursor([row!.id]);
  };
  const middle = async (condition: string) => {
    const from = `${INCIDENTS} WHERE ${condition}`;
    const order = `last_at DESC OFFSET (SELECT count(*) / 2 FROM ${from})`;
    return (await incidents(sql, `NOT (${condition}), ${order}`, 1))[0]!;
  };
  return {
    pending: await place("quarantined_at", `${READINGS} WHERE review_status = 'pending'`),
    any: await place("quarantined_at", READINGS),
    system: await place("quarantined_at", `${READINGS} WHERE system_id = '${system_id}'`),
    tasks: await place("created_at", "diagnostics_review_task"),
    audit: await half("diagnostics_audit"),
    alerts: await half("diagnostics_quarantine_alert"),
    jobs: await place("created_at", "diagnostics_ingestion_job"),
    letters: toCursor(["0", letters.middle]),
    incidents: await middle("true"),
    pendingIncidents: await middle("pending > 0"),
  };
}
