/**
 * The operating-system account that private instances run as. PostgreSQL refuses to run as root, so root drops
 * to an ordinary user; and because clones of root often lie below a folder that nobody else may enter
 * (/root, `mktemp -d`), that user may keep one capability: passing through folders.
 */
import { chown, mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { runCommand } from "./command.ts";
import { ServicesError } from "./services-error.ts";

/** How to run a program as the account. */
export interface Account {
  /** Ids that the files of the instance must have, or undefined when we simply are the account. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Put before every argv; empty when we are the account. */
  readonly prefix: readonly string[];
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const PROBE_DEADLINE_MS = 5_000;

/**
 * Finds the account for instances below `dataDir`.
 *
 * @throws ServicesError `root-drop` when we are root and cannot become anybody else here
 */
export async function chooseAccount(dataDir: string): Promise<Account> {
  if (process.getuid?.() !== 0) return { owner: undefined, prefix: [] };
  const entry = await ordinaryUser(dataDir);
  const setpriv = Bun.which("setpriv") ?? "/usr/bin/setpriv";
  for (const prefix of dropCandidates(setpriv, entry, await isReachable(dataDir, entry))) {
    if (await canEnter(prefix, dataDir)) return { owner: { uid: entry.uid, gid: entry.gid }, prefix };
  }
  throw new ServicesError(
    "root-drop",
    `PostgreSQL refuses to run as root, and root cannot become "${entry.name}" for ${dataDir} here`,
    "Start as an ordinary user from a clone that this user owns, or install setpriv (package util-linux), or set " +
      "DATABASE_URL and REDIS_URL to services of your own.",
  );
}

/**
 * Command prefixes that become `entry`, weakest rights first. With a capability, `no_setuid_fixup` is needed
 * too: without it access(2) ignores capabilities (see capabilities(7), "securebits"), and PostgreSQL asks
 * access(2) whether its own executable can be run.
 */
export function dropCandidates(setpriv: string, entry: PasswdEntry, reachable: boolean): string[][] {
  const drop = [setpriv, `--reuid=${entry.uid}`, `--regid=${entry.gid}`, "--clear-groups"];
  const plain = [...drop, "--inh-caps=-all", "--no-new-privs"];
  const withCapability = ["dac_read_search", "dac_override"].map((capability) => [
    ...drop,
    `--inh-caps=-all,+${capability}`,
    `--ambient-caps=-all,+${capability}`,
    "--securebits=+no_setuid_fixup",
    "--no-new-privs",
  ]);
  return reachable ? [plain, ...withCapability] : withCapability;
}

/** Creates `folder` with mode 0700 for the account. */
export async function makeOwnedFolder(account: Account, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await giveTo(account, folder);
}

/** Makes the account the owner of one file or folder; does nothing when we are the account. */
export async function giveTo(account: Account, path: string): Promise<void> {
  if (account.owner) await chown(path, account.owner.uid, account.owner.gid);
}

/** The owner of the clone when that is an ordinary user (`sudo npm start`), else nobody. */
async function ordinaryUser(dataDir: string): Promise<PasswdEntry> {
  const entries = parsePasswd(await readFile("/etc/passwd", "utf8"));
  const owner = (await stat(dirname(dataDir))).uid;
  const found =
    entries.find((entry) => entry.uid === owner && entry.uid !== 0) ??
    entries.find((entry) => entry.name === "nobody");
  if (found) return found;
  throw new ServicesError(
    "root-drop",
    "PostgreSQL refuses to run as root, and this system has no user nobody to run it as",
    "Start as an ordinary user, or set DATABASE_URL and REDIS_URL to services of your own.",
  );
}

/** Entries of passwd(5) text; broken lines are left out. */
export function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    return /^\d+$/.test(uid) && /^\d+$/.test(gid) ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}

/** True when `entry` may enter every folder down to `dataDir` without capabilities. */
async function isReachable(dataDir: string, entry: PasswdEntry): Promise<boolean> {
  for (let folder = dataDir; ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const executeBit = uid === entry.uid ? 0o100 : gid === entry.gid ? 0o010 : 0o001;
    if ((mode & executeBit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function canEnter(prefix: readonly string[], folder: string): Promise<boolean> {
  const probe = [...prefix, "/bin/sh", "-c", 'cd "$1" && test "$(id -u)" != 0', "sh", folder];
  return (await runCommand(probe, { deadlineMs: PROBE_DEADLINE_MS, cwd: "/" })).code === 0;
}
