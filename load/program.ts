/** How each command of this folder begins and ends. */
import { unlessAborted } from "../src/ops/retry.ts";
import { ServicesError } from "../src/services/services-error.ts";
import { WrongDataError } from "./bench/tables.ts";
import { UsageError } from "./command-line.ts";

/** The work's outcome. @throws {UsageError} as soon as the run is interrupted, so that what was started is stopped */
export async function untilStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  const outcome = await unlessAborted(work, stop);
  stop.throwIfAborted();
  return outcome as T;
}

/**
 * Run and end the process. The first SIGINT or SIGTERM fires `stop`, with a UsageError as its reason.
 * @param main resolves to the exit code: 1 where what was measured is not as it should be
 */
export async function runProgram(main: (stop: AbortSignal) => Promise<number>): Promise<never> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stop.abort(new UsageError(`interrupted by ${signal}`)));
  let code: number;
  try {
    code = await main(stop.signal);
  } catch (error) {
    if (error instanceof UsageError || error instanceof WrongDataError) console.error(error.message);
    else if (error instanceof ServicesError) console.error(`${error.message}\n${error.remedy}`);
    else console.error(error);
    // 1 says that data was wrong; 2 that the command could not be run to its end.
    code = error instanceof WrongDataError ? 1 : 2;
  }
  // Timers and connections of an interrupted run must not keep the process.
  process.exit(code);
}
