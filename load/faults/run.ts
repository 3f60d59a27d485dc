/** A run: rounds of faults under load, a recovery after each, and the judgement at the end. */
import { join } from "node:path";
import { mirrorKey, streamKey } from "../../src/stream/keys.ts";
import type { DataShape } from "./batches.ts";
import { drained, type Recovery, recovery } from "./health.ts";
import { heldIn } from "./held.ts";
import { inflict } from "./inflict.ts";
import { APIS, DISK_KINDS } from "./kinds.ts";
import { lossesTold } from "./losses.ts";
import { judge, type Verdict } from "./oracle.ts";
import { Producers } from "./producers.ts";
import { environmentOf, PARTITIONS } from "./programs.ts";
import { heldReviews, judgeReviews } from "./review-judge.ts";
import { Reviewers } from "./reviewers.ts";
import { describeFault, type PlannedFault, type Round } from "./schedule.ts";
import { SendLog } from "./send-log.ts";
import { Sendings } from "./sendings.ts";
import type { Stack } from "./stack.ts";
import type { OwnEnd } from "./supervised.ts";
import { Timeline } from "./timeline.ts";

export interface RunPlan {
  readonly shape: DataShape;
  readonly rounds: readonly Round[];
  readonly bound_ms: number;
  /** For the log of what was accepted. */
  readonly folder: string;
  /** Why disks cannot be filled here; null: they can. */
  readonly no_disks: string | null;
}

/** What a run saw; a failure before its end is `failure`. */
export interface RunResult {
  readonly timeline: Timeline;
  readonly verdict: Verdict | null;
  readonly failure: string | null;
  readonly sends: SendLog["counts"];
  readonly statuses: Readonly<Record<string, number>>;
  readonly reviews: ReviewCounts;
  readonly own_ends: readonly OwnEnd[];
  readonly failed_starts: number;
  readonly verify: string;
  readonly elapsed_s: number;
}

/** What reviewers did. */
export interface ReviewCounts {
  readonly batches: number;
  readonly readings: number;
  /** Taken within a request. */
  readonly decisions: number;
  /** Taken by a worker. */
  readonly tasks: number;
  /** Of these, asked for again because there was no clear answer. */
  readonly again: number;
}

const DRAIN_MS = 90_000;
const VERIFY_DEADLINE_MS = 120_000;
const TELL_EVERY = 10;
/** Share of the bound from which on a recovery is worth a line. */
const TELL_FROM = 0.25;

/** @param tell lines for people */
export async function run(
  stack: Stack,
  plan: RunPlan,
  tell: (line: string) => void,
  stop: AbortSignal,
): Promise<RunResult> {
  const begin = performance.now();
  const log = new SendLog(join(plan.folder, "accepted.log"));
  const timeline = new Timeline();
  let verdict: Verdict | null = null;
  let verify = "not asked";
  let failure: string | null = null;
  let reviews: ReviewCounts = { batches: 0, readings: 0, decisions: 0, tasks: 0, again: 0 };
  try {
    const reviewers = await underLoad(stack, plan, log, timeline, tell, stop);
    reviews = countsOf(reviewers);
    tell("looking for every accepted reading");
    const { sql } = stack.postgres;
    const judged = await judge(plan.shape, log.batches(), await heldIn(sql, stack.redis.redis));
    const wrong = judgeReviews(plan.shape, reviewers.batches, await heldReviews(sql));
    verdict = { ...judged, differences: [...judged.differences, ...wrong] };
    verify = await verified(stack);
    failure =
      endsOfThemselves(stack) ??
      (await wrongLosses(plan.folder)) ??
      (verify === "clean" ? null : `hydraulic verify: ${verify}`);
  } catch (error) {
    stop.throwIfAborted();
    failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } finally {
    log.close();
  }
  const units = Object.values(stack.units);
  return {
    ...{ timeline, verdict, failure, verify },
    sends: log.counts,
    statuses: log.statuses,
    reviews,
    own_ends: units.flatMap(({ ownEnds }) => ownEnds),
    failed_starts: units.reduce((sum, { failedStarts }) => sum + failedStarts, 0),
    elapsed_s: Math.round((performance.now() - begin) / 1_000),
  };
}

const countsOf = ({ batches, counts }: Reviewers): ReviewCounts => ({
  batches: batches.length,
  readings: batches.reduce((sum, { batch }) => sum + batch.refused, 0),
  ...counts,
});

