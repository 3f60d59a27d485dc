/** Errors on their way out: one class for what a client is told, and the mapping of everything else. */
import type { Context } from "hono";
import {
  PROBLEM_MEDIA_TYPE,
  PROBLEMS,
  type ProblemDetails,
  type ProblemItem,
  type ProblemName,
  problemType,
} from "../contract/problem.ts";
import { StoreUnavailableError } from "../store/pool.ts";
import { StreamUnavailableError } from "../stream/connection.ts";
import { IdentityProviderAwayError } from "./auth/jwks-source.ts";

/** Seconds after which a client may try again when a dependency is away. */
const RETRY_AFTER_UNAVAILABLE_S = 2;
/** Seconds after which a client may try again when the backlog is full: a worker needs time to make room. */
export const RETRY_AFTER_BACKLOG_S = 5;

interface ProblemOptions {
  /** For the client: what happened this time. Without it, the explanation of the type. */
  readonly detail?: string;
  readonly errors?: readonly ProblemItem[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the problem (RFC 9457 section 3.2). */
  readonly members?: Readonly<Record<string, unknown>>;
  /** For operators: goes to the log and never to the client. */
  readonly operator?: string;
  readonly cause?: unknown;
}

/** Ends a request with problem details. `message` is for operators, `detail` for the client. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly detail: string;
  readonly errors: readonly ProblemItem[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    readonly problem: ProblemName,
    options: ProblemOptions = {},
  ) {
    const detail = options.detail ?? PROBLEMS[problem].about;
    super(options.operator ?? detail, { cause: options.cause });
    this.detail = detail;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
  }
}

/** The problem behind any error. An error that nobody expected is an `internal-error` without details. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const isAway =
    error instanceof StreamUnavailableError ||
    error instanceof StoreUnavailableError ||
    error instanceof IdentityProviderAwayError;
  if (isAway) {
    return new ProblemError("service-unavailable", {
      headers: { "Retry-After": String(RETRY_AFTER_UNAVAILABLE_S) },
      operator: error.message,
      cause: error,
    });
  }
  return new ProblemError("internal-error", {
    operator: error instanceof Error ? error.message : "a value that is no Error was thrown",
    cause: error,
  });
}

/** The details of `error` for one request. */
export function problemDetails(c: Context, error: ProblemError): ProblemDetails {
  const { status, title } = PROBLEMS[error.problem];
  return {
    type: problemType(error.problem),
    title,
    status,
    detail: error.detail,
    // As requested: the router's own path has lost its last slash.
    instance: new URL(c.req.url).pathname,
    ...(error.errors ? { errors: [...error.errors] } : {}),
  };
}

/** Makes the answer to a request that ended in an error, with the headers set so far. */
export type ProblemView = (c: Context, error: ProblemError) => Response;

/** Problem details. */
export const problemResponse: ProblemView = (c, error) =>
  c.body(JSON.stringify({ ...error.members, ...problemDetails(c, error) }), PROBLEMS[error.problem].status, {
    ...error.headers,
    "Content-Type": PROBLEM_MEDIA_TYPE,
    "Cache-Control": "no-store",
  });
