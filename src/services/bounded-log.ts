/** Log files of the private instances: kept below a size without the writer's help. */
import { statSync, truncateSync } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { errnoOf } from "./services-error.ts";

const MAX_BYTES = 8 * 1024 * 1024;
const TAIL_LINES = 6;
const TRIM_EVERY_MS = 60_000;

/**
 * Cuts each log that has grown beyond 8 MB, keeping one older copy beside it (`.1`). The writers append
 * (O_APPEND), so they go on at the new end.
 */
export async function trimLogs(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (sizeOf(path) <= MAX_BYTES) continue;
    await copyFile(path, `${path}.1`);
    truncateSync(path, 0);
  }
}

/**
 * Trims now and then while the program lives; gives the function that ends it. Does not hold the process.
 *
 * @param failed told of a trim that did not work (such as a full disk); the next one is tried all the same
 */
export function keepTrimmed(paths: readonly string[], failed: (error: unknown) => void): () => void {
  const timer = setInterval(() => void trimLogs(paths).catch(failed), TRIM_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The last lines of a log, for an error message; says so when there are none. */
export async function logTail(path: string, from = 0): Promise<string> {
  if (sizeOf(path) === 0) return "(no output)";
  const text = (await readFile(path)).subarray(from).toString();
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.length === 0 ? "(no output)" : lines.slice(-TAIL_LINES).join("\n");
}

/** Size in bytes, 0 when the file does not exist. */
export function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return 0;
    throw error;
  }
}
