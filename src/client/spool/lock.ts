/**
 * One client in one folder. A file with the holder's identity, made by link(2), which is atomic. A holder that is
 * gone, also by kill -9, is known by its pid and start time; one in another container, which cannot be looked up
 * from here, by the age of its file, which holders touch.
 */
import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SpoolLockedError, SpoolWriteError } from "../errors.ts";

const TOUCH_MS = 5000;
/** A file of another container that nobody touched for so long is left over, ms. */
const STALE_MS = 30_000;
/** Each round either takes the lock, finds its holder alive, or removes a dead one's file. */
const ROUNDS = 10;

export class FolderLock {
  readonly #touching: NodeJS.Timeout;

  private constructor(
    private readonly path: string,
    private readonly mine: string,
    problem: (error: Error) => void,
  ) {
    this.#touching = setInterval(() => touch(path, mine, problem), TOUCH_MS);
    this.#touching.unref();
  }

  /**
   * @param problem told when the lock cannot be kept fresh
   * @throws {SpoolLockedError}
   */
  static take(folder: string, problem: (error: Error) => void): FolderLock {
    const path = join(folder, "lock");
    // No two files say the same, so that each is told from the one before it.
    const nonce = randomUUID();
    const content = `${identity(process.pid)}\n${namespace()}\n${nonce}`;
    const mine = `${path}.${process.pid}.${nonce}`;
    writeFileSync(mine, content);
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        if (tryLink(mine, path)) return new FolderLock(path, content, problem);
        const holder = readOrEmpty(path);
        if (holder !== "" && isHeld(holder, path)) throw locked(folder, holder);
        breakStale(path, holder, mine);
      }
      throw locked(folder, readOrEmpty(path));
    } finally {
      rmSync(mine, { force: true });
    }
  }

  /** Leaves a lock alone that another process took meanwhile, because this one showed no sign of life for long. */
  release(): void {
    clearInterval(this.#touching);
    if (readOrEmpty(this.path) === this.mine) rmSync(this.path, { force: true });
  }
}

function tryLink(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

function isHeld(holder: string, path: string): boolean {
  const [who = "", where = ""] = holder.split("\n");
  if (where === namespace()) return who === identity(Number.parseInt(who, 10));
  try {
    return Date.now() - statSync(path).mtimeMs < STALE_MS;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Removes the dead holder's file. Only one process at a time may do that, and it looks once more before it does: the
 * file of one that has just taken the lock is never removed. A process that dies here leaves `lock.break`, which
 * stands for as long as any lock of a dead process.
 */
function breakStale(path: string, seen: string, mine: string): void {
  const guard = `${path}.break`;
  if (!tryLink(mine, guard)) {
    const holder = readOrEmpty(guard);
    if (holder === "" || !isHeld(holder, guard)) rmSync(guard, { force: true });
    return;
  }
  try {
    if (readOrEmpty(path) === seen) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/** "<pid> <start time>" of a living process, empty for a dead one; proc(5): field 22 of stat. */
function identity(pid: number): string {
  if (!(pid > 0)) return "";
  if (process.platform === "linux") {
    const stat = readOrEmpty(`/proc/${pid}/stat`);
    return stat === "" ? "" : `${pid} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`;
  }
  try {
    process.kill(pid, 0);
    return `${pid} -`;
  } catch (error) {
    return codeOf(error) === "EPERM" ? `${pid} -` : "";
  }
}

/** Where a pid means what it means here: this boot of this machine, and this container. */
function namespace(): string {
  if (process.platform !== "linux") return process.platform;
  return `${readOrEmpty("/proc/sys/kernel/random/boot_id").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
}

function touch(path: string, mine: string, problem: (error: Error) => void): void {
  const now = new Date();
  try {
    const holder = readOrEmpty(path);
    if (holder === mine || holder === "") utimesSync(path, now, now);
    else problem(locked(dirname(path), holder));
  } catch (error) {
    problem(new SpoolWriteError(dirname(path), error));
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ESRCH") return "";
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function locked(folder: string, holder: string): SpoolLockedError {
  const pid = Number.parseInt(holder, 10);
  const who =
    holder.split("\n")[1] === namespace()
      ? `process ${pid}`
      : `a process of another container, or did until ${STALE_MS / 1000} s ago`;
  return new SpoolLockedError(`the spool ${folder} is used by ${who}`);
}
