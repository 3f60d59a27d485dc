/** What tests get when they ask for a program that a fresh machine lacks. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, ServicesError } from "../../../src/services/services-error.ts";

/** A program (or a folder of them) by its absolute path, or why this machine cannot have it. */
export type Tool = { readonly path: string } | { readonly missing: string };

/** All that tests fetch for themselves; kept between runs. */
export const TOOLS_FOLDER = new URL("../../../.data/tools", import.meta.url).pathname;
/** For so long a failure answers for later ones: without network each would wait for minutes. */
const FAILURE_HOLDS_MS = 10 * 60_000;

/**
 * Runs `get`; what it throws for the machine's sake becomes the reason why there is no tool, and is remembered for
 * ten minutes under `name`. A mistake of ours stays an error.
 */
export async function obtain(name: string, get: () => Promise<Tool>, folder = TOOLS_FOLDER): Promise<Tool> {
  const note = join(folder, `${name}.failed.json`);
  const earlier = readFailure(note);
  if (earlier !== undefined) return { missing: earlier };
  try {
    return await get();
  } catch (error) {
    if (!(error instanceof ServicesError)) throw error;
    mkdirSync(folder, { recursive: true });
    writeFileSync(note, JSON.stringify({ at: Date.now(), reason: error.message }));
    return { missing: error.message };
  }
}

function readFailure(note: string): string | undefined {
  try {
    const { at, reason } = JSON.parse(readFileSync(note, "utf8"));
    if (Date.now() - at < FAILURE_HOLDS_MS) return reason;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
  }
  rmSync(note, { force: true });
  return undefined;
}
