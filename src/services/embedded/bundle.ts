/** Debian packages unpacked below a folder, once: download, unpack, wrap, prove, and only then put in place. */
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { hasRoom } from "../disk-space.ts";
import type { Finding } from "../local-binaries.ts";
import { ProgramLock, waitForLock } from "../program-lock.ts";
import { diskFull, ServicesError } from "../services-error.ts";
import type { Progress, ServicesLog } from "../types.ts";
import { debianOrigin } from "./debian-origin.ts";
import { PrivateApt } from "./private-apt.ts";
import { unpackDeb } from "./unpack.ts";

/** What a bundle is made of, and how it is known to run. */
export interface BundleRecipe {
  /** Names its folder; another name makes another bundle beside it. */
  readonly name: string;
  /** What is in it, for people: "PostgreSQL 17 with TimescaleDB, and Redis". */
  readonly contents: string;
  readonly packages: readonly string[];
  /** Whether a package that apt resolved is worth its download. */
  isNeeded(packageName: string): boolean;
  /** Makes the unpacked programs run in place. @throws ServicesError `unpack` */
  wrap(root: string): void;
  /** Runs them. @throws ServicesError `unpack` when one does not run here */
  prove(root: string): Promise<void>;
  readonly roomBytes: number;
}

/** Debian release that the packages come from; the first with postgresql-*-timescaledb. */
const SUITE = "trixie";
const LOCK_DEADLINE_MS = 35 * 60_000;
const ASK_DEADLINE_MS = 20_000;

/** Whether this system can carry a bundle: Linux with apt and one of the architectures Debian builds for. */
export async function findEmbedded(): Promise<Finding<{ readonly architecture: string }>> {
  if (process.platform !== "linux") return { missing: "the embedded bundle is for Debian and Ubuntu only" };
  const tools = ["apt-get", "dpkg", "dpkg-deb", "tar"].filter((tool) => Bun.which(tool) === null);
  if (tools.length > 0) return { missing: `the embedded bundle needs ${tools.join(", ")}, not found here` };
  const asked = await runCommand(["dpkg", "--print-architecture"], { deadlineMs: ASK_DEADLINE_MS });
  const architecture = asked.stdout.trim();
  if (architecture === "amd64" || architecture === "arm64") return { found: { architecture } };
  return { missing: `the embedded bundle is not made for ${architecture || "this architecture"}` };
}

/** Where a bundle is below its folder, once it is there. */
function bundlePlace(folder: string, architecture: string, { name }: BundleRecipe): string {
  return join(folder, `${SUITE}-${architecture}-${name}`);
}

/**
 * Gives the bundle's root below `folder`, installing it when it is not there. One installs, the others wait for it.
 *
 * @throws ServicesError `download`, `unpack`, `disk-full`, `timeout`
 */
export async function ensureBundle(
  folder: string,
  architecture: string,
  recipe: BundleRecipe,
  progress: Progress,
  log: ServicesLog,
): Promise<string> {
  const place = bundlePlace(folder, architecture, recipe);
  if (existsSync(place)) return place;
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  const lock = new ProgramLock(join(folder, "install.lock"));
  try {
    await waitForLock(
      () => lock.tryExclusive(),
      LOCK_DEADLINE_MS,
      () => progress.step(`Another start of this clone is installing ${recipe.contents}; waiting for it`),
    );
    if (!existsSync(place)) await install(place, folder, architecture, recipe, progress, log);
  } finally {
    lock.close();
  }
  return place;
}

async function install(
  place: string,
  folder: string,
  architecture: string,
  recipe: BundleRecipe,
  progress: Progress,
  log: ServicesLog,
): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith("tmp-")) await rm(join(folder, name), { recursive: true, force: true });
  }
  if (!(await hasRoom(folder, recipe.roomBytes))) throw diskFull(folder);
  const work = join(folder, `tmp-${process.pid}`);
  try {
    const root = join(work, "root");
    await mkdir(root, { recursive: true });
    progress.step(`Getting ${recipe.contents} from Debian ${SUITE} (first time only)`);
    const debs = await fetchPackages(join(work, "apt"), architecture, recipe, progress, log);
    await unpackAll(debs, root, progress);
    recipe.wrap(root);
    await recipe.prove(root);
    await chmod(root, 0o755);
    await rename(root, place);
  } catch (error) {
    if (error instanceof ServicesError && !(await hasRoom(folder))) throw diskFull(folder, error);
    throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fetchPackages(
  folder: string,
  architecture: string,
  { packages, isNeeded }: BundleRecipe,
  progress: Progress,
  log: ServicesLog,
): Promise<string[]> {
  const origins = await debianOrigin(join(folder, "keyring"), architecture, SUITE);
  for (const [index, { mirror, list }] of origins.entries()) {
    const apt = new PrivateApt(join(folder, `source-${index}`), architecture);
    try {
      await apt.update({ list });
      const wanted = (await apt.resolve(packages)).filter(({ name }) => isNeeded(name));
      return await apt.download(wanted, progress);
    } catch (error) {
      if (index === origins.length - 1 || !(error instanceof ServicesError)) throw error;
      log.warn({ mirror, reason: error.message }, "this mirror cannot serve the bundle; trying Debian's own");
    }
  }
  throw new Error("debianOrigin gave no origin");
}

async function unpackAll(debs: readonly string[], root: string, progress: Progress): Promise<void> {
  for (const [index, deb] of debs.entries()) {
    progress.amount("Unpacking", index, debs.length);
    await unpackDeb(deb, root);
  }
  progress.amount("Unpacking", debs.length, debs.length);
}
