/** `GET /api/v1/jobs/{id}/events`: the life of one job as server-sent events, until it has ended. */
import { describeRoute } from "hono-openapi";
import { isTerminal, JOB_STATES, type JobRecord, JobViewSchema, toJobView } from "../../contract/job.ts";
import { isNewsAfter, jobEventId } from "../../contract/job-event.ts";
import type { App, AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { eventStream, Newest } from "../event-stream.ts";
import { type JobListener, TooManyFollowersError } from "../job-watch.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { JOB_EXAMPLE } from "../openapi/examples.ts";
import { JOB_ID_PARAMETER } from "../openapi/parameters.ts";
import { done, okEvents, problems } from "../openapi/responses.ts";
import { ProblemError } from "../problem-error.ts";
import { FOLLOWING } from "../roles.ts";
import { visibleJob } from "./job-access.ts";

const PATH = "/api/v1/jobs/:job_id/events";
/** Shorter than what proxies take for a dead connection. */
const HEARTBEAT_MS = 15_000;
const RETRY_AFTER_BUSY_S = 10;

const describe = describeRoute({
  tags: ["Ingest"],
  summary: "The events of a job",
  description:
    "Events named `queued`, `processing`, `completed` and `failed`, each with the job as GET /api/v1/jobs/{job_id} " +
    "shows it: the present state at once, then each change; a state that passes quickly may be left out. The " +
    "stream ends after `completed` or `failed`. With Last-Event-ID it goes on where it was lost, on any process of " +
    "the service; a client that was told the end gets 204, which keeps browsers from coming back. A comment every " +
    `${HEARTBEAT_MS / 1000} s shows that the connection lives. The stream also ends when the token does, and when ` +
    "the server stops: `retry` says when to come back.",
  operationId: "watchJob",
  security: SECURITY,
  parameters: [
    JOB_ID_PARAMETER,
    {
      name: "Last-Event-ID",
      in: "header",
      description: "Id of the last event that the client was told",
      schema: { type: "string" },
    },
  ],
  responses: {
    200: okEvents("Events until the end of the job", JOB_STATES, JobViewSchema, {
      event: JOB_EXAMPLE.status,
      id: "3-1762555800123",
      data: JOB_EXAMPLE,
    }),
    204: done("The client was told the end of the job: there will be no more events"),
    ...problems("/api/v1/jobs/x/events", [
      "invalid-job-id",
      "authentication-required",
      "invalid-token",
      "forbidden",
      "job-not-found",
      "service-unavailable",
      "server-busy",
      "too-many-at-once",
    ]),
  },
});

/** @param heartbeat_ms between two signs of life */
export function mountJobEvents(app: App, deps: RouteDeps, heartbeat_ms = HEARTBEAT_MS): void {
  app.get(PATH, describe, authenticate(deps.tokens, undefined, FOLLOWING), async (c) => {
    const job = await visibleJob(deps, c);
    const last = c.req.header("Last-Event-ID") ?? null;
    if (isTerminal(job.status) && !isNewsAfter(last, job)) return c.body(null, 204);
    return events(c, deps, job.job_id, last, heartbeat_ms);
  });
}

/** @throws {ProblemError} server-busy */
function events(
  c: AppContext,
  deps: RouteDeps,
  job_id: string,
  from: string | null,
  heartbeat_ms: number,
): Response {
  const newest = new Newest<JobRecord>();
  let last = from;
  let isOver = false;
  // A job is looked at more often than it changes.
  const leave = following(deps, job_id, (job) => job && isNewsAfter(last, job) && newest.put(job));
  return eventStream(c, deps, {
    leave,
    async next(end) {
      if (isOver) return null;
      const job = await newest.take(end, heartbeat_ms);
      if (job === undefined) return { comment: "still there" };
      last = jobEventId(job);
      isOver = isTerminal(job.status);
      return { event: job.status, id: last, data: JSON.stringify(toJobView(job)) };
    },
  });
}

/** @returns ends it @throws {ProblemError} server-busy */
function following({ jobWatch }: RouteDeps, job_id: string, listener: JobListener): () => void {
  try {
    return jobWatch.follow("events", job_id, listener);
  } catch (error) {
    if (!(error instanceof TooManyFollowersError)) throw error;
    throw new ProblemError("server-busy", {
      detail: "Too many requests follow the events of jobs.",
      headers: { "Retry-After": String(RETRY_AFTER_BUSY_S) },
      cause: error,
    });
  }
}
