/** The folder of a spool: what lies where, whose readings they are, and how far they were acknowledged. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { HydraulicClientError, OptionsError, SpoolDamagedError, SpoolWriteError } from "../errors.ts";
import { FolderLock } from "./lock.ts";

/** Everything before `offset` of this segment, and all segments before it, is acknowledged. */
export interface Progress {
  readonly segment: number;
  readonly offset: number;
}

export interface FoundSegment {
  readonly number: number;
  readonly bytes: number;
}

/** Folders for people to look into. */
const KEPT = ["rejected", "damaged"] as const;
const SEGMENT = /^(\d{16})\.seg$/;
/** A fixed length, so that one write replaces the one before: numbers and a checksum. */
const PROGRESS_BYTES = 48;

export class SpoolFolder {
  /** Left by an earlier process, oldest first. */
  readonly segments: readonly FoundSegment[];
  /** Of an earlier process. */
  readonly progress: Progress | null;
  readonly #lock: FolderLock;
  readonly #progress_file: number;

  /**
   * Open the folder for this process alone.
   * @param problem told when the lock cannot be kept fresh, and of what a power cut made unreadable
   * @throws {SpoolLockedError} {SpoolWriteError}, {OptionsError} when it holds readings of another system
   */
  constructor(
    readonly path: string,
    system_id: string,
    problem: (error: Error) => void,
  ) {
    try {
      for (const name of ["segments", ...KEPT]) mkdirSync(join(path, name), { recursive: true });
      this.#lock = FolderLock.take(path, problem);
    } catch (error) {
      throw error instanceof HydraulicClientError ? error : new SpoolWriteError(path, error);
    }
    try {
      const unread = claimFor(path, system_id);
      if (unread !== null) problem(unread);
      this.#progress_file = openSync(
        join(path, "progress"),
        existsSync(join(path, "progress")) ? "r+" : "w+",
      );
      this.progress = readProgress(readFileSync(join(path, "progress"), "latin1"));
      this.segments = this.#unsettledSegments();
    } catch (error) {
      this.#lock.release();
      throw error instanceof HydraulicClientError ? error : new SpoolWriteError(path, error);
    }
  }

  /** A number that no segment has had since the progress was written: it may speak of that one still. */
  get free_number(): number {
    return Math.max(this.progress?.segment ?? 0, this.segments.at(-1)?.number ?? 0) + 1;
  }

  /** Bytes of refused batches and damaged files, kept for people. */
  countKept(): number {
    return KEPT.reduce((sum, name) => sum + bytesIn(join(this.path, name)), 0);
  }

  segmentPath(number: number): string {
    return join(this.path, "segments", `${String(number).padStart(16, "0")}.seg`);
  }

  damagedPath(number: number): string {
    return join(this.path, "damaged", `${String(number).padStart(16, "0")}.seg`);
  }

  rejectedPath(idempotency_key: string): string {
    return join(this.path, "rejected", `${idempotency_key}.json`);
  }

  /** Not synced: a progress that is behind the truth makes batches go out again, under their own keys. */
  writeProgress({ segment, offset }: Progress): void {
    const text = `${segment} ${offset}`;
    writeSync(
      this.#progress_file,
      `${text} ${checksum(text)}`.padEnd(PROGRESS_BYTES - 1).concat("\n"),
      0,
      "latin1",
    );
  }

  close(): void {
    closeSync(this.#progress_file);
    this.#lock.release();
  }

  /** Segments that a crash left between the last acknowledgement and their removal are removed now. */
  #unsettledSegments(): FoundSegment[] {
    const found: FoundSegment[] = [];
    for (const name of readdirSync(join(this.path, "segments")).sort()) {
      const number = Number(SEGMENT.exec(name)?.[1] ?? Number.NaN);
      if (Number.isNaN(number)) continue;
      if (number < (this.progress?.segment ?? 0)) rmSync(this.segmentPath(number));
      else found.push({ number, bytes: statSync(this.segmentPath(number)).size });
    }
    return found;
  }
}

/**
 * @returns what to tell when nobody can read any more whose the folder was: then it is taken to be this system's,
 * or the device could not send until somebody came by
 * @throws {OptionsError} when the folder belongs to another system
 */
function claimFor(path: string, system_id: string): SpoolDamagedError | null {
  const file = join(path, "spool.json");
  if (!existsSync(file)) {
    writeClaim(file, system_id);
    return null;
  }
  const text = readFileSync(file, "utf8");
  const found = readClaim(text);
  if (found === null) {
    const aside = join(path, "damaged", `spool-${Date.now()}.json`);
    renameSync(file, aside);
    writeClaim(file, system_id);
    return new SpoolDamagedError(aside, Buffer.byteLength(text));
  }
  if (found.format !== 1)
    throw new OptionsError(`the spool ${path} has a format that this client does not know`);
  if (String(found.system_id).toLowerCase() === system_id.toLowerCase()) return null;
  throw new OptionsError(
    `the spool ${path} holds readings of system ${found.system_id}, not of ${system_id}`,
  );
}

/** On disk before its name is: a power cut leaves all of it or nothing. */
function writeClaim(file: string, system_id: string): void {
  const handle = openSync(`${file}.new`, "w");
  try {
    writeSync(handle, `${JSON.stringify({ format: 1, system_id })}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(`${file}.new`, file);
}

/** null when it is no JSON object. */
function readClaim(text: string): { readonly format?: unknown; readonly system_id?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}

function readProgress(text: string): Progress | null {
  const [segment = "", offset = "", sum] = text.trim().split(" ");
  if (sum !== checksum(`${segment} ${offset}`)) return null;
  return { segment: Number(segment), offset: Number(offset) };
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
