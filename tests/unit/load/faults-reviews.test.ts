/** The oracle of the reviewers of `bun run faults` finds right what is right, and everything else wrong. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { DataShape } from "../../../load/faults/batches.ts";
import { type HeldDecision, type HeldReviews, judgeReviews } from "../../../load/faults/review-judge.ts";
import {
  heldBefore,
  keyOf,
  type ReviewBatch,
  readingsOf,
  reviewBatch,
  sentValue,
} from "../../../load/faults/review-plan.ts";
import type { ReviewedBatch } from "../../../load/faults/reviewers.ts";

const shape: DataShape = { seed: 7, origin_ms: Date.UTC(2026, 10, 20) };
const BATCHES = 40;

let reviewed: ReviewedBatch[];
let decisions: Map<string, HeldDecision>;
let stored: Map<string, number>;

/** As it has to be when all its steps have been taken. */
function decide(batch: ReviewBatch, taken = batch.steps.length): ReviewedBatch {
  const job_id = crypto.randomUUID();
  const step = batch.steps[taken - 1];
  for (let i = 0; i < batch.refused; i += 1) {
    const { sensor_id, at_ms } = keyOf(shape, batch, i);
    const key = `${sensor_id} ${at_ms}`;
    const status = step?.status ?? "pending";
    decisions.set(key, { id: decisions.size + 1, job_id, sensor_id, at_ms, status, lines: taken });
    const value = step ? step.stored(sentValue(batch, i)) : heldBefore(batch, i);
    if (value !== null) stored.set(key, value);
  }
  return { batch, job_id, taken };
}

beforeEach(() => {
  decisions = new Map();
  stored = new Map();
  reviewed = Array.from({ length: BATCHES }, (_, i) => decide(reviewBatch(shape, i % 2, i >> 1)));
});

const differences = (more: Partial<HeldReviews> = {}) =>
  judgeReviews(shape, reviewed, {
    ...{ decisions: [...decisions.values()], stored, open: 0, wrong: [] },
    ...more,
  }).map(({ what }) => what);
const first = <T>(map: ReadonlyMap<string, T>): [string, T] => map.entries().next().value!;

test("what was decided is right when it is all there; batches are of every kind", () => {
  expect(differences()).toEqual([]);
  const batches = reviewed.map(({ batch }) => batch);
  const actions = new Set(batches.flatMap(({ steps }) => steps.map(({ action }) => action)));
  expect([...actions].sort()).toEqual(["approve", "fix", "reject", "reopen"]);
  for (const is of ["conflicts", "byIds"] as const)
    expect(new Set(batches.map((batch) => batch[is]))).toEqual(new Set([true, false]));
  expect(Math.max(...batches.map(({ refused }) => refused))).toBeGreaterThan(2_000);
});

test("a batch whose decisions ended early is right as far as they came", () => {
  const early = reviewBatch(shape, 0, BATCHES);
  reviewed.push(decide(early, 0));
  expect(differences()).toEqual([]);
});

test("a batch is sent with its good readings first, all of them within the job's bound", () => {
  for (const { batch } of reviewed)
    expect(readingsOf(shape, batch)).toHaveLength(batch.refused * (batch.conflicts ? 2 : 1));
});

describe("is wrong when", () => {
  test.each<[string, () => Partial<HeldReviews> | undefined, RegExp]>([
    ["a stored reading is lost", () => void stored.delete(first(stored)[0]), /is stored as null/],
    ["a stored reading has another value", () => void stored.set(first(stored)[0], 1), /is stored as 1,/],
    ["a reading is stored that was taken back", () => void stored.set("s 1", 5), /must not be: s 1/],
    [
      "a refused reading is lost",
      () => void decisions.delete(first(decisions)[0]),
      /readings are refused, not/,
    ],
    [
      "a reading has another status",
      () => void Object.assign(first(decisions)[1], { status: "unheard of" }),
      /is unheard of with/,
    ],
    [
      "a step is twice on record",
      () => void Object.assign(first(decisions)[1], { lines: 9 }),
      /with 9 lines of record/,
    ],
    ["a task is not over", () => ({ open: 1 }), /1 review tasks/],
    ["tables contradict each other", () => ({ wrong: ["a thing"] }), /a thing/],
  ])("%s", (_name, spoil, what) => {
    const found = differences(spoil() ?? {});
    expect(found.join("\n")).toMatch(what);
  });
});
