/** The cluster of the private PostgreSQL: made once, and recognised by its major version. */
import { existsSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Account, giveTo, makeOwnedFolder } from "./account.ts";
import { CLEAN_ENV, runCommand } from "./command.ts";
import { hasRoom } from "./disk-space.ts";
import { diskFull, errnoOf, ServicesError } from "./services-error.ts";

/** What an instance is made of. */
export interface PostgresSpec {
  /** Folder with `postgres` and `initdb`. */
  readonly binDir: string;
  readonly cluster: string;
  readonly logPath: string;
  /** Superuser's password. */
  readonly secret: string;
  readonly account: Account;
}

/** Name of the superuser and of the database that it owns. */
export const DATABASE_ROLE = "hydraulic";

/** An empty cluster with its first WAL segments, and some air. */
const ROOM_FOR_CLUSTER_BYTES = 128 * 1024 * 1024;
const INITDB_DEADLINE_MS = 120_000;

/**
 * Makes the cluster when there is none. It is built beside its place and renamed, so a broken try leaves nothing.
 *
 * @throws ServicesError `data-version` when the existing cluster is of another major version than the binaries,
 * `start-failed` when initdb fails, `disk-full`
 */
export async function ensureCluster(spec: PostgresSpec): Promise<void> {
  if (existsSync(spec.cluster)) return checkMajor(spec);
  if (!(await hasRoom(dirname(spec.cluster), ROOM_FOR_CLUSTER_BYTES))) throw diskFull(dirname(spec.cluster));
  const staged = `${spec.cluster}.tmp`;
  await rm(staged, { recursive: true, force: true });
  await makeOwnedFolder(spec.account, staged);
  const passwordFile = join(dirname(spec.cluster), "run", "initdb-password");
  await writeFile(passwordFile, `${spec.secret}\n`, { mode: 0o600 });
  await giveTo(spec.account, passwordFile);
  try {
    const options = ["--username", DATABASE_ROLE, "--pwfile", passwordFile, "--encoding=UTF8", "--locale=C"];
    const auth = ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256"];
    const argv = [...spec.account.prefix, join(spec.binDir, "initdb"), "-D", staged, ...options, ...auth];
    const made = await runCommand(argv, { deadlineMs: INITDB_DEADLINE_MS, env: CLEAN_ENV, cwd: "/" });
    if (made.code !== 0) throw startFailed(spec, "initdb failed", (made.stderr || made.stdout).trim());
    await rename(staged, spec.cluster);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(staged, { recursive: true, force: true });
  }
}

/** Major version of the cluster on disk, or undefined when there is none. */
export async function clusterMajor(cluster: string): Promise<number | undefined> {
  try {
    return Number.parseInt(await readFile(join(cluster, "PG_VERSION"), "utf8"), 10);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function checkMajor(spec: PostgresSpec): Promise<void> {
  const onDisk = await clusterMajor(spec.cluster);
  const version = await runCommand([join(spec.binDir, "postgres"), "--version"], {
    deadlineMs: 10_000,
    env: CLEAN_ENV,
  });
  const ofBinaries = Number(/\(PostgreSQL\) (\d+)/.exec(version.stdout)?.[1]);
  if (onDisk === ofBinaries) return;
  throw new ServicesError(
    "data-version",
    `${spec.cluster} was written by PostgreSQL ${onDisk}, but ${spec.binDir} is PostgreSQL ${ofBinaries}`,
    `Bring PostgreSQL ${onDisk} back, or move ${spec.cluster} away to begin with an empty database.`,
  );
}

/** The error for a private PostgreSQL that cannot be made or started. @param detail what it said itself */
export function startFailed(
  spec: PostgresSpec,
  what: string,
  detail: string,
  cause?: unknown,
): ServicesError {
  return new ServicesError(
    "start-failed",
    `The private PostgreSQL cannot be started: ${what}\n${detail}`,
    `Its log is ${spec.logPath}. If the data is not needed, delete ${spec.cluster} and start again; or set ` +
      "DATABASE_URL to a database of your own.",
    { cause },
  );
}
