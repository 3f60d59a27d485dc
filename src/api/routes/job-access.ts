/** Which jobs a request is about, and whether its user may see them: shared by every route about jobs. */
import type { Context } from "hono";
import type { JobRecord } from "../../contract/job.ts";
import { isUuid } from "../../contract/job-id.ts";
import { reaches } from "../../contract/reach.ts";
import type { AppEnv } from "../app-env.ts";
import { type Claims, readsEverybodys } from "../auth/claims.ts";
import type { RouteDeps } from "../deps.ts";
import { findJobs } from "../find-jobs.ts";
import { ProblemError } from "../problem-error.ts";

/**
 * The job named by `:job_id`.
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
  const { jobs, doubt } = await findJobs(deps, [job_id]);
  const job = jobs.get(job_id);
  if (job === undefined && doubt) throw doubt;
  if (job === undefined || !maySee(c.get("claims"), job)) throw new ProblemError("job-not-found");
  return job;
}

/** Producers see only the jobs of their own batches, all others every job; and all only those of their systems. */
export function maySee(claims: Claims, job: JobRecord): boolean {
  return reaches(claims.systems, job.system_id) && (job.created_by === claims.sub || readsEverybodys(claims));
}
