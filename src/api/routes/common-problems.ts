/** Problems that many routes share, for their descriptions. */
import type { ProblemName } from "../../contract/problem.ts";

/** Of every read and every change. */
export const READ_PROBLEMS = [
  "invalid-request",
  "authentication-required",
  "invalid-token",
  "forbidden",
  "service-unavailable",
] as const satisfies readonly ProblemName[];
/** Of every request with a small JSON body. */
export const BODY_PROBLEMS = [
  "cross-site-request",
  "malformed-json",
  "malformed-encoding",
  "body-timeout",
  "body-too-large",
  "unsupported-media-type",
  "unsupported-content-encoding",
  "server-busy",
] as const satisfies readonly ProblemName[];
/** Of every change. */
export const CHANGE_PROBLEMS = [...READ_PROBLEMS, ...BODY_PROBLEMS] as const;
