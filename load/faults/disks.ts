/**
 * Two small disks for the servers' data, which can be filled without harm to anybody: file systems in memory (tmpfs) in
 * a mount namespace of the run's own, so that they are gone with its last process. Root may mount them; others may where
 * user namespaces are allowed. Where neither is, disks cannot be filled, and the run says so.
 */
import { closeSync, openSync, statfsSync, writeSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../src/services/services-error.ts";

export interface Disks {
  readonly postgres: string;
  readonly redis: string;
}

export const disksOf = (folder: string): Disks => ({
  postgres: join(folder, "postgres-disk"),
  redis: join(folder, "redis-disk"),
});

const MIB = 2 ** 20;
/** An empty cluster with its WAL, and what a fault's readings take. */
const POSTGRES_MIB = { empty: 640, each: 1 };
const REDIS_MIB = { empty: 192, each: 0.2 };

const MOUNT = `set -e
mount -t tmpfs -o "size=$2m,mode=0755" faults "$1"
mount -t tmpfs -o "size=$4m,mode=0755" faults "$3"
shift 4
`;

/** Commands before which a program has the disks, the plainest first. */
function candidates({ postgres, redis }: Disks, faults: number): string[][] {
  const size = ({ empty, each }: typeof POSTGRES_MIB) => String(Math.ceil(empty + each * faults));
  const disks = [postgres, size(POSTGRES_MIB), redis, size(REDIS_MIB)];
  const own = ["--mount", "--propagation", "private"];
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const again = `exec unshare --user --map-user=${uid} --map-group=${gid} -- "$@"`;
  const asRoot = ["unshare", ...own, "sh", "-c", `${MOUNT}exec "$@"`, "sh", ...disks];
  // Only root of a namespace may mount, and PostgreSQL refuses root: inside it, a second namespace gives the id back.
  const asUser = ["unshare", "--user", "--map-root-user", ...own, "sh", "-c", MOUNT + again, "sh", ...disks];
  return uid === 0 ? [asRoot] : [asUser];
}

/** What to put before a program so that it has the disks; or why there can be none. Makes their folders. */
export async function diskPrefix(
  folder: string,
  faults: number,
): Promise<{ readonly prefix: readonly string[] } | { readonly missing: string }> {
  const disks = disksOf(folder);
  for (const path of Object.values(disks)) await mkdir(path, { recursive: true });
  if (!Bun.which("unshare")) return { missing: "there is no program unshare (util-linux)" };
  let missing = "";
  for (const prefix of candidates(disks, faults)) {
    const tried = Bun.spawnSync([...prefix, "true"], { stdio: ["ignore", "ignore", "pipe"] });
    if (tried.exitCode === 0) return { prefix };
    missing = tried.stderr.toString().trim().split("\n").at(-1) ?? "";
  }
  return { missing: `no file system can be mounted here: ${missing || "unshare was refused"}` };
}

const FILLER = "filler";
/** Small last pieces, so that not a page is left. */
const PIECES = [MIB, 65_536, 4_096];

/** Fill the disk to its last page. @returns bytes that were free @throws {Error} when it is not full then */
export async function fillDisk(disk: string): Promise<number> {
  const { bavail, bsize } = statfsSync(disk);
  const path = join(disk, FILLER);
  // Allocation is far cheaper than writing; what others took or freed meanwhile is written by hand.
  Bun.spawnSync(["fallocate", "-l", String(Math.max(1, bavail - 64) * bsize), path]);
  const file = openSync(path, "a");
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

export async function emptyDisk(disk: string): Promise<void> {
  await rm(join(disk, FILLER), { force: true });
}
