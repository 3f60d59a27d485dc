/** `GET /openapi.json`: the OpenAPI 3.1 document, made from the descriptions and schemas of the routes. */
import { describeRoute, generateSpecs } from "hono-openapi";
import packageFile from "../../../package.json" with { type: "json" };
import type { App } from "../app-env.ts";
import { openApiOptions, PUBLIC } from "../openapi/document.ts";
import { withPortablePatterns } from "../openapi/portable-patterns.ts";
import { withRequestHeaders } from "../openapi/request-headers.ts";
import { headersOf, problems } from "../openapi/responses.ts";

const describe = describeRoute({
  tags: ["Operation"],
  summary: "This document",
  description: "Made from the schemas that the service checks requests with. `/docs` shows it.",
  operationId: "openapi",
  security: PUBLIC,
  responses: {
    200: {
      description: "OpenAPI 3.1",
      headers: headersOf([]),
      content: { "application/json": { schema: { type: "object" }, example: { openapi: "3.1.0" } } },
    },
    ...problems("/openapi.json", []),
  },
});

/** Made once, at the first request: only then every route is there. */
async function documentText(app: App): Promise<string> {
  const document = await generateSpecs(app, openApiOptions(packageFile.version));
  return JSON.stringify(withPortablePatterns(withRequestHeaders(document)));
}

export function mountOpenApi(app: App): void {
  let text: Promise<string> | null = null;
  app.get("/openapi.json", describe, async (c) => {
    text ??= documentText(app);
    c.header("Content-Type", "application/json");
    c.header("Cache-Control", "no-cache");
    return c.body(await text);
  });
}
