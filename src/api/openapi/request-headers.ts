/** Request headers that follow from what an operation is, so that no route has to list them. */
import type { generateSpecs } from "hono-openapi";

type Document = Awaited<ReturnType<typeof generateSpecs>>;
type Operation = NonNullable<NonNullable<NonNullable<Document["paths"]>[string]>["get"]>;
type Parameter = NonNullable<Operation["parameters"]>[number];

const header = (name: string, description: string, schema: object, example: string): Parameter => ({
  name,
  in: "header",
  required: false,
  description,
  schema: { type: "string", ...schema },
  example,
});

const REQUEST_ID = header(
  "X-Request-Id",
  "Comes back in the answer and in the log; one that could not stand in a log is replaced by a new one",
  {},
  "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
);
const IF_NONE_MATCH = header("If-None-Match", "ETag of the answer that the client has", {}, '"3"');
const CONTENT_ENCODING = header(
  "Content-Encoding",
  "How the body is compressed",
  { enum: ["identity", "gzip", "deflate", "zstd"] },
  "gzip",
);

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
