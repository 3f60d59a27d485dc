/** What all faults share: on whom they are inflicted, and how one sees that they are there. */
import { readFileSync } from "node:fs";
import { isAlive, pollUntil } from "../../src/services/process-control.ts";
import { errnoOf } from "../../src/services/services-error.ts";
import type { PlannedFault } from "./schedule.ts";
import type { Sendings } from "./sendings.ts";
import type { Stack } from "./stack.ts";

const EFFECT_DEADLINE_MS = 10_000;

/** A fault that did not come about: what is told of it would be worth nothing. */
export class NoFaultError extends Error {
  override readonly name = "NoFaultError";
}

/** A fault, and what it is inflicted on. */
export interface Infliction {
  readonly stack: Stack;
  readonly fault: PlannedFault;
  readonly sendings: Sendings;
}

/** All of them stand still for a while. @throws {NoFaultError} when one goes on */
export async function pauseProcesses(pids: readonly number[], hold_ms: number): Promise<void> {
  const living = pids.filter(isAlive);
  try {
    for (const pid of living) signal(pid, "SIGSTOP");
    const stopped = await pollUntil(() => living.every(isStopped), EFFECT_DEADLINE_MS);
    if (living.length === 0 || !stopped) throw new NoFaultError("the processes do not stand still");
    await Bun.sleep(hold_ms);
  } finally {
    for (const pid of living) signal(pid, "SIGCONT");
  }
}

/** False when there is no such process any more: it may end between a look and the blow. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
    throw error;
  }
}

/** By SIGSTOP (proc(5), state T), or gone. */
function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return "TZX".includes(stat.charAt(stat.lastIndexOf(")") + 2));
  } catch {
    return true;
  }
}
