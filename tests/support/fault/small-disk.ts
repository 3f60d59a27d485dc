/** Tests of a server on a small disk of its own, which can be filled. */
import { test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diskPrefix, emptyDisk, fillDisk, type SmallDisk } from "../../../load/faults/small-disks.ts";

/** A disk that can be had, or why not. */
export type ServersDisk =
  | { readonly path: string; readonly prefix: readonly string[] }
  | { readonly missing: string };

export async function serversDisk(disk: SmallDisk): Promise<ServersDisk> {
  return { path: disk.path, ...(await diskPrefix([disk])) };
}

/** As seen from outside of its server's namespace (proc(5), "root"). */
function seenFrom(pid: number, disk: ServersDisk): string {
  if ("missing" in disk) throw new Error(`there is no disk to fill: ${disk.missing}`);
  return join(`/proc/${pid}/root`, disk.path);
}

export const fillDiskOf = (pid: number, disk: ServersDisk): number => fillDisk(seenFrom(pid, disk));
export const emptyDiskOf = (pid: number, disk: ServersDisk): Promise<void> => emptyDisk(seenFrom(pid, disk));

async function tryOne(): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), "hydraulic-disk-"));
  try {
    const tried = await diskPrefix([{ path: folder, mebibytes: 1 }]);
    return "missing" in tried ? tried.missing : null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Why this machine can have no such disk. */
const noDisk = await tryOne();
if (noDisk !== null) console.log(`Tests that fill a disk are left out: ${noDisk}`);

/** `test`, skipped where there can be no small disk; its title then says why. */
export function testWithDisk(title: string, body: () => Promise<void>, timeout_ms: number): void {
  if (noDisk === null) test(title, body, timeout_ms);
  else test.skip(`${title} (left out: ${noDisk})`, body);
}
