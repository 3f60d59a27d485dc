/** What the questions are about: ids, places in the lists and keys of incidents that the database has. */
import type postgres from "postgres";
import { toCursor } from "../../src/api/cursor.ts";
import type { Incident } from "../../src/contract/quarantine-review.ts";
import type { Asked } from "./measure.ts";

export interface Subjects {
  readonly jobs: readonly string[];
  /** Of quarantined readings. */
  readonly ids: readonly number[];
  /** Of quarantined readings that were decided on. */
  readonly decided: readonly number[];
  readonly user: string;
  /** Keys of the incidents with the most readings, and of others. */
  readonly incidents: { readonly large: readonly string[]; readonly other: readonly string[] };
  /** `after` in the middle of lists. */
  readonly deep: Readonly<Record<"pending" | "any" | "system" | "tasks" | "audit" | "alerts", string>>;
  /** `after` of the incidents, some thousand before their end. */
  readonly deepIncidents: Readonly<Record<"pending" | "any", string>>;
}

const PICKED = 50;

export async function findSubjects(sql: postgres.Sql, asked: Asked, system_id: string): Promise<Subjects> {
  const column = async <T>(text: string, values: (string | number)[] = []): Promise<T[]> =>
    (await sql.unsafe<{ it: T }[]>(text, values)).map(({ it }) => it);
  const place = async (list: string, condition: string) => {
    const [row] = await sql.unsafe<{ at: string; id: string }[]>(
      `SELECT to_char(${list} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, id::text AS id FROM ${condition}
       ORDER BY ${list} DESC, id DESC OFFSET (SELECT count(*) / 2 FROM ${condition}) LIMIT 1`,
    );
    return toCursor([row!.at, row!.id]);
  };
  const half = async (table: string) => {
    const [id] = await column<string>(`SELECT (max(id) / 2)::text AS it FROM ${table}`);
    return toCursor([id!]);
  };
  const table = "diagnostics_quarantined_reading";
  const some = (condition: string) =>
    column<string>(
      `SELECT id::text AS it FROM ${table} TABLESAMPLE bernoulli (1) REPEATABLE (4) WHERE ${condition} LIMIT ${PICKED}`,
    );
  return {
    jobs: await column(
      `SELECT job_id AS it FROM ${table} TABLESAMPLE bernoulli (1) REPEATABLE (4) LIMIT ${PICKED}`,
    ),
    ids: (await some("sensor_id IS NOT NULL")).map(Number),
    decided: (await some("review_status <> 'pending'")).map(Number),
    user: (await column<string>("SELECT id AS it FROM diagnostics_user LIMIT 1"))[0]!,
    incidents: await incidentsOf(asked),
    deep: {
      pending: await place("quarantined_at", `${table} WHERE review_status = 'pending'`),
      any: await place("quarantined_at", table),
      system: await place("quarantined_at", `${table} WHERE system_id = '${system_id}'`),
      tasks: await place("created_at", "diagnostics_review_task"),
      audit: await half("diagnostics_audit"),
      alerts: await half("diagnostics_quarantine_alert"),
    },
    deepIncidents: { pending: await deepIncident(asked, "pending"), any: await deepIncident(asked, "any") },
  };
}

async function pageOf(asked: Asked, path: string): Promise<{ items: Incident[]; next: string | null }> {
  const answer = await fetch(asked.origin + path, { headers: { Authorization: `Bearer ${asked.token}` } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { items: Incident[]; next: string | null };
}

async function incidentsOf(asked: Asked): Promise<Subjects["incidents"]> {
  const { items } = await pageOf(asked, "/api/v1/quarantine/incidents?status=any&limit=200");
  const keys = items.toSorted((a, b) => b.count - a.count).map(({ key }) => key);
  return { large: keys.slice(0, 20), other: keys.slice(20) };
}

/** Five pages of 200 on, as far as there are that many. */
async function deepIncident(asked: Asked, status: string): Promise<string> {
  let link = `/api/v1/quarantine/incidents?status=${status}&limit=200`;
  for (let page = 0; page < 5; page += 1) {
    const { next } = await pageOf(asked, link);
    if (next === null) break;
    link = next;
  }
  return new URL(link, asked.origin).searchParams.get("after") ?? "";
}
