/**
 * Decisions about quarantined readings. A decision about some readings is taken within its request; one about an
 * incident or a filter becomes a task, which a worker takes portion by portion (runner.ts). Either way the same
 * function commits a portion: stored readings, their job, the new status of the quarantined readings, the record
 * and the task's progress stand or fall together, so nothing is applied twice or by half.
 */
import type { Reach } from "../contract/reach.ts";
import {
  type DryRun,
  MAX_SELECTED,
  type ReadingOutcome,
  type ReviewTask,
  statusesNeeded,
} from "../contract/review.ts";
import { classify } from "../store/errors.ts";
import type { QuarantinedRow, ReviewReadings } from "../store/review/readings.ts";
import { ReviewRaceError, settleReview } from "../store/review/settle.ts";
import {
  advanceTask,
  beginTask,
  completeTask,
  type Decision,
  type OpenTask,
  type ReviewTaskStore,
} from "../store/review/tasks.ts";
import type { WriterTransaction } from "../store/writer/connection.ts";
import type { WriteGroup } from "../store/writer/group.ts";
import type { Writer } from "../store/writer/writer.ts";
import { type JudgeDeps, judgedPortion } from "./judged-portion.ts";
import { changesOf, insertedBy, tallyOf, toOutcome, type Verdict } from "./outcomes.ts";
import { portionWrite } from "./portion.ts";
import { ReviewConflictError, SelectionTooLargeError, UnknownReadingsError } from "./review-errors.ts";
import { reachOf, toSelected } from "./selected.ts";
import { Turns, unlessOvertaken } from "./turns.ts";

/** Readings of one transaction: short enough not to hold up others, long enough for COPY to pay. */
const PORTION = 2_000;
/** Readings that a dry run tries. */
const EXAMINED = 2_000;
const SAMPLES = 50;

export interface DeskDeps extends JudgeDeps {
  readonly readings: Pick<ReviewReadings, "byIds" | "portion" | "extent" | "stored">;
  readonly tasks: Pick<ReviewTaskStore, "get" | "page" | "end">;
  readonly writer: Pick<Writer, "commit" | "transaction" | "guiltyRows">;
  /** Told the outcome of each reading that was committed. */
  readonly onOutcome: (outcome: ReadingOutcome["outcome"]) => void;
}

/** What commits with a portion. */
type Beside = (tx: WriterTransaction, verdicts: readonly Verdict[]) => Promise<void>;

export class ReviewDesk {
  readonly #turns = new Turns();

  constructor(private readonly deps: DeskDeps) {}

  get tasks(): DeskDeps["tasks"] {
    return this.deps.tasks;
  }

  /** Try a decision on the first readings of its selection; nothing is written. @throws {UnknownReadingsError}
   * @throws {IncidentKeyError} @throws {SelectionTooLargeError} @throws {StoreUnavailableError} */
  async dryRun(decision: Decision): Promise<DryRun> {
    const selected = toSelected(decision);
    const needed = statusesNeeded(decision.action);
    const { readings } = this.deps;
    if ("ids" in selected) await this.#existing(selected.ids, decision.systems);
    const extent = await readings.extent(selected, needed);
    if (extent.selected > MAX_SELECTED) throw new SelectionTooLargeError();
    const portion = { after: 0, last_id: extent.last_id, limit: EXAMINED };
    const rows = await readings.portion(selected, needed, portion);
    const { verdicts } = await judgedPortion(this.deps, rows, decision);
    const none = { store: 0, identical: 0, replace: 0, keep: 0, reject: 0, reopen: 0 };
    const would = { ...none, withdraw: 0, restore: 0 };
    for (const { outcome } of verdicts) if (outcome !== "fails") would[outcome] += 1;
    const failFirst = [...verdicts].sort(
      (a, b) => Number(b.outcome === "fails") - Number(a.outcome === "fails"),
    );
    return {
      action: decision.action,
      selected: extent.selected,
      examined: rows.length,
      would,
      still_failing: { ...tallyOf(verdicts).failing },
      not_open: "ids" in selected ? selected.ids.length - rows.length : 0,
      samples: failFirst.slice(0, SAMPLES).map(toOutcome),
    };
  }

