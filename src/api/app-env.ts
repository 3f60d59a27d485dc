/** Hono's types for this app: what the server and the middleware know of a request. */
import type { Context, Hono } from "hono";
import type { Span } from "../ops/trace.ts";
import type { Claims } from "./auth/claims.ts";
import type { BatchForm } from "./batch/batch-form.ts";
import type { ProblemView } from "./problem-error.ts";

/** What the HTTP server knows about a request and Hono does not. */
export interface ServerBindings {
  /** IP address that a request comes from; a header is believed when one of the operator's proxies wrote it. */
  readonly clientAddress: (request: Request) => string;
  /** Let the connection be silent for so long. */
  readonly patience: (request: Request, seconds: number) => void;
  /** Set when a body may take longer than the server's largest idle timeout: lifts it while the body arrives. */
  readonly slowBody?: {
    readonly begin: (request: Request) => void;
    readonly end: (request: Request) => void;
  };
}

export interface AppEnv {
  Bindings: Partial<ServerBindings>;
  Variables: {
    request_id: string;
    /** Of the request; its context is null when there is no trace. */
    span: Span;
    /** Set by `authenticate`. */
    claims: Claims;
    /** Set when the request concerns one job; for the log line. */
    job_id: string;
    /** Set by `readWait`: for how long the client wants to wait for its job, and whether by `Prefer`. */
    wait?: { readonly s: number; readonly isPreference: boolean };
    /** Set when it did: no part of what an answer takes. */
    waited_ms: number;
    /** Set on the way to the intake of batches. */
    batch_form: BatchForm;
    /** Set by routes whose clients do not know problem details. */
    problem_view?: ProblemView;
  };
}

export type App = Hono<AppEnv>;
export type AppContext = Context<AppEnv>;
