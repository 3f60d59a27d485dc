/** `GET /openapi.json`: the OpenAPI 3.1 document, made from the descriptions and schemas of the routes. */
import { describeRoute, openAPIRouteHandler } from "hono-openapi";
import packageFile from "../../../package.json" with { type: "json" };
import type { App } from "../deps.ts";
import { openApiOptions } from "../openapi/document.ts";

const describe = describeRoute({
  tags: ["Operation"],
  summary: "This document",
  operationId: "openapi",
  responses: {
    200: { description: "OpenAPI 3.1", content: { "application/json": { schema: { type: "object" } } } },
  },
});

export function mountOpenApi(app: App): void {
  app.get("/openapi.json", describe, openAPIRouteHandler(app, openApiOptions(packageFile.version)));
}
