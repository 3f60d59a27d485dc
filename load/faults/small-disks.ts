/**
 * Disks that can be filled without harm to anybody: file systems in memory (tmpfs) in a mount namespace of the one
 * program that they are for, gone with it. Root may mount them; others may where user namespaces are allowed.
 */
import { closeSync, openSync, statfsSync, writeSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../src/services/services-error.ts";

export interface SmallDisk {
  readonly path: string;
  readonly mebibytes: number;
  /** Of its root folder; else it belongs to whoever mounts it. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** What stands before a program so that it has the disks, or why this machine cannot have any. */
export type DiskPrefix = { readonly prefix: readonly string[] } | { readonly missing: string };

/** Mounts pairs of a path and options up to `--`; what follows is the program. */
const MOUNT = `set -e
while [ "$1" != -- ]; do mount -t tmpfs -o "$2" small "$1"; shift 2; done
shift
`;

const optionsOf = ({ mebibytes, owner }: SmallDisk) =>
  owner ? `size=${mebibytes}m,mode=0700,uid=${owner.uid},gid=${owner.gid}` : `size=${mebibytes}m,mode=0755`;

/** Tries it out. Makes the folders of the disks. */
export async function diskPrefix(disks: readonly SmallDisk[]): Promise<DiskPrefix> {
  for (const { path } of disks) await mkdir(path, { recursive: true });
  if (!Bun.which("unshare")) return { missing: "there is no program unshare (util-linux)" };
  const mounts = disks.flatMap((disk) => [disk.path, optionsOf(disk)]);
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const own = ["--mount", "--propagation", "private", "sh", "-c"];
  // Only root of a namespace may mount, and PostgreSQL refuses root: a second namespace inside gives the id back.
  const again = `exec unshare --user --map-user=${uid} --map-group=${gid} -- "$@"`;
  const prefix =
    uid === 0
      ? ["unshare", ...own, `${MOUNT}exec "$@"`, "sh", ...mounts, "--"]
      : ["unshare", "--user", "--map-root-user", ...own, MOUNT + again, "sh", ...mounts, "--"];
  const tried = Bun.spawnSync([...prefix, "true"], { stdio: ["ignore", "ignore", "pipe"] });
  if (tried.exitCode === 0) return { prefix };
  const why = tried.stderr.toString().trim().split("\n").at(-1);
  return { missing: `no file system can be mounted here: ${why || "unshare was refused"}` };
}

const FILLER = "filler";
/** Small last pieces, so that not a page is left. */
const PIECES = [1_048_576, 65_536, 4_096];

/**
 * Fill a disk to its last page.
 * @param path as this process sees it: from outside of the namespace, below `/proc/PID/root` (proc(5), "root")
 * @returns bytes that were free
 */
export function fillDisk(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  const filler = join(path, FILLER);
  // Allocation is far cheaper than writing; what others took or freed meanwhile is written by hand.
  Bun.spawnSync(["fallocate", "-l", String(Math.max(1, bavail - 64) * bsize), filler]);
  const file = openSync(filler, "a");
  try {
    for (const piece of PIECES) writeUntilFull(file, Buffer.alloc(piece));
  } finally {
    closeSync(file);
  }
  return bavail * bsize;
}

function writeUntilFull(file: number, piece: Buffer): void {
  for (;;) {
    try {
      if (writeSync(file, piece) < piece.length) return;
    } catch (error) {
      if (errnoOf(error) === "ENOSPC") return;
      throw error;
    }
  }
}

/** Make room again. */
export async function emptyDisk(path: string): Promise<void> {
  await rm(join(path, FILLER), { force: true });
}
