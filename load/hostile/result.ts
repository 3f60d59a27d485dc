/** One hostile run, for people and for the record. */
import type { Machine } from "../bench/machine.ts";
import type { Bound } from "../run/judge.ts";
import type { AttackResult } from "./attack.ts";
import type { Burden } from "./burden.ts";
import type { Complaints } from "./complaints.ts";
import type { Speed } from "./honest.ts";
import type { OddResult } from "./odd.ts";
import type { PacedResult } from "./paced.ts";

export interface Measures {
  /** Before the attack, and after it when the service is at rest again. */
  readonly speed: readonly [Speed, Speed];
  /** null: there is no /proc. */
  readonly burden: readonly [Burden, Burden] | null;
}

export interface HostileResult extends Measures {
  readonly date: string;
  readonly seed: number;
  readonly count: number;
  readonly machine: Machine;
  readonly attack: AttackResult;
  readonly honest: PacedResult;
  readonly odd: OddResult;
  /** What is kept and was not before; for people. */
  readonly left: readonly string[];
  readonly complaints: Complaints;
  readonly routes: number;
  readonly bounds: readonly Bound[];
}

/** Speeds of one machine differ by this much from minute to minute, with others on it. */
const LEAST_SPEED = 0.85;
const MOST_P95 = 1.5;
/** Below it, p95 is the machine's own noise, ms. */
const NOISE_MS = 5;
const MOST_MEMORY = 1.5;
/** Connections of pools come and go. */
const MORE_DESCRIPTORS = 8;
/** Bun's pool starts some when it needs them, and keeps them. */
const MORE_THREADS = 4;

type Judged = Omit<HostileResult, "bounds">;

/** @param comparesSpeed false: the run was too short for that */
export function judgeRun(result: Judged, comparesSpeed: boolean): Bound[] {
  const { attack, complaints, honest, left, routes } = result;
  const reached = Object.keys(attack.operations).length;
  const refused = Object.entries(honest.not_accepted).map(([status, n]) => `${n} ${status}`);
  const faults = attack.told.slice(0, 3).map(({ what, name, shape }) => `${name} (${shape}): ${what}`);
  return [
    {
      rule: "no answer is 5xx, nothing is accepted, nothing hangs",
      found: attack.faults === 0 ? `${attack.requests} requests` : `${attack.faults}: ${faults.join("; ")}`,
      ok: attack.faults === 0,
    },
    {
      rule: "the service has no error to tell of",
      found: `${complaints.server_errors} answers with 5xx by its own count, ${complaints.log_errors} errors in its log`,
      ok: complaints.server_errors === 0 && complaints.log_errors === 0,
    },
    {
      rule: "nothing is stored",
      found: left.length === 0 ? "nothing" : left.join("; "),
      ok: left.length === 0,
    },
    {
      rule: "every operation of the document is reached",
      found: `${reached} of ${routes}`,
      ok: attack.requests < routes * ENOUGH_EACH ? null : reached === routes,
    },
    {
      rule: "each honest batch is accepted meanwhile",
      found: refused.length === 0 ? `${honest.sent}, p95 ${honest.accept.p95} ms` : refused.join(", "),
      ok: refused.length === 0,
    },
    ...(comparesSpeed ? speedBounds(result) : []),
    ...burdenBounds(result),
  ];
}

/** With fewer requests than so many an operation, chance leaves some out. */
const ENOUGH_EACH = 60;

const MOST_CPU = 1.2;
/** More than so many processes wanted to run before: others have the machine too (`Machine.load_before`). */
const QUIET_LOAD = 0.5;

/** Whether a service is as fast as it was before. */
export const isUnharmed = (before: Speed, after: Speed) =>
  isAsFast(before, after) && isAsPrompt(before, after);
const isAsFast = (before: Speed, after: Speed) => after.rows_per_s >= LEAST_SPEED * before.rows_per_s;
const isAsPrompt = (before: Speed, after: Speed) =>
  after.accept.p95 <= before.accept.p95 * MOST_P95 + NOISE_MS;

function speedBounds({ speed: [before, after], machine }: Judged): Bound[] {
  const share = after.rows_per_s / before.rows_per_s;
  const isQuiet = machine.load_before <= QUIET_LOAD;
  const note = isQuiet ? "" : `; others were on the machine, load ${machine.load_before}`;
  const [cpu, cpuAfter] = [before.cpu_us, after.cpu_us];
  return [
    {
      rule: `processor time of a reading afterwards <= ${MOST_CPU} of before`,
      found:
        cpu === null || cpuAfter === null
          ? "there is no /proc here"
          : `${cpu.toFixed(2)} and ${cpuAfter.toFixed(2)} µs`,
      ok: cpu === null || cpuAfter === null ? null : cpuAfter <= cpu * MOST_CPU,
    },
    {
      rule: `readings/s afterwards >= ${LEAST_SPEED} of before`,
      found: `${share.toFixed(2)}: ${before.rows_per_s} and ${after.rows_per_s}${note}`,
      ok: isAsFast(before, after) || (isQuiet ? false : null),
    },
    {
      rule: `accept p95 afterwards <= ${MOST_P95} of before`,
      found: `${before.accept.p95} and ${after.accept.p95} ms${note}`,
      ok: isAsPrompt(before, after) || (isQuiet ? false : null),
    },
  ];
}

const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

function burdenBounds({ burden }: Judged): Bound[] {
  if (burden === null)
    return [{ rule: "memory, descriptors and threads", found: "there is no /proc here", ok: null }];
  const [before, after] = burden;
  return [
    {
      rule: `memory afterwards <= ${MOST_MEMORY} of before`,
      found: `${mib(before.rss_bytes)} and ${mib(after.rss_bytes)}`,
      ok: after.rss_bytes <= before.rss_bytes * MOST_MEMORY,
    },
    {
      rule: "descriptors and threads are given back",
      found: `${before.descriptors} and ${after.descriptors}; ${before.threads} and ${after.threads}`,
      ok:
        after.descriptors <= before.descriptors + MORE_DESCRIPTORS &&
        after.threads <= before.threads + MORE_THREADS,
    },
  ];
}

export const passed = ({ bounds }: Pick<HostileResult, "bounds">) => bounds.every(({ ok }) => ok !== false);
