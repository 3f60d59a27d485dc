/** `GET /api/v1/jobs?ids=`: the state of many jobs at once, as fresh as that of one. */
import { isTerminal, toJobView } from "../../contract/job.ts";
import { isUuid } from "../../contract/job-id.ts";
import type { AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { findJobs } from "../find-jobs.ts";
import { invalidParameter, onlyParameters } from "../parameters.ts";
import { maySee } from "./job-access.ts";

export const MAX_IDS = 100;

/**
 * The jobs in the order asked, each once, and the ids of those that there are not or that belong to others.
 * @throws {ProblemError} invalid-request naming the id
 * @throws {StreamUnavailableError} @throws {StoreUnavailableError} when it cannot be said whether there is one
 */
export async function jobsByIds(
  c: AppContext,
  deps: Pick<RouteDeps, "jobBoard" | "jobs">,
): Promise<Response> {
  onlyParameters(c, ["ids"]);
  const asked = idsOf(c);
  const { jobs, doubt } = await findJobs(deps, asked);
  if (doubt && asked.some((id) => !jobs.has(id))) throw doubt;
  const claims = c.get("claims");
  const visible = asked
    .map((id) => jobs.get(id))
    .filter((job) => job !== undefined)
    .filter((job) => maySee(claims, job));
  const known = new Set(visible.map((job) => job.job_id));
  if (visible.some((job) => !isTerminal(job.status))) c.header("Retry-After", "1");
  const missing = asked.filter((id) => !known.has(id));
  return c.json({ items: visible.map(toJobView), next: null, missing });
}

/** @throws {ProblemError} invalid-request */
function idsOf(c: AppContext): string[] {
  const given = (c.req.query("ids") ?? "").split(",").map((id) => id.trim());
  const wrong = given.find((id) => !isUuid(id));
  if (wrong !== undefined) {
    const sent = JSON.stringify(wrong.slice(0, 64));
    throw invalidParameter("ids", `ids of jobs between commas, and ${sent} is none`);
  }
  const ids = [...new Set(given.map((id) => id.toLowerCase()))];
  if (ids.length <= MAX_IDS) return ids;
  throw invalidParameter("ids", `at most ${MAX_IDS} ids of jobs, and these are ${ids.length}`);
}
