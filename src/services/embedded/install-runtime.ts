/** The embedded bundle of PostgreSQL with TimescaleDB, and Redis. */
import { globSync } from "node:fs";
import { join } from "node:path";
import { CLEAN_ENV, runCommand } from "../command.ts";
import { ServicesError } from "../services-error.ts";
import type { Progress, ServicesLog } from "../types.ts";
import { type BundleRecipe, ensureBundle } from "./bundle.ts";
import { isNeeded, wrapPrograms } from "./unpack.ts";

/** Programs of an installed bundle. */
export interface EmbeddedRuntime {
  readonly postgresBinDir: string;
  readonly redisServer: string;
}

const POSTGRES_MAJOR = 17;
const PROVE_DEADLINE_MS = 20_000;

const RECIPE: BundleRecipe = {
  /** Raise it when the recipe changes, so that bundles made by an older one are replaced. */
  name: "1",
  contents: `PostgreSQL ${POSTGRES_MAJOR} with TimescaleDB, and Redis`,
  packages: [`postgresql-${POSTGRES_MAJOR}-timescaledb`, "redis-server", "tzdata"],
  isNeeded,
  wrap: wrapPrograms,
  prove: (root) => prove(runtimeAt(root)),
  roomBytes: 500 * 1024 * 1024,
};

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
  return runtimeAt(await ensureBundle(runtimeDir, architecture, RECIPE, progress, log));
}

function runtimeAt(place: string): EmbeddedRuntime {
  return {
    postgresBinDir: join(place, `usr/lib/postgresql/${POSTGRES_MAJOR}/bin`),
    redisServer: join(place, "usr/bin/redis-server"),
  };
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
