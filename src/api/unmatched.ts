/** Requests that no route takes: 405 with Allow when the address exists for other methods, else 404. */
import type { App } from "./app-env.ts";
import { ProblemError, problemResponse } from "./problem-error.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

/** The methods that have a handler (and not only middleware) at this path; GET answers HEAD too. */
function methodsAt(app: App, path: string): string[] {
  return METHODS.filter((method) =>
    app.router.match(method, path)[0].some(([[, route]]) => route.method === method),
  ).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}

export function mountUnmatched(app: App): void {
  app.notFound((c) => {
    const allowed = methodsAt(app, c.req.path.replace(/(.)\/$/, "$1"));
    if (allowed.length === 0) return problemResponse(c, new ProblemError("not-found"));
    const Allow = allowed.join(", ");
    return problemResponse(
      c,
      new ProblemError("method-not-allowed", {
        detail: `${c.req.method} is not allowed here; allowed: ${Allow}.`,
        headers: { Allow },
      }),
    );
  });
}
