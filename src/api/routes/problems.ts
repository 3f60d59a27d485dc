/** `GET /problems/{name}`: what the `type` of a problem stands for, as a page or as JSON. */
import { Type } from "@sinclair/typebox";
import { accepts } from "hono/accepts";
import { html } from "hono/html";
import { describeRoute } from "hono-openapi";
import { PROBLEMS, type ProblemName, problemType } from "../../contract/problem.ts";
import type { App } from "../app-env.ts";
import { PUBLIC } from "../openapi/document.ts";
import { ok, problems } from "../openapi/responses.ts";
import { ProblemError } from "../problem-error.ts";

const ExplanationSchema = Type.Object({
  type: Type.String({ format: "uri-reference" }),
  title: Type.String(),
  status: Type.Integer(),
  about: Type.String(),
});

const example: ProblemName = "backlog-full";
const explanation = ok(
  "The explanation; a page for clients that prefer text/html",
  ExplanationSchema,
  { type: problemType(example), ...PROBLEMS[example] },
  ["Vary"],
);
const HTML_EXAMPLE = `<!doctype html><title>${PROBLEMS[example].title}</title>`;

const describe = describeRoute({
  tags: ["Operation"],
  summary: "What a type of problem means",
  description: "Each `type` of a problem (RFC 9457) is the address of its explanation.",
  operationId: "explainProblem",
  security: PUBLIC,
  parameters: [
    {
      name: "name",
      in: "path",
      required: true,
      description: "Last part of the problem's `type`",
      schema: { type: "string", enum: Object.keys(PROBLEMS) },
    },
  ],
  responses: {
    200: {
      ...explanation,
      content: { ...explanation.content, "text/html": { schema: { type: "string" }, example: HTML_EXAMPLE } },
    },
    ...problems("/problems/x", ["not-found"]),
  },
});

function isProblem(name: string): name is ProblemName {
  return Object.hasOwn(PROBLEMS, name);
}

export function mountProblems(app: App): void {
  app.get("/problems/:name", describe, (c) => {
    const name = c.req.param("name");
    if (!isProblem(name)) throw new ProblemError("not-found");
    const { title, status, about } = PROBLEMS[name];
    c.header("Vary", "Accept");
    c.header("Cache-Control", "no-cache");
    const supports = ["application/json", "text/html"];
    if (accepts(c, { header: "Accept", supports, default: "application/json" }) === "application/json") {
      return c.json({ type: problemType(name), title, status, about });
    }
    return c.html(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>
<body><h1>${title}</h1><p>Status ${status}, type <code>${problemType(name)}</code></p><p>${about}</p></body></html>`);
  });
}
