/** Runs one command of the test run: its output is shown as it comes and kept for reading the counts. */
import { type ChildProcess, spawn } from "node:child_process";

export interface TestProcessResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly output: string;
}

/** The longest suite writes half a million; its first failure must still be there at the end. */
const KEPT_CHARS = 8 * 1024 * 1024;
const KILL_GRACE_MS = 5_000;

/** Starts and watches the processes; `stopAll` ends those that still run. */
export class TestProcesses {
  readonly #running = new Set<ChildProcess>();

  /** @param deadlineMs after this the process is killed, which shows as a signal's end */
  run(
    argv: readonly string[],
    options: { cwd: string; env: NodeJS.ProcessEnv; deadlineMs: number; quiet?: boolean },
  ): Promise<TestProcessResult> {
    const [program = "", ...args] = argv;
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: options.cwd,
        env: options.env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      this.#running.add(child);
      let output = "";
      const take = (chunk: Buffer): void => {
        output = (output + chunk.toString()).slice(-KEPT_CHARS);
        if (!options.quiet) process.stdout.write(chunk);
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      const timer = setTimeout(() => {
        process.stdout.write(`\nStopped after ${options.deadlineMs / 60_000} minutes: ${argv.join(" ")}\n`);
        stop(child);
      }, options.deadlineMs);
      child.on("error", reject);
      child.on("close", (exitCode) => {
        clearTimeout(timer);
        this.#running.delete(child);
        resolve({ exitCode, output });
      });
    });
  }

  /** Ends what runs: SIGTERM, and SIGKILL after 5 s. */
  stopAll(): void {
    for (const child of this.#running) stop(child);
  }
}

function stop(child: ChildProcess): void {
  child.kill("SIGTERM");
  setTimeout(() => child.kill("SIGKILL"), KILL_GRACE_MS).unref();
}
