/** What can go wrong between a feeder and the service. Told apart by class; the text is for people. */

/** Base of every error that ends a feeder's exchange. */
export abstract class FeedError extends Error {}

/** Problem details of RFC 9457, as far as an answer carries them. */
export interface Problem {
  readonly title: string | null;
  readonly detail: string | null;
  /** `pointer: detail` of each entry of `errors[]`. */
  readonly errors: readonly string[];
}

/** The service does not accept the user name or the password. */
export class LoginRefusedError extends FeedError {
  override readonly name = "LoginRefusedError";
  constructor(
    readonly username: string,
    readonly status: number,
  ) {
    super(`the service refuses the login of "${username}" (${status}): check the user name and the password`);
  }
}

/** An answer that sending again cannot change: 400, 403, 404, 413, 415, 422 and their like. */
export class RequestRefusedError extends FeedError {
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
export class RetriesExhaustedError extends FeedError {
  override readonly name = "RetriesExhaustedError";
  constructor(
    what: string,
    readonly attempts: number,
    deadline_ms: number,
    /** `connection`, `timeout` or the last status. */
    readonly last: string,
    cause?: unknown,
  ) {
    const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
    super(`${what} had no answer within ${deadline_ms / 1000} s (${times}, last: ${last})`, { cause });
  }
}

/** A success whose body is not what the API promises. */
export class UnexpectedAnswerError extends FeedError {
  override readonly name = "UnexpectedAnswerError";
}

/** A job that did not end in time. */
export class JobDeadlineError extends FeedError {
  override readonly name = "JobDeadlineError";
  constructor(
    readonly job_id: string,
    readonly status: string,
    deadline_ms: number,
  ) {
    super(`job ${job_id} is still ${status} after ${deadline_ms / 1000} s`);
  }
}

/** The person in front of the program ended it. */
export class StoppedError extends FeedError {
  override readonly name = "StoppedError";
  constructor() {
    super("stopped");
  }
}

/** Options or a mapping that cannot work; the text says which and what is allowed. */
export class UsageError extends FeedError {
  override readonly name = "UsageError";
}
