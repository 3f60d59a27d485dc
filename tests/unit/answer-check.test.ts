/** The check that every flow test runs behind: what differs from the document is found. */
import { describe, expect, test } from "bun:test";
import { AnswerCheck, ContractError } from "../support/contract/answers.ts";
import type { OpenApiDocument } from "../support/contract/document.ts";

const job = { type: "object", required: ["id"], properties: { id: { type: "string", format: "uuid" } } };
const check = new AnswerCheck({
  paths: {
    "/jobs/{id}": {
      get: {
        operationId: "job",
        responses: {
          200: {
            headers: { "Retry-After": { schema: { type: "integer", minimum: 0 } } },
            content: { "application/json": { schema: { $ref: "#/components/schemas/Job" } } },
          },
          304: {},
        },
      },
    },
    "/jobs/newest": {
      get: { operationId: "newest", responses: { 200: { content: { "text/csv": {} } } } },
    },
  },
  components: { schemas: { Job: job }, securitySchemes: {} },
} as unknown as OpenApiDocument);

const answer = (body: unknown, headers: Record<string, string> = {}, status = 200) =>
  new Response(body === null ? null : JSON.stringify(body), {
    status,
    headers: body === null ? headers : { "Content-Type": "application/json", ...headers },
  });
const good = { id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a00" };

describe("an answer that the document allows", () => {
  test.each([
    ["as written", "/jobs/1", answer(good, { "Retry-After": "1" })],
    ["with a last slash and a query", "/jobs/1/?x=1", answer(good)],
    ["without a body", "/jobs/1", answer(null, {}, 304)],
    [
      "of the more literal path",
      "/jobs/newest",
      new Response("a", { headers: { "Content-Type": "text/csv" } }),
    ],
    ["404 of no operation", "/nothing", answer({}, {}, 404)],
  ])("passes: %s", async (_name, path, response) => {
    await check.check("GET", path, response);
  });
});

describe("an answer that the document does not allow is refused", () => {
  test.each([
    ["a status", answer(good, {}, 201), "the status is not documented"],
    ["a header", answer(good, { Location: "/x" }), "the header location is not documented"],
    ["a header's value", answer(good, { "Retry-After": "soon" }), "header Retry-After / must be"],
    ["a media type", new Response("x", { headers: { "Content-Type": "text/csv" } }), "media type text/csv"],
    ["a missing field", answer({}), "must have required property 'id'"],
    ["a wrong format", answer({ id: "1" }), '/id must match format "uuid"'],
    ["a further field", answer({ ...good, more: 1 }), "must NOT have additional properties"],
  ])("%s", async (_name, response, why) => {
    const refused = check.check("GET", "/jobs/1", response);
    await expect(refused).rejects.toThrow(ContractError);
    await expect(refused).rejects.toThrow(why);
  });
  test("a method of a known path", async () => {
    await expect(check.check("DELETE", "/jobs/1", answer(good))).rejects.toThrow("no such operation");
  });
});
