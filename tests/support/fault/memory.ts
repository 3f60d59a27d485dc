/** Memory of a program, from outside. */
import { readFile } from "node:fs/promises";

/** What the allocator may keep, once it is warm. */
export const FLAT_BYTES = 64 * 1024 * 1024;

/** Resident memory of a process (proc(5), statm: pages of 4 KiB), bytes; null where there is no /proc. */
export async function residentBytes(pid: number): Promise<number | null> {
  if (process.platform !== "linux") return null;
  return Number((await readFile(`/proc/${pid}/statm`, "utf8")).split(" ")[1]) * 4096;
}
