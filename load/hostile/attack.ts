/** Sends the cases of a run over many connections and judges each answer. */
import type { HostileCase } from "./case.ts";
import type { Ground } from "./ground.ts";
import { caseOf, slowCaseOf } from "./mix.ts";
import { type Outcome, Wire } from "./wire.ts";

const LANES = 24;
/** Slow connections that are open at once: many times the bodies of full size that may be. */
const SLOW_LANES = 250;
/** One request in so many is slow. */
const SLOW_EVERY = 100;
/** Longer than the service takes for a body that does not come, and than Bun takes for a head, ms. */
const ANSWER_DEADLINE_MS = 20_000;
/** Told with the result; the rest is counted. */
const MAX_FAULTS = 50;
const SLOWEST = 10;

export type FaultKind = "5xx" | "accepted" | "no answer";

export interface Fault {
  readonly what: FaultKind;
  /** `hostile 17`: with the seed, enough to make it again. */
  readonly name: string;
  readonly kind: string;
  readonly shape: string;
  readonly operation: string | null;
  readonly statuses: readonly number[];
  /** The case that had the same connection before; null: none. */
  readonly behind: string | null;
}

export interface Slowness {
  readonly what: string;
  readonly n: number;
  readonly mean_ms: number;
}

export interface AttackResult {
  /** Requests that were sent; those that are sent behind one another count each. */
  readonly requests: number;
  readonly seconds: number;
  readonly kinds: Readonly<Record<string, number>>;
  /** Final answers by status; 0: a connection that was closed without one. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Operations of the document by the requests that were meant for them. */
  readonly operations: Readonly<Record<string, number>>;
  /** Kinds and shapes whose answers took longest, slow senders aside. */
  readonly slowest: readonly Slowness[];
  readonly faults: number;
  readonly told: readonly Fault[];
}

export interface Attack {
  readonly port: number;
  readonly ground: Ground;
  readonly seed: number;
  readonly count: number;
}

class Tally {
  requests = 0;
  readonly kinds: Record<string, number> = {};
  readonly statuses: Record<string, number> = {};
  readonly operations: Record<string, number> = {};
  faults = 0;
  readonly told: Fault[] = [];
  readonly #took = new Map<string, { n: number; ms: number }>();

  get slowest(): Slowness[] {
    return [...this.#took]
      .map(([what, { n, ms }]) => ({ what, n, mean_ms: Math.round(ms / n) }))
      .sort((a, b) => b.mean_ms - a.mean_ms)
      .slice(0, SLOWEST);
  }

  add(name: string, one: HostileCase, outcome: Outcome, behind: string | null = null): void {
    this.requests += one.answers;
    count(this.kinds, one.kind, one.answers);
    if (one.operation !== null) count(this.operations, one.operation, one.answers);
    for (const status of outcome.statuses.length === 0 ? [0] : outcome.statuses)
      count(this.statuses, status, 1);
    if (one.kind !== "slow") {
      const took = this.#took.get(`${one.kind}: ${one.shape}`) ?? { n: 0, ms: 0 };
      this.#took.set(`${one.kind}: ${one.shape}`, { n: took.n + 1, ms: took.ms + outcome.took_ms });
    }
    const what = faultOf(one, outcome);
    if (what === null) return;
    this.faults += 1;
    const { kind, shape, operation } = one;
    if (this.told.length < MAX_FAULTS)
      this.told.push({ what, name, kind, shape, operation, statuses: outcome.statuses, behind });
  }
}

function count(counts: Record<string, number>, key: string | number, n: number): void {
  counts[key] = (counts[key] ?? 0) + n;
}

/** What Bun says to a first line whose version it does not know (RFC 9110 section 15.6.6): of the request, not of the service. */
const WRONG_VERSION = 505;

/** What is wrong with an outcome; null: nothing. */
export function faultOf(
  one: Pick<HostileCase, "expect" | "end">,
  { statuses, hung }: Outcome,
): FaultKind | null {
  if (statuses.some((status) => !(status < 500 || status === WRONG_VERSION))) return "5xx";
  if (one.expect === "refused" && statuses.some((status) => status < 400)) return "accepted";
  return hung ? "no answer" : null;
}

/** Slow ones run beside the others all the time. */
export async function attack({ port, ground, seed, count }: Attack): Promise<AttackResult> {
  const tally = new Tally();
  const begin = performance.now();
  const slow = Math.floor(count / SLOW_EVERY);
  let [next, nextSlow] = [0, 0];
  const lane = async () => {
    let wire: Wire | null = null;
    let behind: string | null = null;
    while (tally.requests + (slow - nextSlow) < count) {
      const n = next++;
      const one = caseOf(ground, seed, n);
      if (!one.shares || wire?.isClosed) wire = abandoned(wire);
      if (wire === null) behind = null;
      const used: Wire = wire ?? (await Wire.open(port));
      tally.add(`hostile ${n}`, one, await used.run(one, ANSWER_DEADLINE_MS), behind);
      behind = `hostile ${n}`;
      wire = one.shares && !used.isClosed ? used : abandoned(used);
    }
    abandoned(wire);
  };
  const slowLane = async () => {
    while (nextSlow < slow) {
      const n = nextSlow++;
      const one = slowCaseOf(ground, seed, n);
      const wire = await Wire.open(port);
      tally.add(`slow ${n}`, one, await wire.run(one, ANSWER_DEADLINE_MS));
      abandoned(wire);
    }
  };
  const lanes = Array.from({ length: LANES }, lane);
  await Promise.all([...lanes, ...Array.from({ length: SLOW_LANES }, slowLane)]);
  const { requests, kinds, statuses, operations, slowest, faults, told } = tally;
  const seconds = Math.round(performance.now() - begin) / 1000;
  return { requests, seconds, kinds, statuses, operations, slowest, faults, told };
}

function abandoned(wire: Wire | null): null {
  wire?.abort();
  return null;
}
