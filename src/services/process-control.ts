/** Processes that outlive us: started in their own session, recognised by command line, stopped by pid. */
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { runCommand } from "./command.ts";
import { errnoOf } from "./services-error.ts";

const POLL_MS = 15;

/** A started service process. `exited` settles only while this program lives. */
export interface ServiceProcess {
  readonly pid: number;
  /** Resolves with the exit code (null when a signal ended it). */
  readonly exited: Promise<number | null>;
}

/**
 * Starts `argv` in a session of its own, so that Ctrl-C at the terminal does not reach it; its output is
 * appended to `logPath`. It goes on when this program dies.
 *
 * @throws Error with an errno code when the log file or the program cannot be opened
 */
export async function startDetached(
  argv: readonly string[],
  options: { readonly logPath: string; readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<ServiceProcess> {
  const [program = "", ...args] = argv;
  const log = openSync(options.logPath, "a", 0o600);
  try {
    const child = spawn(program, args, {
      detached: true,
      stdio: ["ignore", log, log],
      cwd: options.cwd,
      env: options.env,
    });
    const exited = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
    await new Promise<void>((resolve, reject) => {
      child.on("spawn", () => resolve());
      child.on("error", reject);
    });
    child.unref();
    return { pid: child.pid ?? 0, exited };
  } finally {
    closeSync(log);
  }
}

/** True while `pid` runs. A zombie counts as gone: in containers nobody may ever reap it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
  if (process.platform !== "linux") return true;
  try {
    // proc(5): the state letter follows the command name, which is in parentheses and may contain any byte.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.charAt(stat.lastIndexOf(")") + 2) !== "Z";
  } catch {
    return false; // gone between the two looks
  }
}

/** Command line of `pid` with blanks between the arguments; empty when it is gone. */
export async function commandLine(pid: number): Promise<string> {
  if (process.platform === "linux") {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    } catch {
      return ""; // gone
    }
  }
  const ps = await runCommand(["ps", "-ww", "-o", "args=", "-p", String(pid)], { deadlineMs: 5_000 });
  return ps.stdout.trim();
}

/** Polls `check` until it gives true; false when `deadlineMs` has passed. */
export async function pollUntil(
  check: () => boolean | Promise<boolean>,
  deadlineMs: number,
): Promise<boolean> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    if (await check()) return true;
    if (performance.now() >= end) return false;
    await Bun.sleep(POLL_MS);
  }
}

/** One signal and how long it gets to take effect, in ms. */
export interface StopStep {
  readonly signal: NodeJS.Signals;
  readonly graceMs: number;
}

/** Sends the signals of `steps` one after another until `pid` is gone. True when it is gone. */
export async function stopProcess(pid: number, steps: readonly StopStep[]): Promise<boolean> {
  for (const { signal, graceMs } of steps) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (errnoOf(error) === "ESRCH") return true;
      throw error;
    }
    if (await pollUntil(() => !isAlive(pid), graceMs)) return true;
  }
  return !isAlive(pid);
}
