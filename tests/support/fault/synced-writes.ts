/**
 * What of a file would be on the disk after a power cut, by the system calls of its writer: as many bytes as had been
 * written when the last fdatasync (or fsync) that has returned began. Read from `strace -f -y -s 0`.
 */
export const TRACED_CALLS = "write,fdatasync,fsync,ftruncate";

export interface FileWrites {
  /** Bytes appended. */
  written: number;
  /** Of these, bytes that a sync has put on the disk. */
  synced: number;
  /** Bytes that one puts there, or has: those that had been written when the last sync began. */
  syncing: number;
}

/** `12345 write(8</path>, ""..., 120) = 120`; a call that another thread interrupts is told in two lines. */
const BEGUN = /^(\d+) +(write|fdatasync|fsync|ftruncate)\(\d+<([^>]*)>/;
const RESUMED = /^(\d+) +<\.\.\. (?:write|fdatasync|fsync|ftruncate) resumed>/;
const RESULT = /= (-?\d+)(?: E\w+ .*)?$/;

interface Call {
  readonly name: string;
  readonly file: FileWrites;
  readonly written_before: number;
}

/** Bytes by path, of everything that was written while the trace ran. @throws {Error} at a file cut to a length */
export function writesOf(trace: string): Map<string, FileWrites> {
  const files = new Map<string, FileWrites>();
  const waiting = new Map<string, Call>();
  for (const line of trace.split("\n")) {
    const begun = BEGUN.exec(line);
    const resumed = begun ? null : RESUMED.exec(line);
    const pid = (begun ?? resumed)?.[1];
    if (pid === undefined) continue;
    if (begun) {
      const [, , name = "", path = ""] = begun;
      const file = files.get(path) ?? { written: 0, synced: 0, syncing: 0 };
      files.set(path, file);
      waiting.set(pid, { name, file, written_before: file.written });
      if (name.endsWith("sync")) file.syncing = file.written;
    }
    const result = RESULT.exec(line);
    const call = waiting.get(pid);
    if (!result || !call) continue;
    waiting.delete(pid);
    returned(call, Number(result[1]));
  }
  return files;
}

function returned({ name, file, written_before }: Call, result: number): void {
  if (result < 0) return;
  if (name === "write") file.written += result;
  else if (name === "ftruncate") throw new Error("a file was cut: what of it is on the disk is not known");
  else file.synced = Math.max(file.synced, written_before);
}
