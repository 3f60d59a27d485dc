/**
 * A disk that can be filled without harm to anybody: a file system in memory (tmpfs) in a mount namespace of the one
 * server that it is for. Root may mount it; others may where user namespaces are allowed.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../../src/services/services-error.ts";

const MOUNT = `set -e
mount -t tmpfs -o "$2" small "$1"
shift 2
`;

export interface SmallDisk {
  /** Where the server has it. */
  readonly path: string;
  /** Put before the server's program. */
  readonly prefix: readonly string[];
}

/** What it takes, or why this machine cannot have it. @param owner of its root folder */
export async function smallDisk(
  path: string,
  mebibytes: number,
  owner: { readonly uid: number; readonly gid: number } | undefined,
): Promise<SmallDisk | { readonly missing: string }> {
  await mkdir(path, { recursive: true });
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const options = `size=${mebibytes}m,mode=0700${owner ? `,uid=${owner.uid},gid=${owner.gid}` : ""}`;
  const own = ["--mount", "--propagation", "private", "sh", "-c"];
  // Only root of a namespace may mount, and PostgreSQL refuses root: a second namespace inside gives the id back.
  const again = `exec unshare --user --map-user=${uid} --map-group=${gid} -- "$@"`;
  const prefix =
    uid === 0
      ? ["unshare", ...own, `${MOUNT}exec "$@"`, "sh", path, options]
      : ["unshare", "--user", "--map-root-user", ...own, MOUNT + again, "sh", path, options];
  if (!Bun.which("unshare")) return { missing: "there is no program unshare (util-linux)" };
  const tried = Bun.spawnSync([...prefix, "true"], { stdio: ["ignore", "ignore", "pipe"] });
  if (tried.exitCode === 0) return { path, prefix };
  const why = tried.stderr.toString().trim().split("\n").at(-1);
  return { missing: `no file system can be mounted here: ${why || "unshare was refused"}` };
}

const FILLER = "filler";
/** Small last pieces, so that not a page is left. */
const PIECES = [1_048_576, 65_536, 4_096];

/** Seen from outside of the server's namespace (proc(5), root). */
const seenFrom = (pid: number, { path }: SmallDisk) => join(`/proc/${pid}/root`, path, FILLER);

/** Fill the disk of a running server to its last page. */
export function fillDisk(pid: number, disk: SmallDisk): void {
  const file = openSync(seenFrom(pid, disk), "a");
  try {
    for (const piece of PIECES) writeUntilFull(file, Buffer.alloc(piece));
  } finally {
    closeSync(file);
  }
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
export async function emptyDisk(pid: number, disk: SmallDisk): Promise<void> {
  await rm(seenFrom(pid, disk), { force: true });
}
