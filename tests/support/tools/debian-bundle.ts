/** Bundles of Debian's packages for tests: without root, below .data/tools, kept between runs. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { CLEAN_ENV, runCommand } from "../../../src/services/command.ts";
import { type BundleRecipe, ensureBundle, findEmbedded } from "../../../src/services/embedded/bundle.ts";
import { ServicesError } from "../../../src/services/services-error.ts";
import { obtain, TOOLS_FOLDER, type Tool } from "./obtain.ts";

export type { BundleRecipe };

const PROVE_DEADLINE_MS = 20_000;
const QUIET_LOG = { info: () => undefined, warn: () => undefined };

/** The name of a bundle: what it is made of is hashed into it, so another list makes another bundle. */
export function bundleName(kind: string, madeOf: unknown): string {
  return `${kind}-${Bun.hash.crc32(JSON.stringify(madeOf)).toString(16)}`;
}

/**
 * The folder of a bundle, which the first who asks installs and later runs find; older ones of its kind are removed.
 * Never throws for what a machine lacks: the reason is in `missing`.
 */
export function debianBundle(recipe: BundleRecipe): Promise<Tool> {
  return obtain(recipe.name, () => install(recipe));
}

async function install(recipe: BundleRecipe): Promise<Tool> {
  const embedded = await findEmbedded();
  if ("missing" in embedded) return { missing: "it is not on PATH, and Debian's packages need apt and dpkg" };
  mkdirSync(TOOLS_FOLDER, { recursive: true });
  const progress = { step: (text: string) => console.log(text), amount: () => undefined };
  const place = await ensureBundle(TOOLS_FOLDER, embedded.found.architecture, recipe, progress, QUIET_LOG);
  const kind = recipe.name.replace(/[0-9a-f]+$/, "");
  for (const name of readdirSync(TOOLS_FOLDER)) {
    const isOlder = name.includes(`-${kind}`) && name !== basename(place);
    if (isOlder) rmSync(join(TOOLS_FOLDER, name), { recursive: true, force: true });
  }
  return { path: place };
}

/** Runs the program at `path` below `root`. @throws ServicesError `unpack` when it does not run here */
export async function proveProgram(root: string, path: string, ...args: string[]): Promise<void> {
  const argv = [join(root, path), ...args];
  const { code, stderr } = await runCommand(argv, { deadlineMs: PROVE_DEADLINE_MS, env: CLEAN_ENV });
  if (code !== 0) throw new ServicesError("unpack", `${path} does not run here: ${stderr.trim()}`, "");
}
