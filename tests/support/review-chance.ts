/** What reviewers do by chance, for tests that ask afterwards whether all of it is right. */
import type { Correction } from "../../src/contract/correction.ts";
import { REVIEW_ACTIONS } from "../../src/contract/review.ts";
import type { Chance } from "../../src/feed/simulate/chance.ts";
import type { OpenDesk } from "../../src/review/open-desk.ts";
import { ReviewBusyError, ReviewConflictError } from "../../src/review/review-errors.ts";
import { classify } from "../../src/store/errors.ts";
import { ReviewRaceError } from "../../src/store/review/settle.ts";
import { type Decision, TaskMovedError } from "../../src/store/review/tasks.ts";
import { reading, SYSTEM, sensor } from "./ingest-bench.ts";
import { decision, REVIEWER, type ReviewBench } from "./review.ts";

export const REVIEWERS = 3;
export const SENSORS = 3;

/** Seconds after the bench's START_MS at which its readings are. */
export type Seconds = readonly number[];

/** Of few keys and few values, so that most of them meet. */
export function anyReading(chance: Chance, seconds: Seconds) {
  const one = reading(
    chance.below(SENSORS),
    chance.pick(seconds),
    chance.pick([50, 60, 900, 900, 950, 1e308]),
  );
  return chance.pick([
    one,
    one,
    one,
    { ...one, quality: chance.pick([10, 95.1]) },
    { ...one, unit: chance.pick(["furlong", "psi", "celsius"]) },
    { ...one, timestamp: "2031-01-01T00:00:00Z" },
  ]);
}

function anyChange(chance: Chance, seconds: Seconds): Correction {
  return chance.pick<Correction>([
    { set: { unit: "psi" } },
    { set: { unit: "nothing known" } },
    { set: { value: chance.pick([50, 60, 70]) } },
    { set: { sensor_id: sensor(chance.below(SENSORS)) } },
    { set: { timestamp: reading(0, chance.pick(seconds)).timestamp } },
    { set: { quality: 99.9 } },
    { scale: chance.pick([0.1, 1e308, -1, 0]), offset: chance.pick([0, 5, -1e308]) },
    { shift_ms: chance.pick([1_000, -2_000, -315_576_000_000, 0.5]) },
  ]);
}

export function anyDecision(chance: Chance, ids: readonly number[], seconds: Seconds): Decision {
  const action = chance.pick([...REVIEW_ACTIONS, "approve", "reopen"] as const);
  const stores = action !== "reject" && action !== "reopen";
  const size = 1 + chance.below(8);
  const some = Array.from({ length: size }, () => chance.pick(ids));
  const filter = chance.pick([
    { system_id: SYSTEM },
    { sensor_id: sensor(chance.below(SENSORS)) },
    { reason: [chance.pick(["out_of_range", "duplicate"] as const)] },
  ]);
  return decision({
    action,
    selection: chance.below(4) === 0 ? { filter } : { ids: [...new Set(some)] },
    change: action === "fix" ? anyChange(chance, seconds) : null,
    conflict: stores ? chance.pick([null, "keep", "replace"] as const) : null,
    actor_name: `reviewer ${chance.below(REVIEWERS)}`,
  });
}

/** Others were faster, or the database was away: nothing was written then. */
const isAllowed = (error: unknown) =>
  error instanceof ReviewConflictError ||
  error instanceof ReviewBusyError ||
  error instanceof ReviewRaceError ||
  error instanceof TaskMovedError ||
  classify(error) === "unavailable";

/** Throws what must not happen. */
export const allowed = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => {
    if (!isAllowed(error)) throw error;
  });

/** Decide `turns` times. */
export async function reviewAtRandom(
  desk: OpenDesk,
  bench: ReviewBench,
  chance: Chance,
  seconds: Seconds,
  turns: number,
): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    const one = anyDecision(chance, await bench.ids(), seconds);
    const work = "ids" in one.selection ? desk.desk.decide(one, one.selection.ids) : desk.desk.enqueue(one);
    await allowed(work);
  }
}

/**
 * As the runner of a worker, now and then with a cancellation.
 * @param most portions, on average, before a task is cancelled
 */
export async function workTasks(
  { desk, tasks }: OpenDesk,
  chance: Chance,
  isOver: () => boolean,
  most = 20,
): Promise<void> {
  for (;;) {
    const task = await tasks.nextOpen();
    if (task === null && isOver()) return;
    if (task === null) await Bun.sleep(5);
    else if (chance.below(most) === 0) await tasks.end(task.id, "cancelled", { id: REVIEWER, name: "rita" });
    else await allowed(desk.step(task));
  }
}

/** Kill sessions of the bench's desks now and then; each is gone when this goes on, so none ends after the last round. */
export async function killSessions(bench: ReviewBench, chance: Chance, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await Bun.sleep(20 + chance.below(200));
    await bench.ingest.database.sql`SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'test:%' AND pid <> pg_backend_pid()
        AND random() < 0.3`;
  }
}
