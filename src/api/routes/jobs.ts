/** `GET /api/v1/jobs`: jobs, newest first. */
import { Type } from "@sinclair/typebox";
import { describeRoute } from "hono-openapi";
import { JOB_STATES, type JobView, JobViewSchema, toJobView } from "../../contract/job.ts";
import { isUuid } from "../../contract/job-id.ts";
import { NextField } from "../../contract/query.ts";
import { queryMoment } from "../../contract/query-range.ts";
import type { JobKey } from "../../store/queries/job-list.ts";
import type { App, AppContext } from "../app-env.ts";
import { readsEverybodys } from "../auth/claims.ts";
import { cursorParameter } from "../cursor.ts";
import type { RouteDeps } from "../deps.ts";
import { answerJson } from "../formats/answer.ts";
import {
  answerList,
  EXPORTED,
  everyMember,
  LIST_FORMAT_PARAMETER,
  type ListFile,
  okList,
} from "../formats/list.ts";
import { QUERY_HEADERS } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { queryParameter, UUIDS } from "../openapi/parameters.ts";
import { JOB_PAGE_EXAMPLE } from "../openapi/query-examples.ts";
import { notModified, problems } from "../openapi/responses.ts";
import { choiceParameter, invalidParameter, onlyParameters } from "../parameters.ts";
import { FOLLOWING } from "../roles.ts";
import { jobsByIds, MAX_IDS } from "./jobs-by-ids.ts";
import {
  nowOf,
  pagesOf,
  QUERY_PROBLEMS,
  queryAnswer,
  rangeOf,
  rangeParameters,
  rangeText,
} from "./query-access.ts";

const PATH = "/api/v1/jobs";
const LIMITS = { fallback: 50, max: 1_000 };
const FILE: ListFile<JobView> = {
  name: "jobs",
  cells: everyMember(JobViewSchema),
};

const describe = describeRoute({
  tags: ["Queries"],
  summary: "Jobs, newest first",
  description:
    "Producers get only their own; admins, engineers and reviewers get all; who is limited to systems those of these. `from` and `to` are about created_at. The list is read from the " +
    "database, where a batch shows a moment after it was accepted; GET /api/v1/jobs/{job_id} and `ids` know it at once. " +
    EXPORTED,
  operationId: "listJobs",
  security: SECURITY,
  parameters: [
    queryParameter(
      "ids",
      `Ids between commas, at most ${MAX_IDS}, and no other parameter: these jobs, in this order, each once. Those ` +
        "that there are not, or that belong to others, are in `missing`",
      UUIDS,
    ),
    queryParameter("status", "Only these", { type: "string", enum: [...JOB_STATES] }),
    queryParameter(
      "lost",
      "true: only those that were accepted and lost with Redis before they were stored, to be sent again",
      { type: "string", enum: ["true"] },
    ),
    queryParameter("system_id", "Only batches of this system", { type: "string", format: "uuid" }),
    ...rangeParameters(),
    ...pagesOf(LIMITS.fallback, LIMITS.max),
    LIST_FORMAT_PARAMETER,
  ],
  responses: {
    200: okList(
      "A page of jobs; with `ids`, Retry-After is set while one of them is active",
      Type.Object({
        items: Type.Array(JobViewSchema),
        ...NextField,
        missing: Type.Optional(
          Type.Array(Type.String({ format: "uuid" }), { description: "With `ids` only: no job of yours" }),
        ),
      }),
      JobViewSchema,
      FILE,
      JOB_PAGE_EXAMPLE,
      [...QUERY_HEADERS, "Retry-After"],
    ),
    304: notModified(QUERY_HEADERS),
    ...problems(PATH, [...QUERY_PROBLEMS, "too-many-at-once"]),
  },
});

export function mountJobs(app: App, deps: RouteDeps): void {
  const { queries, clock, tokens } = deps;
  app.get(PATH, describe, authenticate(tokens, undefined, FOLLOWING), (c) =>
    queryAnswer(c, async () => {
      if (c.req.query("ids") !== undefined) return jobsByIds(c, deps);
      onlyParameters(c, ["ids", "status", "lost", "system_id", "from", "to", "limit", "after", "format"]);
      const now_us = nowOf(clock);
      const claims = c.get("claims");
      const range = rangeOf(c, now_us);
      const status = choiceParameter(c, "status", [...JOB_STATES, "any"], "any");
      const filter = {
        created_by: readsEverybodys(claims) ? null : claims.sub,
        status: status === "any" ? null : status,
        lost: choiceParameter(c, "lost", ["true", "any"], "any") === "true",
        system_id: systemOf(c),
        reach: claims.systems,
        range,
      };
      return answerList<JobView, JobKey>(c, deps.exports, FILE, {
        limits: LIMITS,
        after: afterOf(c),
        cursor: ({ created_at, job_id }) => [created_at, job_id],
        link: rangeText(range),
        async page(after, limit, options) {
          const { jobs, next } = await queries.jobs.page({ ...filter, after, limit }, options);
          return { items: jobs.map(toJobView), next };
        },
        answer: (body, headers) => answerJson(c, body, { to_us: range.to_us, now_us, headers }),
      });
    }),
  );
}

/** @throws {ProblemError} invalid-request */
function systemOf(c: AppContext): string | null {
  const text = c.req.query("system_id");
  if (text === undefined || isUuid(text)) return text?.toLowerCase() ?? null;
  throw invalidParameter("system_id", "a UUID");
}

/** @throws {ProblemError} invalid-request */
function afterOf(c: AppContext): JobKey | null {
  const key = cursorParameter(c, 2);
  if (key === null) return null;
  const [at = "", job_id = ""] = key;
  const created_at = queryMoment(at);
  if (isUuid(job_id) && created_at !== null) return { created_at, job_id };
  throw invalidParameter("after", "the one in `next` of the page before");
}
