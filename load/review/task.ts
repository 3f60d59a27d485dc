/**
 * One decision about a filter, as a task of the real service: followed from the outside, its process killed in the
 * middle and started again, and in the end compared with what the database holds.
 */
import { readFileSync } from "node:fs";
import type postgres from "postgres";
import type { ReviewAction, ReviewTask } from "../../src/contract/review.ts";
import { REVIEW_STATUSES } from "../../src/contract/review-status.ts";
import { WrongDataError } from "../../src/store/benchmark-tables.ts";
import { CHANGED_TOTALS } from "../../src/store/queries/quarantine-totals.ts";
import type { Service } from "../bench/service.ts";
import type { Asked } from "./measure.ts";

export interface TaskResult {
  readonly action: ReviewAction;
  readonly rows: number;
  /** From the request to the end of the task; the time without a process is taken out. */
  readonly working_s: number;
  readonly rows_per_s: number;
  /** From the start of the new process, ready, to the first portion that it has done, s. */
  readonly resumed_after_s: number;
  /** Readings that were done when the process was killed. */
  readonly killed_at: number;
  /** Of the request that made it. */
  readonly accepted_ms: number;
  /** Of the process's memory in each fifth of the task, MiB; null where it cannot be known. */
  readonly memory_mib: readonly (number | null)[];
  /** Of a page of pending readings while the task ran. */
  readonly list_p95_ms: number;
}

const ACTIONS = "/api/v1/quarantine/actions";
const POLL_MS = 200;
/** The share that is done when the process is killed. */
const KILL_AT = 0.45;
const DEADLINE_MS = 3_600_000;

export interface TaskRun {
  readonly action: ReviewAction;
  readonly reason: string;
  readonly rows: number;
}

const askedOf = ({ host, port, tokens }: Service): Asked => ({
  origin: `http://${host}:${port}`,
  token: tokens[0]!,
});

