/** What a client is made of, its defaults, and what may be given. */
import type { BatchPolicy } from "./backlog.ts";
import type { WhenFull } from "./capacity.ts";
import type { Auth } from "./credentials.ts";
import { OptionsError, type RequestRefusedError } from "./errors.ts";
import type { RetryPolicy } from "./exchange.ts";
import type { FsyncPolicy } from "./spool/settings.ts";
import { realSurroundings, type Surroundings } from "./time.ts";
import type { Acceptance, Job, Reading } from "./types.ts";

export interface ClientOptions extends ClientEvents {
  /** Where the service is: `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly auth: Auth;
  /** UUID of the system that all readings of this client belong to; needed by `write`. */
  readonly system_id?: string;
  /** Default: 5000 readings, 4 MiB, 1 s. `max_bytes` is at most a quarter of the buffer and of the spool. */
  readonly batch?: Partial<BatchPolicy>;
  readonly buffer?: BufferOptions;
  /** `gzip` for bodies from 1 KiB on (default), or `none`. */
  readonly compression?: "gzip" | "none";
  /** Batches under way at a time; 1 (default) keeps their order. */
  readonly concurrency?: number;
  /** When a batch counts as acknowledged: with its 202 (default), or when its job has ended. */
  readonly acknowledge?: "accepted" | "committed";
  /**
   * Default: 60 s an attempt, 300 s in all, waits of up to 0.1 s that grow to 30 s. What was given to `write` is
   * tried again without an end; each time `deadline_ms` is over, a problem is told.
   */
  readonly retry?: Partial<RetryPolicy>;
  /** Keeps readings on disk until they are acknowledged, over crashes of this process. */
  readonly spool?: SpoolOptions;
  /** Default: the runtime's. */
  readonly fetch?: typeof fetch;
  readonly surroundings?: Surroundings;
}

export interface BufferOptions {
  /** In memory, beside the batches being sent; default 64 MiB. With a spool: what waits for the disk. */
  readonly max_bytes?: number;
  /** What a write does when there is no room; default `wait`. */
  readonly when_full?: WhenFull;
  /** Writes that may wait for room at a time; default 1000. */
  readonly max_waiting?: number;
}

export interface SpoolOptions {
  /** A folder for this client alone; made when missing. */
  readonly folder: string;
  /** Of all files in the folder; default 1 GiB. When it is reached new readings wait or are refused; old ones stay. */
  readonly max_bytes?: number;
  /** A file is closed at this size; default 8 MiB, at most a quarter of `max_bytes`. */
  readonly segment_bytes?: number;
  /**
   * When the disk is made to keep what was written. All of them survive the death of the process. `always`: before
   * a write resolves, survives a power cut; `interval` (default): within a second; `never`: when the system likes.
   */
  readonly fsync?: FsyncPolicy;
}

/** A batch that a callback is about. */
export interface BatchInfo {
  readonly idempotency_key: string;
  readonly readings: number;
}

/** All optional. They are called after the fact; what they throw is the program's, not the client's. */
export interface ClientEvents {
  readonly onAccepted?: (batch: BatchInfo, acceptance: Acceptance) => void;
  /** With `acknowledge: "committed"`: how the job ended. */
  readonly onEnded?: (batch: BatchInfo, job: Job) => void;
  /** The service refused the batch for good. With a spool it is kept in the folder `rejected` as well. */
  readonly onRefused?: (batch: BatchInfo, error: RequestRefusedError, readings: () => Reading[]) => void;
  /**
   * Nothing is given up, but somebody should look: a refused login, a damaged spool, a disk that cannot be written.
   * Default, and for refused batches without `onRefused`: a warning of the process (`process.emitWarning`).
   */
  readonly onProblem?: (error: Error) => void;
}

/** Every bound, as it holds. */
export interface Settings {
  readonly base_url: string;
  readonly system_id: string | null;
  readonly batch: BatchPolicy;
  readonly buffer: Required<BufferOptions>;
  readonly compress_above_bytes: number;
  readonly concurrency: number;
  readonly acknowledge: "accepted" | "committed";
  readonly retry: RetryPolicy;
  readonly spool: Required<SpoolOptions> | null;
  readonly fetch: typeof fetch;
  readonly surroundings: Surroundings;
}

const MIB = 1_048_576;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Below that a request is one packet or so either way. */
const COMPRESS_ABOVE_BYTES = 1024;
/** The service's own bound. */
const MAX_READINGS = 10_000;

