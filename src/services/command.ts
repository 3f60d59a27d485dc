/** Short-lived child commands with a deadline, and a clean environment for the long-lived ones. */
import { spawn } from "node:child_process";
import { ServicesError } from "./services-error.ts";

export interface CommandResult {
  /** Exit code; 127 when the program could not be started at all, 128 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly deadlineMs: number;
  readonly cwd?: string;
  /** The whole environment; by default the one of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Environment of programs that must not depend on the user's settings: no PG* variables, no LD_LIBRARY_PATH
 * (the embedded bundle brings its own libc), messages in English, times in UTC.
 */
export const CLEAN_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C",
  TZ: "UTC",
  HOME: "/",
};

const MAX_KEPT_CHARS = 256 * 1024;

/**
 * Runs `argv` to its end. A non-zero exit is an answer, not an error.
 *
 * @throws ServicesError `timeout` when it is still running after `deadlineMs` (it is killed then)
 */
export function runCommand(argv: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    let stdout = "";
    let stderr = "";
    let late = false;
    child.stdout.on("data", (chunk: Buffer) => {
      stdout = (stdout + chunk.toString()).slice(-MAX_KEPT_CHARS);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-MAX_KEPT_CHARS);
    });
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, options.deadlineMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ code: 127, stdout, stderr: stderr || error.message });
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (late) reject(tooSlow(program, options.deadlineMs));
      else resolve({ code: code ?? (signal ? 128 : 1), stdout, stderr });
    });
  });
}

function tooSlow(program: string, deadlineMs: number): ServicesError {
  return new ServicesError(
    "timeout",
    `${program} did not finish within ${Math.round(deadlineMs / 1000)} s`,
    "Check the load of the machine and the network, then start again.",
  );
}
