/**
 * Reviewers at once, who decide at random about the same readings, in requests and in tasks, while the same keys are
 * ingested and sessions of the database are killed. What must hold afterwards is asked of the tables.
 * REVIEW_SEED and REVIEW_ROUNDS make it another, or a longer, run.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { OUTCOMES, type ReviewTask } from "../../../src/contract/review.ts";
import { Chance } from "../../../src/feed/simulate/chance.ts";
import type { OpenDesk } from "../../../src/review/open-desk.ts";
import { ReviewBench } from "../../support/review.ts";
import {
  anyDecision,
  anyReading,
  killSessions,
  REVIEWERS,
  reviewAtRandom,
  workTasks,
} from "../../support/review-chance.ts";
import { wrongReviews } from "../../support/review-oracle.ts";
import { verifyDatabase } from "../../support/verify.ts";

const SEED = Number(process.env.REVIEW_SEED ?? 5);
const ROUNDS = Number(process.env.REVIEW_ROUNDS ?? 4);
/** So many when chance wants it. */
const MOST_ROUNDS = 10 * ROUNDS;
const TURNS = 8;
const SECONDS = Array.from({ length: 10 }, (_, n) => n);

let bench: ReviewBench;
beforeAll(async () => {
  bench = await ReviewBench.create();
});
afterAll(() => bench.close());

/** The counts of a dry run are those of the decision, when nobody gets in between. */
async function expectForetold(desk: OpenDesk, chance: Chance): Promise<void> {
  const one = anyDecision(chance, await bench.ids(), SECONDS);
  const tried = await desk.desk.dryRun(one);
  let task: ReviewTask | null = null;
  if ("ids" in one.selection) {
    if (tried.not_open > 0) return;
    task = await desk.desk.decide(one, one.selection.ids);
  } else {
    const { id } = await desk.desk.enqueue(one);
    await workTasks(desk, new Chance(1, "dry run"), () => true);
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
  const batch = () => Array.from({ length: 20 }, () => anyReading(chance, SECONDS));
  await bench.send(batch());
  await bench.send(batch());
  const desks = Array.from({ length: REVIEWERS + 2 }, () => bench.desk());
  const [first, second, ...reviewers] = desks as [OpenDesk, OpenDesk, ...OpenDesk[]];
  // What meets whom is up to the machine: more rounds where something has not come to pass.
  for (let round = 0; round < ROUNDS || (round < MOST_ROUNDS && !(await allCame())); round += 1) {
    const own = () => new Chance(SEED, `round ${round}, ${chance.below(1_000_000)}`);
    let over = false;
    const others = [
      workTasks(first, own(), () => over),
      workTasks(second, own(), () => over),
      killSessions(bench, own(), () => over),
    ];
    const ingest = (async () => {
      for (let n = 0; n < 3; n += 1) await bench.send(batch());
    })();
    await Promise.all([
      ...reviewers.map((desk) => reviewAtRandom(desk, bench, own(), SECONDS, TURNS)),
      ingest,
    ]).finally(() => {
      over = true;
    });
    await Promise.all(others);
    expect({ round, wrong: await wrongReviews(bench.ingest.database.sql) }).toEqual({ round, wrong: [] });
    for (let n = 0; n < 4; n += 1) await expectForetold(first, own());
  }
  expect({ wrong: await wrongReviews(bench.ingest.database.sql) }).toEqual({ wrong: [] });
  // What `verify` tells operators is the same.
  expect((await verifyDatabase(bench.ingest.databaseUrl)).get("accounts")).toMatchObject({ verdict: "ok" });
  // Chance has to have come to all that can become of a reading.
  const came = await outcomes();
  expect(came.map(({ outcome }) => outcome).sort()).toEqual(POSSIBLE);
  if (process.env.REVIEW_ROUNDS) console.log(JSON.stringify(came));
}, 3_600_000);