/** @throws {OptionsError} naming the first option that cannot work */
export function settingsOf(options: ClientOptions): Settings {
  const { system_id, compression = "gzip", acknowledge = "accepted" } = options;
  if (system_id !== undefined && !UUID.test(system_id)) throw new OptionsError("system_id must be a UUID");
  oneOf("compression", compression, ["gzip", "none"]);
  oneOf("acknowledge", acknowledge, ["accepted", "committed"]);
  const buffer = bufferOf(options.buffer ?? {});
  const spool = options.spool ? spoolOf(options.spool) : null;
  // Several batches have room at a time, or nothing could be written while one is sent.
  const largest_batch = Math.floor(Math.min(buffer.max_bytes, spool?.max_bytes ?? buffer.max_bytes) / 4);
  return {
    base_url: baseUrl(options.url),
    system_id: system_id ?? null,
    batch: batchOf(options.batch ?? {}, largest_batch),
    buffer,
    compress_above_bytes: compression === "gzip" ? COMPRESS_ABOVE_BYTES : Number.POSITIVE_INFINITY,
    concurrency: whole("concurrency", options.concurrency ?? 1, 1, 1024),
    acknowledge,
    retry: retryOf(options.retry ?? {}),
    spool,
    fetch: options.fetch ?? globalThis.fetch,
    surroundings: options.surroundings ?? realSurroundings,
  };
}

function batchOf(given: Partial<BatchPolicy>, largest: number): BatchPolicy {
  const { max_readings = 5000, max_bytes = Math.min(4 * MIB, largest), max_age_ms = 1000 } = given;
  return {
    max_readings: whole("batch.max_readings", max_readings, 1, MAX_READINGS),
    max_bytes: whole("batch.max_bytes", max_bytes, 1024, largest),
    max_age_ms: atLeast("batch.max_age_ms", max_age_ms, 0),
  };
}

function bufferOf({ max_bytes = 64 * MIB, when_full = "wait", max_waiting = 1000 }: BufferOptions) {
  oneOf("buffer.when_full", when_full, ["wait", "throw"]);
  return {
    max_bytes: whole("buffer.max_bytes", max_bytes, 4096),
    when_full,
    max_waiting: whole("buffer.max_waiting", max_waiting, 0),
  };
}

function retryOf(given: Partial<RetryPolicy>): RetryPolicy {
  const { attempt_timeout_ms = 60_000, deadline_ms = 300_000 } = given;
  const { first_backoff_ms = 100, max_backoff_ms = 30_000 } = given;
  return {
    attempt_timeout_ms: atLeast("retry.attempt_timeout_ms", attempt_timeout_ms, 1),
    deadline_ms: atLeast("retry.deadline_ms", deadline_ms, 1),
    first_backoff_ms: atLeast("retry.first_backoff_ms", first_backoff_ms, 0),
    max_backoff_ms: atLeast("retry.max_backoff_ms", max_backoff_ms, 0),
  };
}

function spoolOf({ folder, max_bytes = 1024 * MIB, segment_bytes, fsync = "interval" }: SpoolOptions) {
  if (typeof folder !== "string" || folder === "") throw new OptionsError("spool.folder must be a path");
  oneOf("spool.fsync", fsync, ["always", "interval", "never"]);
  whole("spool.max_bytes", max_bytes, 16_384);
  const largest = Math.floor(max_bytes / 4);
  const segment = segment_bytes ?? Math.min(8 * MIB, largest);
  return { folder, max_bytes, segment_bytes: whole("spool.segment_bytes", segment, 4096, largest), fsync };
}

function baseUrl(text: string): string {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : null;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new OptionsError("url must be an http:// or https:// URL");
  }
  if (url.username !== "" || url.search !== "" || url.hash !== "") {
    throw new OptionsError("url must be without credentials, query and fragment");
  }
  return (url.origin + url.pathname).replace(/\/+$/, "");
}

function oneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (!allowed.includes(value as string))
    throw new OptionsError(`${name} must be one of ${allowed.join(", ")}`);
}

function whole(name: string, value: number, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new OptionsError(`${name} must be a whole number from ${min} to ${max}`);
}

function atLeast(name: string, value: number, min: number): number {
  if (typeof value === "number" && value >= min) return value;
  throw new OptionsError(`${name} must be a number from ${min}`);
}
