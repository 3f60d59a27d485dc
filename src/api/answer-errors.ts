/** Every error of a request becomes a problem; only what nobody expected is logged here, with its stack. */
import type { Logger } from "../ops/log.ts";
import type { App } from "./app-env.ts";
import { asProblem, problemResponse } from "./problem-error.ts";

/** @param deps.log gets what an operator should know */
export function answerErrors(app: App, { log }: { readonly log: Logger }): void {
  app.onError((error, c) => {
    const problem = asProblem(error);
    const about = { request_id: c.get("request_id"), trace_id: c.get("span")?.context?.trace_id };
    if (problem.problem === "internal-error") log.error({ err: error, ...about }, "a request failed");
    else if (problem.cause instanceof Error && problem.problem === "service-unavailable") {
      log.warn({ ...about, reason: problem.message }, "a dependency is away");
    }
    const view = c.get("problem_view") ?? problemResponse;
    return view(c, problem);
  });
}
