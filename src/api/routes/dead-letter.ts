/** `GET /api/v1/dead-letters/{partition}/{entry}`: one dead letter with its payload. */
import { describeRoute } from "hono-openapi";
import { DeadLetterDetailSchema } from "../../contract/oversight.ts";
import { isLetterWithin } from "../../stream/dead-letters.ts";
import type { App } from "../app-env.ts";
import { payloadOf, SHOWN_BYTES } from "../dead-letter-payload.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { DEAD_LETTER_DETAIL_EXAMPLE } from "../openapi/oversight-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { ProblemError } from "../problem-error.ts";
import { READERS } from "../roles.ts";
import { READ_PROBLEMS } from "./common-problems.ts";
import { LETTER_PARAMETERS, letterKeyOf, toLetterView } from "./dead-letter-access.ts";

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "A dead letter with its payload",
  description: `At most the first ${SHOWN_BYTES / 1024} KiB of the payload. Not for producers.`,
  operationId: "getDeadLetter",
  security: SECURITY,
  parameters: LETTER_PARAMETERS,
  responses: {
    200: ok("The dead letter", DeadLetterDetailSchema, DEAD_LETTER_DETAIL_EXAMPLE),
    ...problems("/api/v1/dead-letters/0/1-0", [...READ_PROBLEMS, "dead-letter-not-found"]),
  },
});

export function mountDeadLetter(app: App, { deadLetters, tokens }: RouteDeps): void {
  app.get("/api/v1/dead-letters/:partition/:entry", describe, authenticate(tokens, READERS), async (c) => {
    const found = await deadLetters.letters.open(letterKeyOf(c));
    if (!found || !isLetterWithin(c.get("claims").systems, found.letter))
      throw new ProblemError("dead-letter-not-found");
    const answer = { ...toLetterView(found.letter), payload: payloadOf(found.fields) };
    return c.json(answer);
  });
}
