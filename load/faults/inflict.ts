/** How each kind of fault is done, how one sees that it is there, and how it ends. */
import { pollUntil } from "../../src/services/process-control.ts";
import { type Infliction, NoFaultError, pauseProcesses } from "./effect.ts";
import { inflictBySending } from "./inflict-sending.ts";
import { inflictOnServer } from "./inflict-server.ts";
import type { KindName, LinkName, ProgramName } from "./kinds.ts";
import { GRACE_MS } from "./programs.ts";
import type { ThreadFault } from "./thread-faults.ts";

const EFFECT_DEADLINE_MS = 10_000;
/** A silent thread is noticed at the next look after its heartbeat is overdue. */
const THREAD_DEADLINE_MS = 20_000;
/** How late slow data is, ms. */
const SLOWNESS_MS = { least: 20, spread: 180 };

type Inflict = (infliction: Infliction) => Promise<void>;

const THREAD_FAULTS: Partial<Record<KindName, ThreadFault>> = {
  "thread-ends": "terminate",
  "thread-throws": "throw",
  "thread-rejects": "reject",
  "thread-blocks": "block",
};

/** Resolves when the fault has been there and is over. @throws {NoFaultError} @throws {Error} of a service that fails */
export function inflict(infliction: Infliction): Promise<void> {
  const { kind } = infliction.fault;
  const thread = THREAD_FAULTS[kind];
  if (thread) return breakThread(infliction, thread);
  if (kind.endsWith("-link")) return breakLink(infliction);
  const onProgram = PROGRAM_FAULTS[kind];
  if (onProgram) return onProgram(infliction);
  return inflictBySending(infliction) ?? inflictOnServer(infliction);
}

const killUnit: Inflict = async ({ stack, fault }) => {
  await stack.units[fault.target as ProgramName].kill(fault.hold_ms);
};

/** An ordered stop: what was begun is finished, and the exit code is 0. */
const restartProgram: Inflict = async ({ stack, fault }) => {
  const unit = stack.units[fault.target as ProgramName];
  const code = await unit.end("SIGTERM", GRACE_MS * 2, fault.hold_ms);
  if (code !== 0) throw new Error(`the ordered stop of ${fault.target} ended with ${code}`);
};

const pauseProgram: Inflict = async ({ stack, fault }) => {
  const { pid } = stack.units[fault.target as ProgramName];
  if (pid === null) throw new NoFaultError(`${fault.target} does not run`);
  await pauseProcesses([pid], fault.hold_ms);
};

const PROGRAM_FAULTS: Partial<Record<KindName, Inflict>> = {
  "kill-api": killUnit,
  "kill-worker": killUnit,
  "restart-api": restartProgram,
  "restart-worker": restartProgram,
  "pause-api": pauseProgram,
  "pause-worker": pauseProgram,
};

async function breakThread({ stack, fault }: Infliction, thread: ThreadFault): Promise<void> {
  const program = stack.programs[fault.target as ProgramName];
  const seen = await program.orderThread(thread, fault.draw, fault.hold_ms, THREAD_DEADLINE_MS);
  if (seen === null) throw new NoFaultError(`no thread of ${fault.target} has ended`);
}

async function breakLink({ stack, fault }: Infliction): Promise<void> {
  const { kind, target, hold_ms, draw } = fault;
  const link = stack.links[target as LinkName];
  if (!(await pollUntil(() => link.connections() > 0, EFFECT_DEADLINE_MS)))
    throw new NoFaultError(`${target} has no connections`);
  if (kind === "cut-link") {
    link.cut();
    return;
  }
  if (kind === "refuse-link") link.refuse();
  else if (kind === "slow-link") link.slow(SLOWNESS_MS.least + Math.round(draw * SLOWNESS_MS.spread));
  else link.pause();
  await Bun.sleep(hold_ms);
  link.resume();
}
