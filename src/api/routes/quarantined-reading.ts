/** `GET /api/v1/quarantine/{id}`: one quarantined reading with what a decision about it needs. */
import { describeRoute } from "hono-openapi";
import { QuarantinedReadingDetailSchema } from "../../contract/quarantine-review.ts";
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { answerJson } from "../formats/answer.ts";
import { QUERY_HEADERS } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { QUARANTINED_READING_EXAMPLE } from "../openapi/quarantine-examples.ts";
import { notModified, ok, problems } from "../openapi/responses.ts";
import { onlyParameters, pathCount } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { READERS } from "../roles.ts";
import { QUARANTINE_PROBLEMS } from "./quarantine-access.ts";
import { nowOf, queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/quarantine/:id";

const describe = describeRoute({
  tags: ["Quarantine"],
  summary: "A quarantined reading",
  description:
    "With what the sensor holds at its timestamp, the range that refused it, stored and refused readings before " +
    "and after it (at most half an hour on each side; fewer, when 2,000 stored ones are nearer), and the record of what " +
    "was done about it.",
  operationId: "getQuarantinedReading",
  security: SECURITY,
  parameters: [
    {
      name: "id",
      in: "path",
      required: true,
      description: "Id of the quarantined reading",
      schema: { type: "integer", minimum: 1 },
      example: QUARANTINED_READING_EXAMPLE.id,
    },
  ],
  responses: {
    200: ok(
      "The reading, what is around it, and its history",
      QuarantinedReadingDetailSchema,
      QUARANTINED_READING_EXAMPLE,
      QUERY_HEADERS,
    ),
    304: notModified(QUERY_HEADERS),
    ...problems("/api/v1/quarantine/1", [...QUARANTINE_PROBLEMS, "quarantined-reading-not-found"]),
  },
});

export function mountQuarantinedReading(app: App, { queries, clock, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, []);
      const reading = await queries.quarantinedReading.get(pathCount(c, "id"), c.get("claims").systems, {
        signal: c.req.raw.signal,
      });
      if (reading === null) throw new ProblemError("quarantined-reading-not-found");
      const now_us = nowOf(clock);
      return answerJson(c, reading, { to_us: now_us, now_us });
    }),
  );
}
