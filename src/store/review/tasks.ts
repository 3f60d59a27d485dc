/** Review tasks: made by a request, worked off in portions, each portion in the transaction of its readings. */
import type { Correction } from "../../contract/correction.ts";
import type { Reach } from "../../contract/reach.ts";
import type { NewReview, ReviewAction, ReviewTask, Selection } from "../../contract/review.ts";
import type { Actor } from "../audit.ts";
import type { Database } from "../pool.ts";
import type { WriterTransaction } from "../writer/connection.ts";
import { arrayOf, ask } from "./ask.ts";

/** Who decides what. */
export interface Decision {
  readonly id: string;
  readonly action: ReviewAction;
  readonly selection: Selection;
  readonly change: Correction | null;
  readonly conflict: NonNullable<NewReview["conflict"]> | null;
  readonly note: string | null;
  readonly actor: string;
  readonly actor_name: string;
  /** Systems that it is about at most; null: any. */
  readonly systems: Reach;
}

/** A task that is not over. */
export interface OpenTask extends Decision {
  readonly position: number;
  readonly last_id: number;
}

/** What became of a portion. */
export interface Tally {
  readonly done: number;
  readonly stored: number;
  readonly identical: number;
  readonly replaced: number;
  readonly changed: number;
  readonly withdrawn: number;
  readonly restored: number;
  readonly failing: Readonly<Record<string, number>>;
}

/** The task was cancelled, or another program has dealt with the portion; nothing was written. */
export class TaskMovedError extends Error {
  override readonly name = "TaskMovedError";
}

export interface TaskKey {
  readonly created_at: string;
  readonly id: string;
}

