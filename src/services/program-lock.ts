/**
 * Locks between the programs of one data folder, held by the kernel: they vanish with the process, also on
 * kill -9, so there is no stale lock to guess about. SQLite's file locks give shared and exclusive modes on
 * every platform (https://www.sqlite.org/lockingv3.html); the database itself stays empty.
 */
import { Database } from "bun:sqlite";
import { errnoOf, ServicesError } from "./services-error.ts";

const POLL_MS = 40;

/** Keeps locks that are held from the garbage collector, which would close the file and so let them go. */
const HELD = new Set<ProgramLock>();

/** A lock file. One object holds at most one mode at a time. */
export class ProgramLock {
  readonly #database: Database;

  /** @param path file to lock; created when missing. Its folder must exist. */
  constructor(readonly path: string) {
    this.#database = new Database(path, { create: true, readwrite: true });
    this.#database.run("PRAGMA busy_timeout = 0");
  }

  /** Takes the lock beside other shared holders; false while someone holds or waits for it exclusively. */
  tryShared(): boolean {
    return this.#try(() => {
      this.#database.run("BEGIN");
      this.#database.query("SELECT count(*) FROM sqlite_schema").get();
    });
  }

  /** Takes the lock alone; false while anyone else holds it. */
  tryExclusive(): boolean {
    return this.#try(() => this.#database.run("BEGIN EXCLUSIVE"));
  }

  /** Gives the mode held back; does nothing when none is. */
  release(): void {
    if (this.#database.inTransaction) this.#database.run("ROLLBACK");
    HELD.delete(this);
  }

  /** Releases and closes; the object is of no use afterwards. */
  close(): void {
    this.release();
    this.#database.close();
  }

  #try(begin: () => void): boolean {
    try {
      begin();
      HELD.add(this);
      return true;
    } catch (error) {
      this.release();
      if (errnoOf(error)?.startsWith("SQLITE_BUSY")) return false;
      throw error;
    }
  }
}

/**
 * Polls `take` (one of the two try methods) until it succeeds.
 *
 * @param waiting called once, when the lock is not free at once
 * @throws ServicesError `timeout` after `deadlineMs`
 */
export async function waitForLock(
  take: () => boolean,
  deadlineMs: number,
  waiting: () => void,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  let told = false;
  while (!take()) {
    if (!told) waiting();
    told = true;
    if (performance.now() >= end) {
      throw new ServicesError(
        "timeout",
        "Another start of this clone has been setting up its services for too long",
        "Look for another running start of this clone, stop it, and start again.",
      );
    }
    await Bun.sleep(POLL_MS);
  }
}
