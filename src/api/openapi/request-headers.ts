/**
 * Request headers that follow from what an operation is, so that no route has to list them. They have no example:
 * Swagger UI would send it with each request.
 */
import type { generateSpecs } from "hono-openapi";

type Document = Awaited<ReturnType<typeof generateSpecs>>;
type Operation = NonNullable<NonNullable<NonNullable<Document["paths"]>[string]>["get"]>;
type Parameter = NonNullable<Operation["parameters"]>[number];

const header = (name: string, description: string, values?: readonly string[]): Parameter => ({
  name,
  in: "header",
  required: false,
  description,
  schema: { type: "string", ...(values ? { enum: [...values] } : {}) },
});

const REQUEST_ID = header(
  "X-Request-Id",
  "Comes back in the answer and in the log; one that could not stand in a log is replaced by a new one",
);
const IF_NONE_MATCH = header("If-None-Match", "ETag of the answer that the client has");
const CONTENT_ENCODING = header("Content-Encoding", "How the body is compressed", [
  "identity",
  "gzip",
  "deflate",
  "zstd",
]);

/** The document with `X-Request-Id` everywhere, and what goes with a body and with 304. */
export function withRequestHeaders(document: Document): Document {
  for (const path of Object.values(document.paths ?? {})) {
    for (const method of ["get", "put", "post", "patch", "delete"] as const) {
      const operation = path?.[method];
      if (operation) operation.parameters = [...(operation.parameters ?? []), ...headersOf(operation)];
    }
  }
  return document;
}

function headersOf({ requestBody, responses }: Operation): Parameter[] {
  return [
    ...(responses && "304" in responses ? [IF_NONE_MATCH] : []),
    ...(requestBody ? [CONTENT_ENCODING] : []),
    REQUEST_ID,
  ];
}
