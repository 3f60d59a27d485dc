/** Which job a request is about, and whether its user may see it: shared by every route below a job. */
import type { Context } from "hono";
import type { JobRecord } from "../../contract/job.ts";
import { isUuid } from "../../contract/job-id.ts";
import { StreamUnavailableError } from "../../stream/connection.ts";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { ProblemError } from "../problem-error.ts";
import { READERS } from "../roles.ts";

/**
 * The job named by `:job_id`. Producers see only the jobs of their own batches; all others see every job.
 * @throws {ProblemError} invalid-job-id, job-not-found (also for a job of another user)
 * @throws {StreamUnavailableError} @throws {StoreUnavailableError}
 */
export async function visibleJob(
  deps: Pick<RouteDeps, "jobBoard" | "jobs">,
  c: Context<AppEnv>,
): Promise<JobRecord> {
  const given = c.req.param("job_id") ?? "";
  if (!isUuid(given)) throw new ProblemError("invalid-job-id");
  const job_id = given.toLowerCase();
  c.set("job_id", job_id);
  const job = await findJob(deps, job_id);
  const claims = c.get("claims");
  if (job === null || (job.created_by !== claims.sub && !READERS.includes(claims.role))) {
    throw new ProblemError("job-not-found");
  }
  return job;
}

/**
 * A job that neither side knows is unknown only if both were asked: without Redis, a job that Postgres does not
 * know may still wait in the stream.
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
