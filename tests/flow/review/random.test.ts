/**
 * Reviewers at once, who decide at random about the same readings, in requests and in tasks, while the same keys are
 * ingested and sessions of the database are killed. What must hold afterwards is asked of the tables.
 * REVIEW_SEED and REVIEW_ROUNDS make it another, or a longer, run.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Correction } from "../../../src/contract/correction.ts";
import { OUTCOMES, REVIEW_ACTIONS, type ReviewTask } from "../../../src/contract/review.ts";
import { Chance } from "../../../src/feed/simulate/chance.ts";
import type { OpenDesk } from "../../../src/review/open-desk.ts";
import { ReviewBusyError, ReviewConflictError } from "../../../src/review/review-errors.ts";
import { classify } from "../../../src/store/errors.ts";
import { ReviewRaceError } from "../../../src/store/review/settle.ts";
import { type Decision, TaskMovedError } from "../../../src/store/review/tasks.ts";
import { reading, SYSTEM, sensor } from "../../support/ingest-bench.ts";
import { decision, REVIEWER, ReviewBench } from "../../support/review.ts";
import { wrongReviews } from "../../support/review-oracle.ts";

const SEED = Number(process.env.REVIEW_SEED ?? 5);
const ROUNDS = Number(process.env.REVIEW_ROUNDS ?? 4);
/** So many when chance wants it. */
const MOST_ROUNDS = 10 * ROUNDS;
const REVIEWERS = 3;
const TURNS = 8;
const SENSORS = 3;
const SECONDS = 10;

let bench: ReviewBench;
beforeAll(async () => {
  bench = await ReviewBench.create();
});
afterAll(() => bench.close());

/** Of few keys and few values, so that most of them meet. */
function anyReading(chance: Chance) {
  const one = reading(
    chance.below(SENSORS),
    chance.below(SECONDS),
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

function anyChange(chance: Chance): Correction {
  return chance.pick<Correction>([
    { set: { unit: "psi" } },
    { set: { unit: "nothing known" } },
    { set: { value: chance.pick([50, 60, 70]) } },
    { set: { sensor_id: sensor(chance.below(SENSORS)) } },
    { set: { timestamp: reading(0, chance.below(SECONDS)).timestamp } },
    { set: { quality: 99.9 } },
    { scale: chance.pick([0.1, 1e308, -1, 0]), offset: chance.pick([0, 5, -1e308]) },
    { shift_ms: chance.pick([1_000, -2_000, -315_576_000_000, 0.5]) },
  ]);
}

function anyDecision(chance: Chance, ids: readonly number[]): Decision {
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
    change: action === "fix" ? anyChange(chance) : null,
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

const allowed = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: unknown) => {
    if (!isAllowed(error)) throw error;
  });

async function review(desk: OpenDesk, chance: Chance): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    const one = anyDecision(chance, await bench.ids());
    const work = "ids" in one.selection ? desk.desk.decide(one, one.selection.ids) : desk.desk.enqueue(one);
    await allowed(work);
  }
}

/** As the runner of a worker, now and then with a cancellation. */
async function work({ desk, tasks }: OpenDesk, chance: Chance, isOver: () => boolean): Promise<void> {
  for (;;) {
    const task = await tasks.nextOpen();
    if (task === null && isOver()) return;
    if (task === null) await Bun.sleep(5);
    else if (chance.below(20) === 0) await tasks.end(task.id, "cancelled", { id: REVIEWER, name: "rita" });
    else await allowed(desk.step(task));
  }
}

async function killSessions(chance: Chance, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await Bun.sleep(20 + chance.below(200));
    await bench.ingest.database.sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'test:%' AND pid <> pg_backend_pid()
        AND random() < 0.3`;
  }
}

/** The counts of a dry run are those of the decision, when nobody gets in between. */
async function expectForetold(desk: OpenDesk, chance: Chance): Promise<void> {
  const one = anyDecision(chance, await bench.ids());
  const tried = await desk.desk.dryRun(one);
  let task: ReviewTask | null = null;
  if ("ids" in one.selection) {
    if (tried.not_open > 0) return;
    task = await desk.desk.decide(one, one.selection.ids);
  } else {
    const { id } = await desk.desk.enqueue(one);
    await work(desk, new Chance(1, "dry run"), () => true);
    task = await desk.tasks.get(id, null);
    if (task?.state !== "completed") return;
  }
  const { store, identical, replace, keep, reject, reopen, withdraw, restore } = tried.would;
  expect(task).toMatchObject({
    stored: store,
    identical,
    replaced: replace,
    changed: keep + reject + reopen + withdraw + restore,
    withdrawn: withdraw + restore,
    restored: restore,
    failing: tried.still_failing,
    selected: tried.selected,
  });
}

const POSSIBLE = OUTCOMES.filter((outcome) => outcome !== "fails").toSorted();
const outcomes = () => bench.ingest.database.sql<{ outcome: string; n: number }[]>`
  SELECT after ->> 'outcome' AS outcome, count(*)::int AS n FROM diagnostics_audit WHERE subject_type = 'reading' GROUP BY 1`;
const allCame = async () => (await outcomes()).length === POSSIBLE.length;

test(`whatever reviewers decide at once, everything is stored, taken back and recorded once (seed ${SEED})`, async () => {
  const chance = new Chance(SEED, "reviews");
  const batch = () => Array.from({ length: 20 }, () => anyReading(chance));
  await bench.send(batch());
  await bench.send(batch());
  const desks = Array.from({ length: REVIEWERS + 2 }, () => bench.desk());
  const [first, second, ...reviewers] = desks as [OpenDesk, OpenDesk, ...OpenDesk[]];
  // What meets whom is up to the machine: more rounds where something has not come to pass.
  for (let round = 0; round < ROUNDS || (round < MOST_ROUNDS && !(await allCame())); round += 1) {
    const own = () => new Chance(SEED, `round ${round}, ${chance.below(1_000_000)}`);
    let over = false;
    const others = [
      work(first, own(), () => over),
      work(second, own(), () => over),
      killSessions(own(), () => over),
    ];
    const ingest = (async () => {
      for (let n = 0; n < 3; n += 1) await bench.send(batch());
    })();
    await Promise.all([...reviewers.map((desk) => review(desk, own())), ingest]).finally(() => {
      over = true;
    });
    await Promise.all(others);
    expect({ round, wrong: await wrongReviews(bench.ingest.database.sql) }).toEqual({ round, wrong: [] });
    for (let n = 0; n < 4; n += 1) await expectForetold(first, own());
  }
  expect({ wrong: await wrongReviews(bench.ingest.database.sql) }).toEqual({ wrong: [] });
  // Chance has to have come to all that can become of a reading.
  const came = await outcomes();
  expect(came.map(({ outcome }) => outcome).sort()).toEqual(POSSIBLE);
  if (process.env.REVIEW_ROUNDS) console.log(JSON.stringify(came));
}, 3_600_000);
