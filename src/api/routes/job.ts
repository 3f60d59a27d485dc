/** `GET /api/v1/jobs/{id}/`: the state of one batch, from Redis, and from Postgres when Redis has forgotten it. */
import { describeRoute } from "hono-openapi";
import { isTerminal, JobViewSchema, toJobView } from "../../contract/job.ts";
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { JOB_EXAMPLE } from "../openapi/examples.ts";
import { JOB_ID_PARAMETER } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { FOLLOWING } from "../roles.ts";
import { visibleJob } from "./job-access.ts";

const PATH = "/api/v1/jobs/:job_id";

const describe = describeRoute({
  tags: ["Ingest"],
  summary: "The state of a job",
  description:
    "Producers see only the jobs of their own batches; admins, engineers and reviewers see all. A last slash may be added.",
  operationId: "getJob",
  security: SECURITY,
  parameters: [JOB_ID_PARAMETER],
  responses: {
    200: ok("The job; Retry-After is set while it is active", JobViewSchema, JOB_EXAMPLE, ["Retry-After"]),
    ...problems("/api/v1/jobs/x/", [
      "invalid-job-id",
      "authentication-required",
      "invalid-token",
      "forbidden",
      "job-not-found",
      "service-unavailable",
    ]),
  },
});

export function mountJob(app: App, deps: RouteDeps): void {
  app.get(PATH, describe, authenticate(deps.tokens, undefined, FOLLOWING), async (c) => {
    const job = await visibleJob(deps, c);
    if (!isTerminal(job.status)) c.header("Retry-After", "1");
    return c.json(toJobView(job));
  });
}
