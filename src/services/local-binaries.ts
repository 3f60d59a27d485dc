/** Looks for PostgreSQL with TimescaleDB, and for Redis or Valkey, among the programs of this machine. */
import { existsSync, globSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { CLEAN_ENV, runCommand } from "./command.ts";

const MIN_POSTGRES_MAJOR = 15;
const MIN_REDIS_MAJOR = 7;

/** What a look gave: a usable place, or why there is none (one line). */
export type Finding<T> = { readonly found: T } | { readonly missing: string };

export interface LocalPostgres {
  readonly binDir: string;
  readonly major: number;
}

export interface LocalRedis {
  readonly server: string;
  readonly major: number;
}

/** Places beyond PATH where packages put the server: Debian, PGDG on Red Hat, source, Homebrew, Postgres.app. */
const POSTGRES_FOLDERS = [
  "/usr/lib/postgresql/*/bin",
  "/usr/pgsql-*/bin",
  "/usr/local/pgsql/bin",
  "/opt/homebrew/opt/postgresql@*/bin",
  "/usr/local/opt/postgresql@*/bin",
  "/Applications/Postgres.app/Contents/Versions/*/bin",
];
const REDIS_FOLDERS = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];
const VERSION_DEADLINE_MS = 10_000;

/**
 * The newest PostgreSQL of at least 15 whose installation has the timescaledb extension.
 *
 * @param onlyMajor when a cluster exists: the only version that can open it
 */
export async function findLocalPostgres(
  onlyMajor: number | undefined,
  folders: readonly string[] = postgresFolders(),
): Promise<Finding<LocalPostgres>> {
  const passedOver: string[] = [];
  const usable: LocalPostgres[] = [];
  for (const binDir of folders) {
    const major = await postgresMajor(binDir);
    if (major === undefined) continue;
    const obstacle = await postgresObstacle(binDir, major, onlyMajor);
    if (obstacle === undefined) usable.push({ binDir, major });
    else passedOver.push(`PostgreSQL ${major} in ${binDir} ${obstacle}`);
  }
  const [best] = usable.sort((a, b) => b.major - a.major);
  if (best) return { found: best };
  return { missing: passedOver.length > 0 ? passedOver.join("; ") : "no PostgreSQL on this machine" };
}

/** redis-server or valkey-server of at least 7, whichever comes first on PATH or in the usual folders. */
export async function findLocalRedis(
  candidates: readonly string[] = redisCandidates(),
): Promise<Finding<LocalRedis>> {
  const passedOver: string[] = [];
  for (const server of candidates) {
    const version = await runCommand([server, "--version"], {
      deadlineMs: VERSION_DEADLINE_MS,
      env: CLEAN_ENV,
    });
    // "Redis server v=7.0.15 sha=…", "Valkey server v=8.1.1 sha=…"
    const major = Number(/ v=(\d+)\./.exec(version.stdout)?.[1]);
    if (major >= MIN_REDIS_MAJOR) return { found: { server, major } };
    passedOver.push(`${server} is older than ${MIN_REDIS_MAJOR}`);
  }
  return { missing: passedOver.length > 0 ? passedOver.join("; ") : "no redis-server or valkey-server" };
}

function postgresFolders(): string[] {
  const onPath = ["postgres", "pg_config"].flatMap((name) => {
    const path = Bun.which(name);
    return path ? [dirname(realpathSync(path))] : [];
  });
  const known = POSTGRES_FOLDERS.flatMap((pattern) => globSync(pattern));
  return [...new Set([...onPath, ...known])];
}

function redisCandidates(): string[] {
  const names = ["redis-server", "valkey-server"];
  const onPath = names.flatMap((name) => Bun.which(name) ?? []);
  const known = REDIS_FOLDERS.flatMap((folder) => names.map((name) => join(folder, name))).filter(existsSync);
  return [...new Set([...onPath, ...known])];
}

async function postgresMajor(binDir: string): Promise<number | undefined> {
  const server = join(binDir, "postgres");
  if (!existsSync(server)) return undefined;
  const version = await runCommand([server, "--version"], {
    deadlineMs: VERSION_DEADLINE_MS,
    env: CLEAN_ENV,
  });
  const major = /\(PostgreSQL\) (\d+)/.exec(version.stdout)?.[1];
  return major === undefined ? undefined : Number(major);
}

/** Why this installation cannot be used, or undefined when it can. */
async function postgresObstacle(
  binDir: string,
  major: number,
  onlyMajor: number | undefined,
): Promise<string | undefined> {
  if (major < MIN_POSTGRES_MAJOR) return `is older than ${MIN_POSTGRES_MAJOR}`;
  if (onlyMajor !== undefined && major !== onlyMajor)
    return `cannot open the data of PostgreSQL ${onlyMajor}`;
  if (!existsSync(join(binDir, "initdb"))) return "has no initdb";
  const shares = await shareFolders(binDir, major);
  const control = shares.some((share) => existsSync(join(share, "extension", "timescaledb.control")));
  return control ? undefined : "has no timescaledb extension";
}

/** Folders that may hold `extension/`: what pg_config says, else the layouts of the packages named above. */
async function shareFolders(binDir: string, major: number): Promise<string[]> {
  const config = await runCommand([join(binDir, "pg_config"), "--sharedir"], {
    deadlineMs: VERSION_DEADLINE_MS,
    env: CLEAN_ENV,
  });
  if (config.code === 0) return [config.stdout.trim()];
  return [`/usr/share/postgresql/${major}`, join(binDir, "../share/postgresql"), join(binDir, "../share")];
}