async function call<T>({ origin, token }: Asked, path: string, body?: object): Promise<T> {
  const answer = await fetch(origin + path, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new WrongDataError(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/**
 * @param start a process of the service
 * @throws {WrongDataError} when progress went back, or the database does not hold exactly what was decided
 */
export async function runTask(
  start: () => Promise<Service>,
  sql: postgres.Sql,
  run: TaskRun,
  stop: AbortSignal,
): Promise<TaskResult> {
  let service = await start();
  try {
    const begin = performance.now();
    const body = { action: run.action, selection: { filter: { reason: [run.reason] } }, note: "benchmark" };
    const { id } = await call<ReviewTask>(askedOf(service), ACTIONS, body);
    const accepted_ms = performance.now() - begin;
    const watch = new Watch(run.rows);
    const killed = await watch.follow(service, id, stop, KILL_AT);
    await service.kill();
    const down = performance.now();
    service = await start();
    const up = performance.now();
    const first = await watch.follow(service, id, stop, (killed.done + 1) / run.rows);
    const resumed = performance.now();
    const ended = first.completed_at === null ? await watch.follow(service, id, stop, 2) : first;
    const working_s = (performance.now() - begin - (up - down)) / 1000;
    await assertDone(sql, ended, run);
    return {
      ...run,
      working_s: round(working_s),
      rows_per_s: Math.round(run.rows / working_s),
      resumed_after_s: round((resumed - up) / 1000),
      killed_at: killed.done,
      accepted_ms: Math.round(accepted_ms),
      ...watch.result(),
    };
  } finally {
    await service.stop();
  }
}

/** The progress of a task: it may stand, and never goes back. */
class Watch {
  #done = 0;
  readonly #memory_mib: (number | null)[] = [null, null, null, null, null];
  readonly #lists_ms: number[] = [];

  constructor(private readonly rows: number) {}

  /** Until this share is done, or the task is over. @throws {WrongDataError} */
  async follow(service: Service, id: string, stop: AbortSignal, share: number): Promise<ReviewTask> {
    const asked = askedOf(service);
    const end = performance.now() + DEADLINE_MS;
    for (;;) {
      stop.throwIfAborted();
      const task = await call<ReviewTask>(asked, `${ACTIONS}/${id}`);
      if (task.done < this.#done)
        throw new WrongDataError(`progress went back from ${this.#done} to ${task.done}`);
      this.#done = task.done;
      this.#note(service.pid, task.done);
      if (task.completed_at !== null || task.done >= share * this.rows) return task;
      if (performance.now() > end) throw new WrongDataError(`the task hangs at ${task.done}`);
      const begin = performance.now();
      await call(asked, "/api/v1/quarantine?limit=50");
      this.#lists_ms.push(performance.now() - begin);
      await Bun.sleep(POLL_MS);
    }
  }

  #note(pid: number, done: number): void {
    const fifth = Math.min(4, Math.floor((5 * done) / this.rows));
    const now = memoryOf_mib(pid);
    if (now !== null) this.#memory_mib[fifth] = Math.max(now, this.#memory_mib[fifth] ?? 0);
  }

  result(): Pick<TaskResult, "memory_mib" | "list_p95_ms"> {
    const sorted = this.#lists_ms.toSorted((a, b) => a - b);
    const list_p95_ms = Math.round(sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 0);
    return { memory_mib: this.#memory_mib, list_p95_ms };
  }
}

/** Resident memory by Linux's /proc (proc(5)). */
function memoryOf_mib(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
    return kib === undefined ? null : Math.round(Number(kib) / 1024);
  } catch {
    return null;
  }
}

const round = (seconds: number) => Math.round(seconds * 100) / 100;

/** Everything once: in the task, the readings, the record, the jobs, the counts. @throws {WrongDataError} */
async function assertDone(sql: postgres.Sql, task: ReviewTask, { action, reason, rows }: TaskRun) {
  const stores = action === "approve";
  const expected = {
    state: "completed",
    done: rows,
    stored: stores ? rows : 0,
    changed: stores ? 0 : rows,
    failing: {},
  };
  const { state, done, stored, changed, failing } = task;
  same("the task", { state, done, stored, changed, failing }, expected);
  const status = stores ? "approved" : "rejected";
  const [held] = await sql<Record<string, number>[]>`
    SELECT count(*)::float8 AS decided, count(DISTINCT q.stored_by_job)::float8 AS by_jobs,
      count(d.sensor_id)::float8 AS stored
    FROM diagnostics_quarantined_reading q
    LEFT JOIN diagnostics_sensordata d ON d.sensor_id = q.sensor_id AND d."timestamp" = q."timestamp" AND d.value = q.value
    WHERE q.reason = ${reason} AND q.review_status = ${status} AND q.review_task_id = ${task.id}`;
  const [jobs] = await sql<Record<string, number>[]>`
    SELECT count(*)::float8 AS jobs, coalesce(sum(inserted_readings), 0)::float8 AS inserted
    FROM diagnostics_ingestion_job WHERE review_task_id = ${task.id}`;
  same("the readings", held, { decided: rows, by_jobs: jobs!.jobs, stored: stores ? rows : 0 });
  same("the jobs", jobs, { jobs: jobs!.jobs, inserted: stores ? rows : 0 });
  const [twice] = await sql<Record<string, number>[]>`
    SELECT count(*)::float8 AS lines, count(DISTINCT subject_id)::float8 AS readings FROM diagnostics_audit
    WHERE task_id = ${task.id} AND subject_type = 'reading'`;
  same("the record", twice, { lines: rows, readings: rows });
  await assertCounts(sql);
}

/** The totals and the incidents against the readings themselves. */
async function assertCounts(sql: postgres.Sql): Promise<void> {
  const counted = REVIEW_STATUSES.map((s) => `count(*) FILTER (WHERE review_status = '${s}') AS ${s}`);
  const summed = REVIEW_STATUSES.map((s) => `sum(${s}) AS ${s}`).join(", ");
  const [row] = await sql.unsafe<{ totals: number; incidents: number }[]>(`
    WITH truth AS (
      SELECT system_id, coalesce(sensor_id, '00000000-0000-0000-0000-000000000000') AS sensor_id, reason, ${counted.join(", ")}
      FROM diagnostics_quarantined_reading GROUP BY 1, 2, 3),
    totals AS (
      SELECT system_id, sensor_id, reason, ${summed} FROM (${CHANGED_TOTALS}) t GROUP BY 1, 2, 3),
    incidents AS (
      SELECT system_id, sensor_id, reason, ${summed} FROM (
        SELECT system_id, sensor_id, reason, ${REVIEW_STATUSES.join(", ")} FROM diagnostics_quarantine_incident
        UNION ALL SELECT system_id, sensor_id, reason, ${REVIEW_STATUSES.join(", ")} FROM diagnostics_quarantine_change) i
      GROUP BY 1, 2, 3)
    SELECT ${["totals", "incidents"]
      .map(
        (
          table,
        ) => `(SELECT count(*)::float8 FROM truth t FULL JOIN ${table} k USING (system_id, sensor_id, reason)
          WHERE (${REVIEW_STATUSES.map((s) => `t.${s}`).join(", ")})
            IS DISTINCT FROM (${REVIEW_STATUSES.map((s) => `k.${s}`).join(", ")})) AS ${table}`,
      )
      .join(", ")}`);
  same("wrong counts", row, { totals: 0, incidents: 0 });
}

function same(what: string, found: object | undefined, expected: object): void {
  if (Bun.deepEquals({ ...found }, expected)) return;
  throw new WrongDataError(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}
