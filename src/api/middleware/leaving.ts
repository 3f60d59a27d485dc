/**
 * What clients feel of a stop. From the wish on, each answer ends its connection, so that kept connections go to another
 * process and none is closed under a request. What is still in work when the time for it is nearly over is answered,
 * not cut: an upload that is too slow, a query that is too long.
 */
import type { MiddlewareHandler } from "hono";
import { unlessAborted } from "../../ops/retry.ts";
import type { AppEnv } from "../app-env.ts";
import type { ApiDeps } from "../deps.ts";
import { ProblemError } from "../problem-error.ts";

/** Another process, or the next start of this one, answers soon. */
const RETRY_AFTER_STOP_S = 1;

/** Inside of `observe`, around everything else. */
export function leaving({ stop }: Pick<ApiDeps, "stop">): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    // An Error that is thrown inside has become a response.
    await unlessAborted(next(), stop.hurry);
    if (!c.finalized && stop.hurry.aborted) throw stopped();
    if (stop.wanted.aborted) c.header("Connection", "close");
  };
}

function stopped(): ProblemError {
  return new ProblemError("service-unavailable", {
    detail: "This process of the service stops and cannot wait for the request to end. Send it again.",
    headers: { "Retry-After": String(RETRY_AFTER_STOP_S), Connection: "close" },
  });
}
