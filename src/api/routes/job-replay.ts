/** `POST /api/v1/jobs/{job_id}/replay`: process the dead letter of a failed job again. */
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
import { JOB_ID_PARAMETER } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { ProblemError } from "../problem-error.ts";
import { REVIEWERS } from "../roles.ts";
import {
  DECISION_PROBLEMS,
  decisionAnswer,
  decisionOf,
  MAX_NOTE_BYTES,
  ReplaySchema,
} from "./dead-letter-access.ts";
import { visibleJob } from "./job-access.ts";

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "Process a failed job again",
  description:
    "Replays the job's dead letter, as POST …/dead-letters/{partition}/{entry}/replay does. A job without one gets " +
    "409: it has not failed, failed for what its batch says, or was discarded. Admins and reviewers only.",
  operationId: "replayJob",
  security: SECURITY,
  parameters: [JOB_ID_PARAMETER],
  requestBody: {
    required: true,
    content: {
      "application/json": { schema: schemaOf(ReplaySchema), example: { note: "Fixed in version 2" } },
    },
  },
  responses: {
    200: ok("The dead letter as it was", DeadLetterSchema, DEAD_LETTER_EXAMPLE),
    ...problems("/api/v1/jobs/x/replay", [...DECISION_PROBLEMS, "invalid-job-id", "job-not-found"]),
  },
});

const checkReplay = shapeCheck(ReplaySchema);

export function mountJobReplay(app: App, deps: RouteDeps): void {
  const read = smallJson(MAX_NOTE_BYTES, deps.config.BODY_TIMEOUT_MS);
  const admit = [authenticate(deps.tokens, REVIEWERS), requireEncodedJson] as const;
  app.post("/api/v1/jobs/:job_id/replay", describe, ...admit, async (c) => {
    const { note = null } = checkReplay(await read(c));
    const { job_id } = await visibleJob(deps, c);
    const [letter] = await deps.deadLetters.letters.page(null, 1, { job_id, reach: null });
    if (!letter) throw new ProblemError("dead-letter-gone", { detail: "The job has no dead letter." });
    return decisionAnswer(c, deps.deadLetters.replay(letter, decisionOf(c, note)));
  });
}
