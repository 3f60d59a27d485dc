/** The span of a request, in the words of OpenTelemetry's semantic conventions for HTTP servers. */
import type { Context } from "hono";
import { NO_SPAN, type Span, type Tracer } from "../ops/trace.ts";
import { parseContext } from "../ops/trace-context.ts";
import type { AppEnv } from "./app-env.ts";
import { METHODS } from "./http-metrics.ts";

/** Asked by machines every few seconds: they begin no trace of their own. */
const UNTRACED: ReadonlySet<string> = new Set(["/livez", "/readyz", "/metrics"]);

/** Goes on with the caller's trace, or begins one. */
export function beginRequest(tracer: Pick<Tracer, "begin">, c: Context<AppEnv>): Span {
  const traceparent = c.req.header("traceparent");
  const parent = traceparent === undefined ? null : parseContext(traceparent, c.req.header("tracestate"));
  if (parent === null && UNTRACED.has(c.req.path)) return NO_SPAN;
  return tracer.begin("HTTP", parent, { kind: "server" });
}

/** @param route the pattern that matched, or null */
export function endRequest(span: Span, c: Context<AppEnv>, route: string | null): void {
  if (span.recording) describe(span, c, route);
  span.end();
}

function describe(span: Span, c: Context<AppEnv>, route: string | null): void {
  const { method, path } = c.req;
  const { hostname, port, protocol } = new URL(c.req.url);
  const status = c.res.status;
  const isKnown = METHODS.has(method);
  span.rename([isKnown ? method : "HTTP", route].filter((part) => part !== null).join(" "));
  span.set({
    "http.request.method": isKnown ? method : "_OTHER",
    "http.request.method_original": isKnown ? undefined : method,
    "http.route": route ?? undefined,
    "http.response.status_code": status,
    "url.path": path,
    "url.scheme": protocol.slice(0, -1),
    "server.address": hostname,
    "server.port": port === "" ? undefined : Number(port),
    "user_agent.original": c.req.header("User-Agent"),
    "hydraulic.request_id": c.get("request_id"),
    "hydraulic.job_id": c.get("job_id"),
  });
  // What a client did wrong is no failure of a server (4xx).
  if (status >= 500) span.fail(c.error ?? `answered ${status}`, String(status));
}
