/** The outermost middleware: request id, headers that every answer has, metrics, a span, and one log line. */
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Clock } from "../../ops/clock.ts";
import type { Logger } from "../../ops/log.ts";
import type { Tracer } from "../../ops/trace.ts";
import type { AppEnv } from "../app-env.ts";
import type { HttpMetrics } from "../http-metrics.ts";
import { beginRequest, endRequest } from "../http-span.ts";
import { setSecurityHeaders } from "../security-headers.ts";

/** Characters that are safe in a header, a log line and a shell. */
const SAFE_REQUEST_ID = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/** The client's own id when it is safe to repeat, else a new UUIDv7. */
export function requestIdFrom(header: string | undefined): string {
  return header !== undefined && SAFE_REQUEST_ID.test(header) ? header : Bun.randomUUIDv7();
}

/** Pattern of the route that matched, or null; wildcards are middleware. */
function matchedRoute(c: Context): string | null {
  const pattern = routePath(c, -1);
  return pattern.endsWith("*") ? null : pattern;
}

export function observe(
  clock: Clock,
  log: Logger,
  metrics: HttpMetrics,
  tracer: Pick<Tracer, "begin">,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const started_ms = clock.monotonic_ms();
    const request_id = requestIdFrom(c.req.header("X-Request-Id"));
    const span = beginRequest(tracer, c);
    c.set("request_id", request_id);
    c.set("span", span);
    c.header("X-Request-Id", request_id);
    setSecurityHeaders(c);
    await next();
    const duration_ms = clock.monotonic_ms() - started_ms;
    const status = c.res.status;
    const route = matchedRoute(c);
    endRequest(span, c, route);
    metrics.observe(route ?? "unmatched", c.req.method, status, duration_ms - (c.get("waited_ms") ?? 0));
    const level = status >= 500 ? "info" : "debug";
    if (!log.isLevelEnabled(level)) return;
    log[level](
      {
        request_id,
        trace_id: span.context?.trace_id,
        method: c.req.method,
        path: c.req.path,
        status,
        ms: Math.round(duration_ms * 100) / 100,
        user: c.get("claims")?.username,
        job_id: c.get("job_id"),
      },
      "request",
    );
  };
}
