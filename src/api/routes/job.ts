/** `GET /api/v1/jobs/{id}/`: the state of one batch, from Redis, and from Postgres when Redis has forgotten it. */
import { describeRoute } from "hono-openapi";
import { isTerminal, type JobRecord, JobViewSchema, toJobView } from "../../contract/job.ts";
import { isUuid } from "../../contract/job-id.ts";
import { StreamUnavailableError } from "../../stream/connection.ts";
import type { App, RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { BEARER_SCHEME } from "../openapi/document.ts";
import { JOB_EXAMPLE } from "../openapi/examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { ProblemError } from "../problem-error.ts";

const PATH = "/api/v1/jobs/:job_id";

const describe = describeRoute({
  tags: ["Ingest"],
  summary: "The state of a job",
  description: "Only the user who sent the batch sees its job; admins see all. A last slash may be added.",
  operationId: "getJob",
  security: [{ [BEARER_SCHEME]: [] }],
  parameters: [{ name: "job_id", in: "path", required: true, schema: { type: "string", format: "uuid" } }],
  responses: {
    200: ok("The job; Retry-After is set while it is active", JobViewSchema, JOB_EXAMPLE, ["Retry-After"]),
    ...problems("/api/v1/jobs/x/", [
      "invalid-job-id",
      "authentication-required",
      "invalid-token",
      "job-not-found",
      "service-unavailable",
    ]),
  },
});

export function mountJob(app: App, deps: RouteDeps): void {
  app.get(PATH, describe, authenticate(deps.tokens), async (c) => {
    const job_id = c.req.param("job_id");
    if (!isUuid(job_id)) throw new ProblemError("invalid-job-id");
    c.set("job_id", job_id.toLowerCase());
    const job = await findJob(deps, job_id.toLowerCase());
    const claims = c.get("claims");
    if (job === null || (job.created_by !== claims.sub && claims.role !== "admin")) {
      throw new ProblemError("job-not-found");
    }
    c.header("Cache-Control", "no-store");
    if (!isTerminal(job.status)) c.header("Retry-After", "1");
    return c.json(toJobView(job));
  });
}

/**
 * A job that neither side knows is unknown only if both were asked: without Redis, a job that Postgres does not
 * know may still wait in the stream.
 * @throws {StreamUnavailableError} @throws {StoreUnavailableError}
 */
async function findJob(
  deps: Pick<RouteDeps, "jobBoard" | "jobs">,
  job_id: string,
): Promise<JobRecord | null> {
  let away: StreamUnavailableError | undefined;
  try {
    const known = await deps.jobBoard.get(job_id);
    if (known) return known;
  } catch (error) {
    if (!(error instanceof StreamUnavailableError)) throw error;
    away = error;
  }
  const stored = await deps.jobs.get(job_id);
  if (stored === null && away) throw away;
  return stored;
}
