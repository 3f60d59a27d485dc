/** What a process holds of its machine (proc(5)). */
import { readdirSync, readFileSync } from "node:fs";

export interface Burden {
  /** Resident memory, bytes. */
  readonly rss_bytes: number;
  /** Open files and sockets. */
  readonly descriptors: number;
  readonly threads: number;
}

/** null where there is no /proc. */
export function burdenOf(pid: number): Burden | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    return { rss_bytes: number("VmRSS") * 1024, descriptors, threads: number("Threads") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
