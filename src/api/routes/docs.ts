/** `GET /docs`: Swagger UI from this machine's own files, for trying the API by hand. */
import { dirname, join } from "node:path";
import { html } from "hono/html";
import type { App } from "../app-env.ts";
import { ProblemError } from "../problem-error.ts";

/** Only files of this service, no inline script; `data:` is for the icons inside Swagger UI's style sheet. */
const DOCS_CONTENT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const SWAGGER_UI = dirname(Bun.resolveSync("swagger-ui-dist/package.json", import.meta.dir));

/** Files that may be asked for, with their media types. */
const FILES: Readonly<Record<string, { readonly path: string; readonly type: string }>> = {
  "swagger-ui.css": { path: join(SWAGGER_UI, "swagger-ui.css"), type: "text/css" },
  "swagger-ui-bundle.js": { path: join(SWAGGER_UI, "swagger-ui-bundle.js"), type: "text/javascript" },
  "favicon-32x32.png": { path: join(SWAGGER_UI, "favicon-32x32.png"), type: "image/png" },
  "start.js": { path: join(import.meta.dir, "../docs/start.js"), type: "text/javascript" },
};

const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hydraulic Ingest API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>`;

export function mountDocs(app: App): void {
  app.get("/docs", (c) => {
    c.header("Content-Security-Policy", DOCS_CONTENT_POLICY);
    c.header("Cache-Control", "no-cache");
    return c.html(page);
  });
  app.get("/docs/:file", async (c) => {
    const name = c.req.param("file");
    if (!Object.hasOwn(FILES, name)) throw new ProblemError("not-found");
    const { path, type } = FILES[name]!;
    c.header("Content-Type", type);
    c.header("Cache-Control", "public, max-age=3600");
    return c.body(Bun.file(path).stream());
  });
}
