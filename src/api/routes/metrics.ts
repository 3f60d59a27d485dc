/** `GET /metrics`: everything in the registry, in the Prometheus text format 0.0.4. */
import { describeRoute } from "hono-openapi";
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { PUBLIC } from "../openapi/document.ts";
import { headersOf, problems } from "../openapi/responses.ts";

const METRICS_EXAMPLE =
  "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n" +
  "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1762555800\n";

const describe = describeRoute({
  tags: ["Operation"],
  summary: "Prometheus metrics",
  description: "Counters and histograms of this process, for a scrape every few seconds.",
  operationId: "metrics",
  security: PUBLIC,
  responses: {
    200: {
      description: "Text format",
      headers: headersOf(["Cache-Control"]),
      content: { "text/plain": { schema: { type: "string" }, example: METRICS_EXAMPLE } },
    },
    ...problems("/metrics", []),
  },
});

export function mountMetrics(app: App, deps: Pick<RouteDeps, "metrics">): void {
  app.get("/metrics", describe, async (c) => {
    const text = await deps.metrics.metrics();
    return c.body(text, 200, { "Content-Type": deps.metrics.contentType });
  });
}
