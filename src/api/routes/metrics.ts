/** `GET /metrics`: everything in the registry, in the Prometheus text format 0.0.4. */
import { describeRoute } from "hono-openapi";
import type { App, RouteDeps } from "../deps.ts";

const describe = describeRoute({
  tags: ["Operation"],
  summary: "Prometheus metrics",
  operationId: "metrics",
  responses: {
    200: { description: "Text format", content: { "text/plain": { schema: { type: "string" } } } },
  },
});

export function mountMetrics(app: App, deps: RouteDeps): void {
  app.get("/metrics", describe, async (c) => {
    const text = await deps.metrics.metrics();
    return c.body(text, 200, { "Content-Type": deps.metrics.contentType, "Cache-Control": "no-store" });
  });
}