const RFC3339 = (column: string) =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ${column}`;
const VIEW = `id, action, state, actor, actor_name, note, selection::text AS selection, change::text AS change, conflict,
  selected::float8 AS selected, done::float8 AS done, stored::float8 AS stored, identical::float8 AS identical,
  replaced::float8 AS replaced, changed::float8 AS changed, withdrawn::float8 AS withdrawn, restored::float8 AS restored, failing::text AS failing, not_open::float8 AS not_open,
  ARRAY(SELECT j.id::text FROM diagnostics_ingestion_job j WHERE j.review_task_id = t.id ORDER BY j.created_at LIMIT 100)::text AS jobs,
  ${["created_at", "started_at", "completed_at"].map(RFC3339).join(", ")}, error_message`;
const INSERT = `INSERT INTO diagnostics_review_task
    (id, action, state, actor, actor_name, note, selection, change, conflict, selected, last_id, systems)
  VALUES ($1, $2, $3, $4, $5, $6, $7::json, $8::json, $9, $10, $11, $12::uuid[])`;
const AUDIT = `INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, task_id, after, note, system_id)
  VALUES ($1, $2, $3, 'task', $4::text, $4::text::uuid, $5::json, $6, $7::uuid)`;
const ADVANCE = `UPDATE diagnostics_review_task SET state = 'running',
    started_at = coalesce(started_at, clock_timestamp()), position = $3::bigint, done = done + $4::bigint,
    stored = stored + $5::bigint, identical = identical + $6::bigint, replaced = replaced + $7::bigint,
    changed = changed + $8::bigint, withdrawn = withdrawn + $10::bigint, restored = restored + $11::bigint, failing = (SELECT coalesce(jsonb_object_agg(key, n), '{}') FROM (
      SELECT key, sum(value::bigint) AS n
      FROM (SELECT * FROM jsonb_each_text(failing) UNION ALL SELECT * FROM jsonb_each_text($9::jsonb)) e GROUP BY key) s)
  WHERE id = $1 AND position = $2::bigint AND state IN ('queued', 'running') RETURNING id`;

/** The portion in hand has the row locked until it commits: `before` is what was really done. */
const END = `WITH open AS (
    SELECT id, state, selected, done, stored, systems FROM diagnostics_review_task
    WHERE id = $1::uuid AND state IN ('queued', 'running') FOR UPDATE),
  ended AS (UPDATE diagnostics_review_task t SET state = $2, completed_at = clock_timestamp(), error_message = $3
    FROM open WHERE t.id = open.id)
  INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, system_id, task_id, before, after)
  SELECT $4::uuid, $5, CASE $2::text WHEN 'cancelled' THEN 'task.cancel' ELSE 'task.fail' END, 'task', id::text,
    CASE WHEN cardinality(systems) = 1 THEN systems[1] END, id,
    json_build_object('state', state, 'selected', selected, 'done', done, 'stored', stored),
    json_build_object('state', $2::text, 'error_message', $3::text)
  FROM open RETURNING id`;

const values = (d: Decision, state: string, selected: number, last_id: number) => [
  d.id,
  d.action,
  state,
  d.actor,
  d.actor_name,
  d.note,
  JSON.stringify(d.selection),
  d.change === null ? null : JSON.stringify(d.change),
  d.conflict,
  selected,
  last_id,
  d.systems,
];
/** The record names a system only when the decision is about that one alone. */
const auditValues = ({ id, actor, actor_name, action, note, systems, ...rest }: Decision) => [
  actor,
  actor_name,
  action,
  id,
  JSON.stringify({ selection: rest.selection, change: rest.change, conflict: rest.conflict }),
  note,
  systems?.length === 1 ? systems[0] : null,
];

/** Write a task and its line of the record. */
export async function beginTask(
  tx: WriterTransaction,
  decision: Decision,
  extent: { readonly selected: number; readonly last_id: number },
): Promise<void> {
  await tx.query(INSERT, values(decision, "queued", extent.selected, extent.last_id));
  await tx.query(AUDIT, auditValues(decision));
}

/** @throws {TaskMovedError} */
export async function advanceTask(
  tx: WriterTransaction,
  { id, position }: Pick<OpenTask, "id" | "position">,
  to: number,
  tally: Tally,
): Promise<void> {
  const rows = await tx.query(ADVANCE, [
    id,
    position,
    to,
    tally.done,
    tally.stored,
    tally.identical,
    tally.replaced,
    tally.changed,
    JSON.stringify(tally.failing),
    tally.withdrawn,
    tally.restored,
  ]);
  if (rows.length === 0) throw new TaskMovedError(`task ${id} has moved on`);
}

/** Ends a task whose last portion is done, in the transaction of that portion; one that is over already stays as it is. */
export async function completeTask(tx: WriterTransaction, id: string): Promise<void> {
  await tx.query(
    `UPDATE diagnostics_review_task SET state = 'completed', completed_at = clock_timestamp(),
      not_open = greatest(selected - done, 0),
      started_at = coalesce(started_at, clock_timestamp()) WHERE id = $1 AND state IN ('queued', 'running')`,
    [id],
  );
}

type TaskRow = Omit<ReviewTask, "selection" | "change" | "failing" | "jobs"> & {
  readonly selection: string;
  readonly change: string | null;
  readonly failing: string;
  readonly jobs: string;
};

const toTask = ({ selection, change, failing, jobs, ...task }: TaskRow): ReviewTask => ({
  ...task,
  selection: JSON.parse(selection) as unknown,
  change: change === null ? null : (JSON.parse(change) as unknown),
  failing: JSON.parse(failing) as Record<string, number>,
  jobs: jobs.slice(1, -1).split(",").filter(Boolean),
});

/** Who looks at tasks, limited to systems; null: nobody who is. */
export type TaskViewer = { readonly id: string; readonly systems: readonly string[] } | null;

/**
 * All that a task is about is within reach. One about no system at all (its filter names one that its maker does not
 * reach) concerns nobody but its maker.
 * @param list parameter with the systems as text; null: all are @param viewer parameter with the id of who looks
 */
const within = (list: string, viewer: string) => `(${list}::text IS NULL
    OR t.systems <@ ${list}::text::uuid[] AND (cardinality(t.systems) > 0 OR t.actor = ${viewer}::uuid))`;
const viewerValues = (viewer: TaskViewer) => [viewer && arrayOf(viewer.systems), viewer?.id ?? null];

export class ReviewTaskStore {
  constructor(private readonly database: Database) {}

  /** Null: unknown, or about systems that are not within reach. @throws {StoreUnavailableError} */
  async get(id: string, viewer: TaskViewer): Promise<ReviewTask | null> {
    const text = `SELECT ${VIEW} FROM diagnostics_review_task t WHERE id = $1 AND ${within("$2", "$3")}`;
    const values = [id, ...viewerValues(viewer)];
    const [row] = await ask<TaskRow>(this.database, "review task", text, values);
    return row ? toTask(row) : null;
  }

  /** Newest first, those about systems within reach. @throws {StoreUnavailableError} */
  async page(
    state: string | null,
    after: TaskKey | null,
    limit: number,
    viewer: TaskViewer,
  ): Promise<ReviewTask[]> {
    const text = `SELECT ${VIEW} FROM diagnostics_review_task t WHERE ($1::text IS NULL OR state = $1)
      AND ($2::timestamptz IS NULL OR (created_at, id) < ($2::timestamptz, $3::uuid))
      AND ${within("$5", "$6")}
      ORDER BY t.created_at DESC, t.id DESC LIMIT $4::int`;
    const values = [state, after?.created_at ?? null, after?.id ?? null, limit, ...viewerValues(viewer)];
    return (await ask<TaskRow>(this.database, "review tasks", text, values)).map(toTask);
  }

  /** The oldest task that is not over. @throws {StoreUnavailableError} */
  async nextOpen(): Promise<OpenTask | null> {
    const [row] = await ask<
      Omit<OpenTask, "selection" | "change" | "systems"> & {
        selection: string;
        change: string | null;
        systems: string | null;
      }
    >(
      this.database,
      "next review task",
      `SELECT id, action, selection::text AS selection, change::text AS change, conflict, note, actor, actor_name,
        to_json(systems)::text AS systems, position::float8 AS position, last_id::float8 AS last_id
      FROM diagnostics_review_task WHERE state IN ('queued', 'running') ORDER BY created_at LIMIT 1`,
      [],
    );
    if (!row) return null;
    return {
      ...row,
      selection: JSON.parse(row.selection) as Selection,
      systems: row.systems === null ? null : (JSON.parse(row.systems) as string[]),
      change: row.change === null ? null : (JSON.parse(row.change) as Correction),
    };
  }

  /**
   * End a task that is not over, which is a line of the record; what it has done stays. False when it is over already.
   * @throws {StoreUnavailableError}
   */
  async end(
    id: string,
    state: "cancelled" | "failed",
    by: Actor,
    message: string | null = null,
  ): Promise<boolean> {
    const rows = await ask(this.database, "end review task", END, [id, state, message, by.id, by.name]);
    return rows.length === 1;
  }
}
