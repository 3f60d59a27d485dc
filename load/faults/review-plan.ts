/**
 * What reviewers decide during a run, made from the seed: batch `n` of a lane is of sensors and times of its own, all
 * that is to be decided about is refused for one reason, and the steps say what must be stored of it in the end.
 */
import type { Correction } from "../../src/contract/correction.ts";
import { uuidV5 } from "../../src/contract/name-uuid.ts";
import type { ReviewAction } from "../../src/contract/review.ts";
import type { ReviewStatus } from "../../src/contract/review-status.ts";
import { Chance } from "../../src/feed/simulate/chance.ts";
import { type DataShape, windowStart } from "./batches.ts";

/** Of its own: what producers send is not decided on, so that their oracle needs to know nothing of reviews. */
export const REVIEW_SYSTEM_ID = "1c1f3f0e-5a0c-4b8e-9c40-6e2f0a3d7b92";
export const REVIEW_LANES = 2;

/** One decision about all refused readings of a batch. */
export interface Step {
  readonly action: ReviewAction;
  readonly change?: Correction;
  readonly conflict?: "replace";
  /** Of each reading when it has been taken. */
  readonly status: ReviewStatus;
  /** What is stored then of a reading that was sent with a value; null: nothing. */
  readonly stored: (sent: number) => number | null;
}

export interface ReviewBatch {
  readonly lane: number;
  readonly n: number;
  readonly key: string;
  /** Good readings of the same keys that come first; none: the values are out of range. */
  readonly conflicts: boolean;
  readonly refused: number;
  /** Whether the decisions name ids; else a task takes what the job has refused. */
  readonly byIds: boolean;
  readonly steps: readonly Step[];
}

const SENSORS = 3;
const UNIT = "rpm";
const QUALITY = 90;
/** rpm end at 6,000. */
const HIGH = 7_000;
const [GOOD, OTHER] = [1_000, 2_000];
const HALF = 0.5;

const same = (sent: number) => sent;
const none = () => null;
const approve: Step = { action: "approve", status: "approved", stored: same };
const fix: Step = {
  action: "fix",
  change: { scale: HALF },
  status: "fixed",
  stored: (sent) => sent * HALF,
};
const reject: Step = { action: "reject", status: "rejected", stored: none };
const reopen: Step = { action: "reopen", status: "pending", stored: none };
const replace: Step = { ...approve, conflict: "replace" };
/** The value that was replaced is back. */
const restore: Step = { ...reopen, stored: (sent) => sent - OTHER + GOOD };

const PLANS: readonly (readonly Step[])[] = [
  [approve],
  [fix],
  [reject],
  [approve, reopen],
  [fix, reopen, approve],
  [reject, reopen, fix],
];
const CONFLICT_PLANS: readonly (readonly Step[])[] = [
  [replace],
  [replace, restore],
  [replace, restore, replace],
];
const SIZE = { least: 5, spread: 40 };
/** Of so many batches one takes several portions. */
const LARGE_EACH = 12;
const LARGE = 2_300;

const reviewSensor = ({ seed }: DataShape, lane: number, sensor: number) =>
  uuidV5(REVIEW_SYSTEM_ID, `${seed} ${lane} ${sensor}`);

export function reviewBatch(shape: DataShape, lane: number, n: number): ReviewBatch {
  const chance = new Chance(shape.seed, `review ${lane} ${n}`);
  const large = n % LARGE_EACH === LARGE_EACH - 1;
  const conflicts = chance.uniform() < 0.3;
  return {
    ...{ lane, n, conflicts },
    key: `review-${shape.seed}-${shape.origin_ms}-${lane}-${n}`,
    refused: large ? LARGE : SIZE.least + chance.below(SIZE.spread),
    byIds: !large && chance.uniform() < 0.5,
    steps: chance.pick(conflicts ? CONFLICT_PLANS : PLANS),
  };
}

/** The refused reading `i` of a batch; its value when it was sent. */
export const sentValue = ({ conflicts }: ReviewBatch, i: number) => (conflicts ? OTHER : HIGH) + i / 4;

/** Sensor and time of reading `i`, ms since the epoch. */
export const keyOf = (shape: DataShape, { lane, n }: ReviewBatch, i: number) => ({
  sensor_id: reviewSensor(shape, lane, i % SENSORS),
  at_ms: windowStart(shape, n) + i,
});

/** What holds the key of reading `i` when nothing of the batch is decided. */
export const heldBefore = ({ conflicts }: ReviewBatch, i: number) => (conflicts ? GOOD + i / 4 : null);

/** As it is sent: first the good readings, then those that are refused. */
export function readingsOf(shape: DataShape, batch: ReviewBatch): object[] {
  const all = Array.from({ length: batch.refused }, (_, i) => i);
  const reading = (i: number, value: number) => {
    const { sensor_id, at_ms } = keyOf(shape, batch, i);
    return { sensor_id, timestamp: new Date(at_ms).toISOString(), value, unit: UNIT, quality: QUALITY };
  };
  const good = batch.conflicts ? all.map((i) => reading(i, heldBefore(batch, i)!)) : [];
  return [...good, ...all.map((i) => reading(i, sentValue(batch, i)))];
}
