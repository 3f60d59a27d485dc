/**
 * One installer at a time in one clone. A file with the holder's identity, made by link(2), which is atomic; a
 * holder that is gone (also by kill -9) is recognised by pid and start time, because containers reuse pids.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BootstrapFailure } from "./failure.mjs";

const POLL_MS = 100;
const DEADLINE_MS = 20 * 60_000;

/**
 * Runs `work` while holding the lock of `dataDir`.
 *
 * @param {string} dataDir the clone's .data folder; created when missing
 * @param {(text: string) => void} say told once when somebody else holds the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 * @template T
 * @throws BootstrapFailure after 20 minutes of waiting
 */
export async function withCloneLock(dataDir, say, work) {
  mkdirSync(dataDir, { recursive: true });
  const lock = join(dataDir, "bootstrap.lock");
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, identity(process.pid));
  const end = Date.now() + DEADLINE_MS;
  try {
    for (let waits = 0; !tryTake(lock, mine); waits++) {
      if (waits === 0) say("Another start of this clone is installing; waiting for it");
      if (Date.now() > end) throw tooLong(lock);
      await sleep(POLL_MS);
    }
    try {
      return await work();
    } finally {
      rmSync(lock, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function tryTake(lock, mine) {
  try {
    linkSync(mine, lock);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  const holder = readOrEmpty(lock);
  if (holder === "" || holder === identity(Number.parseInt(holder, 10))) return false;
  breakStale(lock, holder, `${mine}.stale`);
  return false; // the next round competes for the free name
}

/** Moves the dead holder's file away; when another one broke it first and took the lock, puts that one back. */
function breakStale(lock, seen, aside) {
  try {
    renameSync(lock, aside);
    if (readOrEmpty(aside) !== seen) linkSync(aside, lock);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** "<pid> <start time>" of a living process, empty for a dead one; proc(5): field 22 of stat. */
function identity(pid) {
  if (!(pid > 0)) return "";
  if (process.platform === "linux") {
    const stat = readOrEmpty(`/proc/${pid}/stat`);
    return stat === "" ? "" : `${pid} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}`;
  }
  try {
    process.kill(pid, 0);
    return `${pid} -`;
  } catch (error) {
    return error.code === "EPERM" ? `${pid} -` : "";
  }
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return "";
    throw error;
  }
}

function tooLong(lock) {
  return new BootstrapFailure(
    `Another start of this clone (process ${readOrEmpty(lock).split(" ")[0]}) has been installing for 20 minutes.`,
    "End that process, then start again.",
  );
}
