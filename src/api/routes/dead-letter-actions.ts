/** `POST …/dead-letters/{partition}/{entry}/replay` and `…/discard`: what becomes of a dead letter. */
import type { TSchema } from "@sinclair/typebox";
import { describeRoute } from "hono-openapi";
import { DeadLetterSchema } from "../../contract/oversight.ts";
import type { App } from "../app-env.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { smallJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { DEAD_LETTER_EXAMPLE } from "../openapi/oversight-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { REVIEWERS } from "../roles.ts";
import {
  DECISION_PROBLEMS,
  DiscardSchema,
  decisionAnswer,
  decisionOf,
  LETTER_PARAMETERS,
  letterKeyOf,
  MAX_NOTE_BYTES,
  ReplaySchema,
} from "./dead-letter-access.ts";

const PATH = "/api/v1/dead-letters/:partition/:entry";

const described = (schema: TSchema, texts: { summary: string; description: string; operationId: string }) =>
  describeRoute({
    ...texts,
    tags: ["Oversight"],
    security: SECURITY,
    parameters: LETTER_PARAMETERS,
    requestBody: {
      required: true,
      content: { "application/json": { schema: schemaOf(schema), example: { note: "Fixed in version 2" } } },
    },
    responses: {
      200: ok("The dead letter as it was", DeadLetterSchema, DEAD_LETTER_EXAMPLE),
      ...problems("/api/v1/dead-letters/0/1-0/action", DECISION_PROBLEMS),
    },
  });

const describeReplay = described(ReplaySchema, {
  summary: "Process a dead letter again",
  description:
    "It goes to the end of its stream, and its job is queued again. Timestamps are judged as of its first receipt. " +
    "Recorded in the audit. Admins and reviewers only.",
  operationId: "replayDeadLetter",
});
const describeDiscard = described(DiscardSchema, {
  summary: "Throw a dead letter away",
  description:
    "Its payload is deleted for good, and its job stays failed. The record keeps reason, job, size and the note. " +
    "Admins and reviewers only.",
  operationId: "discardDeadLetter",
});

const checkReplay = shapeCheck(ReplaySchema);
const checkDiscard = shapeCheck(DiscardSchema);

export function mountDeadLetterActions(app: App, { deadLetters, tokens, config }: RouteDeps): void {
  const read = smallJson(MAX_NOTE_BYTES, config.BODY_TIMEOUT_MS);
  const admit = [authenticate(tokens, REVIEWERS), requireEncodedJson] as const;
  app.post(`${PATH}/replay`, describeReplay, ...admit, async (c) => {
    const key = letterKeyOf(c);
    const { note = null } = checkReplay(await read(c));
    return decisionAnswer(c, deadLetters.replay(key, decisionOf(c, note)));
  });
  app.post(`${PATH}/discard`, describeDiscard, ...admit, async (c) => {
    const key = letterKeyOf(c);
    const { note } = checkDiscard(await read(c));
    return decisionAnswer(c, deadLetters.discard(key, decisionOf(c, note)));
  });
}