async function underLoad(
  stack: Stack,
  plan: RunPlan,
  log: SendLog,
  timeline: Timeline,
  tell: (line: string) => void,
  stop: AbortSignal,
): Promise<Reviewers> {
  const ports = Object.fromEntries(APIS.map((api) => [api, stack.links[`clients>${api}`].port]));
  const { shape, rounds, bound_ms } = plan;
  const to = ports as Record<(typeof APIS)[number], number>;
  const producers = new Producers(shape, to, stack.token, log);
  const reviewers = new Reviewers(shape, to, { producer: stack.token, reviewer: stack.reviewer });
  const sendings = new Sendings({ shape, ports: to, token: stack.token, log });
  try {
    await recovery(stack, producers, bound_ms);
    for (const [i, round] of rounds.entries()) {
      stop.throwIfAborted();
      const doable = round.filter((fault) => plan.no_disks === null || !DISK_KINDS.includes(fault.kind));
      for (const fault of round) if (!doable.includes(fault)) timeline.notDone(fault);
      await together(doable, (fault) => timeline.during(fault, () => inflict({ stack, fault, sendings })));
      const recovered = await recovery(stack, producers, bound_ms);
      if (reviewers.failure) throw reviewers.failure;
      timeline.recovered(doable, recovered);
      if (recovered.took_ms > bound_ms * TELL_FROM) tell(slowness(recovered, doable));
      if ((i + 1) % TELL_EVERY === 0 || i + 1 === rounds.length) tell(timeline.progress(log.counts.accepted));
    }
  } finally {
    // Also after a failure: what was begun has its end in the log.
    const ended = await Promise.allSettled([producers.stop(), reviewers.stop()]);
    const failed = ended.find((one) => one.status === "rejected");
    if (failed) {
      tell((failed.reason as Error).message);
      // biome-ignore lint/correctness/noUnsafeFinally: it comes first, what failed before is its consequence
      throw failed.reason;
    }
  }
  const all = Array.from({ length: PARTITIONS }, (_, p) => [streamKey(p), mirrorKey(p)]).flat();
  await drained(stack, all, DRAIN_MS);
  return reviewers;
}

function slowness({ took_ms, last }: Recovery, round: Round): string {
  const faults = round.map(describeFault).join("; ");
  return `slow, ${Math.round(took_ms)} ms until ${new Date().toISOString()}: waited for ${last.join("; ")}, after ${faults}`;
}

/** Each at its time. All are heard to their end before the first failure is thrown. */
async function together(round: Round, each: (fault: PlannedFault) => Promise<void>): Promise<void> {
  const ended = await Promise.allSettled(
    round.map(async (fault) => {
      await Bun.sleep(fault.at_ms);
      try {
        await each(fault);
      } catch (error) {
        throw new Error(`${describeFault(fault)}: ${(error as Error).message}`, { cause: error });
      }
    }),
  );
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
}

/** Only a program that had been ready: one that cannot start while its servers are away is started again. */
function endsOfThemselves(stack: Stack): string | null {
  const ends = Object.entries(stack.units)
    .filter(([name]) => name !== "redis" && name !== "postgres")
    .flatMap(([, { ownEnds }]) => ownEnds);
  if (ends.length === 0) return null;
  const list = ends.map(
    ({ name, at_ms, code }) => `${name} with ${code} at ${new Date(at_ms).toISOString()}`,
  );
  return `programs ended although nobody ended them: ${list.join(", ")}`;
}

/** @returns null when no job was told to be lost */
async function wrongLosses(folder: string): Promise<string | null> {
  const told = await lossesTold(folder);
  return told === 0 ? null : `jobs were told to be lost that were not: ${told} times`;
}

/** `hydraulic verify` as an operator runs it. @returns "clean", or what it says */
async function verified({ postgres, redis }: Stack): Promise<string> {
  const child = Bun.spawn([process.execPath, "src/main.ts", "verify"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: environmentOf(postgres.url, redis.url),
  });
  const late = setTimeout(() => child.kill("SIGKILL"), VERIFY_DEADLINE_MS);
  const [out] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  clearTimeout(late);
  return child.exitCode === 0 ? "clean" : out.trim() || `ended with ${child.exitCode ?? child.signalCode}`;
}