  /**
   * Decide on some readings at once.
   * @throws {UnknownReadingsError} @throws {ReviewConflictError} when one of them is not in the status that the action
   *   needs; nothing was written then
   * @throws {ReviewBusyError} @throws {StoreUnavailableError}
   */
  async decide(decision: Decision, ids: readonly number[]): Promise<ReviewTask> {
    const needed = statusesNeeded(decision.action);
    const last_id = Math.max(...ids);
    const outcomes = await this.#turns.take(() =>
      unlessOvertaken(async () => {
        const rows = await this.#existing(ids, decision.systems);
        const others = rows.filter(({ review_status }) => !needed.includes(review_status));
        if (others.length > 0) throw new ReviewConflictError(others);
        return this.#commit(rows, decision, async (tx, verdicts) => {
          const systems = [...new Set(rows.map(({ system_id }) => system_id))];
          await beginTask(tx, { ...decision, systems }, { selected: ids.length, last_id });
          await advanceTask(tx, { id: decision.id, position: 0 }, last_id, tallyOf(verdicts));
          await completeTask(tx, decision.id);
        });
      }),
    );
    const task = await this.deps.tasks.get(decision.id, null);
    return { ...task!, readings: outcomes };
  }

  /** @throws {UnknownReadingsError} */
  async #existing(ids: readonly number[], reach: Reach): Promise<QuarantinedRow[]> {
    const rows = await this.deps.readings.byIds(ids, reach);
    const found = new Set(rows.map(({ id }) => id));
    if (rows.length < ids.length) throw new UnknownReadingsError(ids.filter((id) => !found.has(id)));
    return rows;
  }

  /** Leave a decision to the workers. @throws {IncidentKeyError} @throws {SelectionTooLargeError} @throws {StoreUnavailableError} */
  async enqueue(decision: Decision): Promise<ReviewTask> {
    const needed = statusesNeeded(decision.action);
    const selected = toSelected(decision);
    const extent = await this.deps.readings.extent(selected, needed);
    if (extent.selected > MAX_SELECTED) throw new SelectionTooLargeError();
    await this.#turns.take(() =>
      this.deps.writer.transaction((tx) =>
        beginTask(tx, { ...decision, systems: reachOf(selected) }, extent),
      ),
    );
    const task = await this.deps.tasks.get(decision.id, null);
    return task!;
  }

  /**
   * The next portion of a task. @returns what became of it; null when the task is completed
   * @throws {TaskMovedError} @throws errors to be told apart by `classify`
   */
  async step(task: OpenTask): Promise<readonly ReadingOutcome[] | null> {
    const needed = statusesNeeded(task.action);
    const selected = toSelected(task);
    return this.#turns.take(() =>
      unlessOvertaken(async () => {
        const portion = { after: task.position, last_id: task.last_id, limit: PORTION };
        const rows = await this.deps.readings.portion(selected, needed, portion);
        if (rows.length === 0) {
          await this.deps.writer.transaction((tx) => completeTask(tx, task.id));
          return null;
        }
        const to = rows.at(-1)!.id;
        return this.#commit(rows, task, (tx, verdicts) => advanceTask(tx, task, to, tallyOf(verdicts)));
      }),
    );
  }

  /**
   * Judge, compare and commit one portion.
   * @param refused readings that PostgreSQL itself does not take, with its words, by id
   */
  async #commit(
    rows: readonly QuarantinedRow[],
    decision: Decision,
    beside: Beside,
    refused: ReadonlyMap<number, string> = new Map(),
  ): Promise<ReadingOutcome[]> {
    const { writer, clock } = this.deps;
    const judged = await judgedPortion(this.deps, rows, decision);
    const verdicts = judged.verdicts.map((verdict) => refusedBy(verdict, refused.get(verdict.row.id)));
    const { write, ...around } = portionWrite(judged, verdicts, decision, clock.now_ms());
    const changes = changesOf(verdicts, decision.action, write?.jobOf ?? (() => null));
    const settle = async (tx: WriterTransaction) => {
      await around.beside(tx);
      await settleReview(tx, decision, changes);
      await beside(tx, verdicts);
    };
    if (!write) {
      await writer.transaction(async (tx) => {
        await around.first(tx);
        await settle(tx);
      });
    } else {
      const guilty = await this.#written(
        { ...write.group, first: around.first },
        insertedBy(verdicts),
        settle,
      );
      if (guilty) {
        const ids = [...guilty].map(
          ([position, why]) => [write.idOf(write.group.order[position]!), why] as const,
        );
        return this.#commit(rows, decision, beside, new Map([...refused, ...ids]));
      }
    }
    for (const { outcome } of verdicts) this.deps.onOutcome(outcome);
    return verdicts.map(toOutcome);
  }

  /**
   * Null when the group is committed; else positions in its order that PostgreSQL does not take, with its words.
   * @param expected readings that are not stored yet
   */
  async #written(
    group: WriteGroup,
    expected: number,
    settle: (tx: WriterTransaction) => Promise<void>,
  ): Promise<ReadonlyMap<number, string> | null> {
    const { writer } = this.deps;
    try {
      await writer.commit({
        ...group,
        beside: async (tx, { refusals, inserted }) => {
          // A value was stored under a key, or taken from it, since we looked.
          if (refusals.length > 0 || inserted !== expected)
            throw new ReviewRaceError("a key was taken in the meantime");
          await settle(tx);
        },
      });
      return null;
    } catch (error) {
      if (classify(error) !== "data") throw error;
      const guilty = await writer.guiltyRows(group);
      if (guilty.size === 0) throw error;
      return guilty;
    }
  }
}

function refusedBy(verdict: Verdict, why: string | undefined): Verdict {
  if (why === undefined) return verdict;
  return { ...verdict, outcome: "fails", reason: "parse_error", details: `the database refuses it: ${why}` };
}
