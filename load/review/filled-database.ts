/** A database of the service with quarantined readings in it, counted and added up as the service does it. */
import postgres from "postgres";
import { DedicatedSession } from "../../src/store/dedicated-session.ts";
import { Database } from "../../src/store/pool.ts";
import { foldQuarantineChanges } from "../../src/store/quarantine-upkeep.ts";
import { addAdmin, makeDatabase, migrateOwn, ownUrl } from "../bench/own-database.ts";
import {
  addJobs,
  addOversight,
  addPending,
  addReadings,
  addRefusals,
  addRegistry,
  SYSTEMS,
  systemId,
  vacuum,
} from "./quarantine-data.ts";

export const USER = "bench-review";
/** Admins who reach the last rig alone, and a system that has nothing in quarantine. */
export const LIMITED: Readonly<Record<string, string>> = {
  "bench-review-rig": systemId(SYSTEMS),
  "bench-review-empty": systemId(SYSTEMS + 2),
};
export const LISTS = "hydraulic_bench_review_lists";
export const TASKS = "hydraulic_bench_review_tasks";
const DEADLINE_MS = 1_800_000;
const REUSABLE_MS = 12 * 3_600_000;

/** What the comment on the database says about it. */
interface Content {
  readonly version: 3;
  readonly rows: number;
  readonly filled_ms: number;
}

/** Readings of all reasons and statuses, with jobs, decisions, record and alerts. @returns its URL */
export async function fillLists(
  serverUrl: string,
  rows: number,
  reuse: boolean,
  stop: AbortSignal,
): Promise<string> {
  if (reuse && (await isThere(serverUrl, rows))) {
    console.error(`taking the database of ${rows} quarantined readings that is there`);
    const url = ownUrl(serverUrl, LISTS);
    const database = new Database({ url, size: 1, query_deadline_ms: DEADLINE_MS });
    await migrateOwn(database).finally(() => database.close());
    return url;
  }
  const url = await withTables(serverUrl, LISTS, async (sql, user_id) => {
    const step = stepper();
    await addRegistry(sql);
    await addReadings(sql);
    step("stored good readings");
    await addRefusals(sql, rows, stop);
    step(`quarantined ${rows} readings`);
    await addJobs(sql, user_id);
    await addOversight(sql, user_id);
    step("added jobs, decisions and alerts");
  });
  await addUp(url);
  const content: Content = { version: 3, rows, filled_ms: Date.now() };
  await withSql(url, (sql) => sql.unsafe(`COMMENT ON DATABASE ${LISTS} IS '${JSON.stringify(content)}'`));
  return url;
}

/** Nothing but the registry and pending readings that an approval stores. @returns its URL */
export async function fillTasks(serverUrl: string, rows: number, stop: AbortSignal): Promise<string> {
  const url = await withTables(serverUrl, TASKS, async (sql, user_id) => {
    await addRegistry(sql);
    await addPending(sql, "out_of_range", rows, stop);
    await addJobs(sql, user_id);
  });
  await addUp(url);
  return url;
}

/** More of them, of the kind that is only rejected. */
export async function fillMore(url: string, rows: number, stop: AbortSignal): Promise<void> {
  await withSql(url, (sql) => addPending(sql, "invalid_unit", rows, stop));
  await addUp(url);
}

async function isThere(serverUrl: string, rows: number): Promise<boolean> {
  return withSql(serverUrl, async (sql) => {
    const [row] = await sql<{ text: string | null }[]>`
      SELECT shobj_description(oid, 'pg_database') AS text FROM pg_database WHERE datname = ${LISTS}`;
    const content = row?.text ? (JSON.parse(row.text) as Content) : null;
    return content?.version === 3 && content.rows === rows && content.filled_ms > Date.now() - REUSABLE_MS;
  });
}

async function withTables(
  serverUrl: string,
  name: string,
  fill: (sql: postgres.Sql, user_id: string) => Promise<void>,
): Promise<string> {
  const url = await makeDatabase(serverUrl, name);
  const database = new Database({ url, size: 2, query_deadline_ms: DEADLINE_MS });
  try {
    await migrateOwn(database);
    const user_id = await addAdmin(database, USER);
    for (const [name, system_id] of Object.entries(LIMITED)) await addAdmin(database, name, [system_id]);
    await withSql(url, (sql) => fill(sql, user_id));
  } finally {
    await database.close();
  }
  return url;
}

export async function withSql<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 2, onnotice: () => undefined, connection: { TimeZone: "UTC" } });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** The log of changes into the sums, as the maintenance does it. */
async function addUp(url: string): Promise<void> {
  const step = stepper();
  const session = await DedicatedSession.open({
    url,
    application_name: "bench review",
    statement_deadline_ms: DEADLINE_MS,
  });
  try {
    for (let more = true; more; ) more = (await foldQuarantineChanges(session)).more;
  } finally {
    await session.close();
  }
  step("added up the counts");
  await withSql(url, vacuum);
  step("vacuumed");
}

function stepper(): (what: string) => void {
  let last = performance.now();
  return (what) => {
    const now = performance.now();
    console.error(`${what} in ${((now - last) / 1000).toFixed(1)} s`);
    last = now;
  };
}
