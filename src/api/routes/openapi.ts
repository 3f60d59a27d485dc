/** `GET /openapi.json`: the OpenAPI 3.1 document, made from the descriptions and schemas of the routes. */
import { describeRoute, openAPIRouteHandler } from "hono-openapi";
import packageFile from "../../../package.json" with { type: "json" };
import type { App } from "../deps.ts";
import { openApiOptions, PUBLIC } from "../openapi/document.ts";
import { headersOf, problems } from "../openapi/responses.ts";

const describe = describeRoute({
  tags: ["Operation"],
  summary: "This document",
  operationId: "openapi",
  security: PUBLIC,
  responses: {
    200: {
      description: "OpenAPI 3.1",
      headers: headersOf([]),
      content: { "application/json": { schema: { type: "object" } } },
    },
    ...problems("/openapi.json", []),
  },
});

export function mountOpenApi(app: App): void {
  app.get("/openapi.json", describe, openAPIRouteHandler(app, openApiOptions(packageFile.version)));
}
