/** What can go wrong. Told apart by class; the text is for people. */

/** Base of every error of this client. */
export abstract class HydraulicClientError extends Error {}

/** Problem details of RFC 9457, as far as an answer carries them. */
export interface Problem {
  readonly type: string | null;
  readonly title: string | null;
  readonly detail: string | null;
  /** `pointer: detail` of each entry of `errors[]`. */
  readonly errors: readonly string[];
}

/** The service does not accept the user name or the password. */
export class LoginRefusedError extends HydraulicClientError {
  override readonly name = "LoginRefusedError";
  constructor(
    readonly username: string,
    readonly status: number,
  ) {
    super(`the service refuses the login of "${username}" (${status}): check the user name and the password`);
  }
}

/** An answer that sending the same again cannot change: 400, 401, 403, 404, 413, 415, 422 and their like. */
export class RequestRefusedError extends HydraulicClientError {
  override readonly name = "RequestRefusedError";
  constructor(
    what: string,
    readonly status: number,
    readonly problem: Problem,
  ) {
    const told = [problem.detail ?? problem.title, ...problem.errors].filter((t) => t !== null);
    super(`${what} was refused with ${status}${told.length > 0 ? `: ${told.join("; ")}` : ""}`);
  }
}

/** No final answer within the deadline, whatever was tried; `cause` holds the last error, if it was one. */
export class RetriesExhaustedError extends HydraulicClientError {
  override readonly name = "RetriesExhaustedError";
  constructor(
    what: string,
    readonly attempts: number,
    deadline_ms: number,
    /** `connection`, `timeout` or the last status. */
    readonly last: string,
    /** What the service asked to wait before the next attempt, ms; 0 when it did not. */
    readonly retry_after_ms: number,
    cause?: unknown,
  ) {
    const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
    super(`${what} had no answer within ${deadline_ms / 1000} s (${times}, last: ${last})`, { cause });
  }
}

/** A success whose body is not what the API promises. */
export class UnexpectedAnswerError extends HydraulicClientError {
  override readonly name = "UnexpectedAnswerError";
}

/** A job that did not end in time. */
export class JobDeadlineError extends HydraulicClientError {
  override readonly name = "JobDeadlineError";
  constructor(
    readonly job_id: string,
    readonly status: string,
    deadline_ms: number,
  ) {
    super(`job ${job_id} is still ${status} after ${deadline_ms / 1000} s`);
  }
}

/** A job that ended as failed: the service keeps its payload, but stored nothing of it. */
export class JobFailedError extends HydraulicClientError {
  override readonly name = "JobFailedError";
  constructor(
    readonly job_id: string,
    error_message: string | null,
  ) {
    super(`job ${job_id} failed: ${error_message ?? "no reason given"}`);
  }
}

/** A signal of the caller, or `close`, ended the request. */
export class StoppedError extends HydraulicClientError {
  override readonly name = "StoppedError";
  constructor() {
    super("stopped");
  }
}

/** An option that cannot work; the text names it and says what is allowed. */
export class OptionsError extends HydraulicClientError {
  override readonly name = "OptionsError";
}

/** There is no room for the readings; none of them was taken. */
export class BufferFullError extends HydraulicClientError {
  override readonly name = "BufferFullError";
}

/** `write` or `flush` after `close`. */
export class ClosedError extends HydraulicClientError {
  override readonly name = "ClosedError";
  constructor() {
    super("the client is closed");
  }
}

/** Some of what `flush` waited for is not acknowledged. It stays buffered and is sent on. */
export class FlushDeadlineError extends HydraulicClientError {
  override readonly name = "FlushDeadlineError";
  constructor(deadline_ms: number, last: string | null) {
    const why = last === null ? "" : ` (last: ${last})`;
    super(`the service has not acknowledged everything within ${deadline_ms / 1000} s${why}`);
  }
}

/** The service refused batches for good since the flush before; `cause` is the first refusal. */
export class NotAcceptedError extends HydraulicClientError {
  override readonly name = "NotAcceptedError";
  constructor(
    readonly batches: number,
    readonly readings: number,
    cause: Error,
  ) {
    super(`${readings} readings in ${batches} batches were not accepted; the first: ${cause.message}`, {
      cause,
    });
  }
}

/** `close` without a spool gave up on readings that the service did not acknowledge. */
export class UnsentError extends HydraulicClientError {
  override readonly name = "UnsentError";
  constructor(
    readonly readings: number,
    cause: unknown,
  ) {
    super(`${readings} readings were not acknowledged and are lost: ${textOf(cause)}`, { cause });
  }
}

/** Another process, or another client of this one, works in the spool's folder. */
export class SpoolLockedError extends HydraulicClientError {
  override readonly name = "SpoolLockedError";
}

/** The spool could not be written; the readings concerned were not taken. `cause` is the disk's error. */
export class SpoolWriteError extends HydraulicClientError {
  override readonly name = "SpoolWriteError";
  constructor(folder: string, cause: unknown) {
    super(`the spool ${folder} cannot be written: ${textOf(cause)}`, { cause });
  }
}

/** Part of the spool cannot be read any more. It is kept for people to look at; the rest is sent. */
export class SpoolDamagedError extends HydraulicClientError {
  override readonly name = "SpoolDamagedError";
  constructor(
    /** Where the damaged file is kept, once what is whole of it was sent. */
    readonly file: string,
    /** Bytes that could not be sent. */
    readonly bytes: number,
  ) {
    super(`${bytes} bytes of the spool are damaged and were not sent; the file is kept as ${file}`);
  }
}

/** What an error says, for a message to a person. */
export function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
