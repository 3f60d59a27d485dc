/** Gets the embedded bundle once per clone: download, unpack, wrap, prove, and only then put in place. */
import { existsSync, globSync } from "node:fs";
import { chmod, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { CLEAN_ENV, runCommand } from "../command.ts";
import { hasRoom } from "../disk-space.ts";
import type { Finding } from "../local-binaries.ts";
import { ProgramLock, waitForLock } from "../program-lock.ts";
import { diskFull, ServicesError } from "../services-error.ts";
import type { Progress, ServicesLog } from "../types.ts";
import { debianOrigin } from "./debian-origin.ts";
import { PrivateApt } from "./private-apt.ts";
import { isNeeded, unpackDeb, wrapPrograms } from "./unpack.ts";

/** Programs of an installed bundle. */
export interface EmbeddedRuntime {
  readonly postgresBinDir: string;
  readonly redisServer: string;
}

/** Debian release that the packages come from; the first with postgresql-*-timescaledb. */
export const SUITE = "trixie";
export const POSTGRES_MAJOR = 17;
const PACKAGES = [`postgresql-${POSTGRES_MAJOR}-timescaledb`, "redis-server", "tzdata"];
/** Raise it when the recipe changes, so that bundles made by an older one are replaced. */
const RECIPE = 1;
const ROOM_BYTES = 500 * 1024 * 1024;
const LOCK_DEADLINE_MS = 35 * 60_000;
const PROVE_DEADLINE_MS = 20_000;

/** Whether this system can carry the bundle: Linux with apt and one of the architectures Debian builds for. */
export async function findEmbedded(): Promise<Finding<{ readonly architecture: string }>> {
  if (process.platform !== "linux") return { missing: "the embedded bundle is for Debian and Ubuntu only" };
  const tools = ["apt-get", "dpkg", "dpkg-deb", "tar"].filter((tool) => Bun.which(tool) === null);
  if (tools.length > 0) return { missing: `the embedded bundle needs ${tools.join(", ")}, not found here` };
  const asked = await runCommand(["dpkg", "--print-architecture"], { deadlineMs: PROVE_DEADLINE_MS });
  const architecture = asked.stdout.trim();
  if (architecture === "amd64" || architecture === "arm64") return { found: { architecture } };
  return { missing: `the embedded bundle is not made for ${architecture || "this architecture"}` };
}

/**
 * Gives the bundle below `runtimeDir`, installing it when it is not there.
 *
 * @throws ServicesError `download`, `unpack`, `disk-full`, `timeout`
 */
export async function ensureRuntime(
  runtimeDir: string,
  architecture: string,
  progress: Progress,
  log: ServicesLog,
): Promise<EmbeddedRuntime> {
  const place = join(runtimeDir, `${SUITE}-${architecture}-${RECIPE}`);
  if (!existsSync(place)) {
    await mkdir(runtimeDir, { recursive: true });
    await chmod(runtimeDir, 0o755);
    const lock = new ProgramLock(join(runtimeDir, "install.lock"));
    try {
      await waitForLock(
        () => lock.tryExclusive(),
        LOCK_DEADLINE_MS,
        () => {
          progress.step("Another start of this clone is installing PostgreSQL and Redis; waiting for it");
        },
      );
      if (!existsSync(place)) await install(place, runtimeDir, architecture, progress, log);
    } finally {
      lock.close();
    }
  }
  return runtimeAt(place);
}

function runtimeAt(place: string): EmbeddedRuntime {
  return {
    postgresBinDir: join(place, `usr/lib/postgresql/${POSTGRES_MAJOR}/bin`),
    redisServer: join(place, "usr/bin/redis-server"),
  };
}

async function install(
  place: string,
  runtimeDir: string,
  architecture: string,
  progress: Progress,
  log: ServicesLog,
): Promise<void> {
  for (const name of await readdir(runtimeDir)) {
    if (name.startsWith("tmp-")) await rm(join(runtimeDir, name), { recursive: true, force: true });
  }
  if (!(await hasRoom(runtimeDir, ROOM_BYTES))) throw diskFull(runtimeDir);
  const work = join(runtimeDir, `tmp-${process.pid}`);
  try {
    const root = join(work, "root");
    await mkdir(root, { recursive: true });
    const debs = await fetchPackages(join(work, "apt"), architecture, progress, log);
    await unpackAll(debs, root, progress);
    wrapPrograms(root);
    await prove(runtimeAt(root));
    await chmod(root, 0o755);
    await rename(root, place);
  } catch (error) {
    if (error instanceof ServicesError && !(await hasRoom(runtimeDir))) throw diskFull(runtimeDir, error);
    throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fetchPackages(
  folder: string,
  architecture: string,
  progress: Progress,
  log: ServicesLog,
): Promise<string[]> {
  progress.step(
    `Getting PostgreSQL ${POSTGRES_MAJOR} with TimescaleDB, and Redis, from Debian ${SUITE} (first start only)`,
  );
  const origins = await debianOrigin(join(folder, "keyring"), architecture, SUITE);
  for (const [index, { mirror, list }] of origins.entries()) {
    const apt = new PrivateApt(join(folder, `source-${index}`), architecture);
    try {
      await apt.update({ list });
      const packages = (await apt.resolve(PACKAGES)).filter(({ name }) => isNeeded(name));
      return await apt.download(packages, progress);
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

/** Runs what was unpacked; a bundle that does not run here must not be put in place. */
async function prove({ postgresBinDir, redisServer }: EmbeddedRuntime): Promise<void> {
  const extension = globSync(`${postgresBinDir}/../lib/timescaledb-2*.so`);
  for (const program of [join(postgresBinDir, "postgres"), join(postgresBinDir, "initdb"), redisServer]) {
    const result = await runCommand([program, "--version"], {
      deadlineMs: PROVE_DEADLINE_MS,
      env: CLEAN_ENV,
    });
    if (result.code === 0 && extension.length > 0) continue;
    throw new ServicesError(
      "unpack",
      `The unpacked bundle does not run here (${program}):\n${result.stderr.trim()}`,
      "Start a Docker daemon, or set DATABASE_URL and REDIS_URL to services of your own; and report the lines above.",
    );
  }
}
