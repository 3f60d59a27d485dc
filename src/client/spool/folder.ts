/** The folder of a spool: what lies where, whose readings they are, and how far they were acknowledged. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { HydraulicClientError, OptionsError, SpoolWriteError } from "../errors.ts";
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
   * @param problem told when the lock cannot be kept fresh
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
      claimFor(path, system_id);
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

/** @throws {OptionsError} when the folder belongs to another system */
function claimFor(path: string, system_id: string): void {
  const file = join(path, "spool.json");
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, `${JSON.stringify({ format: 1, system_id })}\n`);
    renameSync(`${file}.new`, file);
    return;
  }
  const found = JSON.parse(readFileSync(file, "utf8")) as { format?: unknown; system_id?: unknown };
  if (found.format !== 1)
    throw new OptionsError(`the spool ${path} has a format that this client does not know`);
  if (String(found.system_id).toLowerCase() === system_id.toLowerCase()) return;
  throw new OptionsError(
    `the spool ${path} holds readings of system ${found.system_id}, not of ${system_id}`,
  );
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
