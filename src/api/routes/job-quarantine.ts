/** `GET /api/v1/jobs/{id}/quarantine`: why readings of one batch were refused, in the order of the batch. */
import { describeRoute } from "hono-openapi";
import { QuarantinePageSchema } from "../../contract/quarantine.ts";
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { QUARANTINE_EXAMPLE } from "../openapi/examples.ts";
import { JOB_ID_PARAMETER } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { onlyParameters, wholeParameter } from "../parameters.ts";
import { FOLLOWING } from "../roles.ts";
import { visibleJob } from "./job-access.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

const whole = (name: string, description: string, minimum: number, fallback: number, maximum?: number) => ({
  name,
  in: "query" as const,
  required: false,
  description,
  schema: {
    type: "integer" as const,
    minimum,
    default: fallback,
    ...(maximum === undefined ? {} : { maximum }),
  },
});

const describe = describeRoute({
  tags: ["Ingest"],
  summary: "The quarantined readings of a job",
  description: "In the order of the batch: `ordinal` is the position of a reading in it.",
  operationId: "getJobQuarantine",
  security: SECURITY,
  parameters: [
    JOB_ID_PARAMETER,
    whole("limit", "Readings on the page", 1, DEFAULT_LIMIT, MAX_LIMIT),
    whole("after", "Last ordinal seen; -1 begins", -1, -1),
  ],
  responses: {
    200: ok("Refused readings, and how many for each reason", QuarantinePageSchema, QUARANTINE_EXAMPLE),
    ...problems("/api/v1/jobs/x/quarantine", [
      "invalid-job-id",
      "invalid-request",
      "authentication-required",
      "invalid-token",
      "forbidden",
      "job-not-found",
      "service-unavailable",
    ]),
  },
});

export function mountJobQuarantine(app: App, deps: RouteDeps): void {
  app.get(
    "/api/v1/jobs/:job_id/quarantine",
    describe,
    authenticate(deps.tokens, undefined, FOLLOWING),
    async (c) => {
      onlyParameters(c, ["limit", "after"]);
      const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
      const after = wholeParameter(c, "after", { min: -1, max: Number.MAX_SAFE_INTEGER, fallback: -1 });
      const { job_id } = await visibleJob(deps, c);
      return c.json(await deps.quarantine.ofJob(job_id, Math.min(after, 2_147_483_647), limit));
    },
  );
}
