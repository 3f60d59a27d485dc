/** `GET /api/v1/quarantine/actions`: decisions about quarantined readings, newest first. */

import { describeRoute } from "hono-openapi";
import { isUuid } from "../../contract/job-id.ts";
import { queryMoment } from "../../contract/query-range.ts";
import { ReviewTaskPageSchema, TASK_STATES } from "../../contract/review.ts";
import type { TaskKey } from "../../store/review/tasks.ts";
import { cursorParameter, toCursor } from "../cursor.ts";
import type { App, AppContext, RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { pageParameters, queryParameter } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { REVIEW_TASK_EXAMPLE } from "../openapi/review-examples.ts";
import { choiceParameter, invalidParameter, onlyParameters, wholeParameter } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { linkTo } from "./query-access.ts";
import { REVIEW_READ_PROBLEMS } from "./review-access.ts";
import { ACTIONS_PATH } from "./review-post.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

const describe = describeRoute({
  tags: ["Quarantine"],
  summary: "Decisions, newest first",
  description: "Who is limited to systems sees the decisions that are about some of these alone.",
  operationId: "listReviewTasks",
  security: SECURITY,
  parameters: [
    queryParameter("state", "Only these", { type: "string", enum: [...TASK_STATES] }),
    ...pageParameters(DEFAULT_LIMIT, MAX_LIMIT),
  ],
  responses: {
    200: ok("A page of tasks", ReviewTaskPageSchema, { items: [REVIEW_TASK_EXAMPLE], next: null }),
    ...problems(ACTIONS_PATH, REVIEW_READ_PROBLEMS),
  },
});

export function mountReviewActions(app: App, { review, tokens }: RouteDeps): void {
  app.get(ACTIONS_PATH, describe, authenticate(tokens, READERS), async (c) => {
    onlyParameters(c, ["state", "limit", "after"]);
    const state = choiceParameter(c, "state", [...TASK_STATES, "any"], "any");
    const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
    const tasks = await review.tasks.page(
      state === "any" ? null : state,
      afterOf(c),
      limit + 1,
      c.get("claims").systems,
    );
    const items = tasks.slice(0, limit);
    const last = items.at(-1);
    const more = last !== undefined && tasks.length > limit;
    const next = more ? linkTo(c, { after: toCursor([last.created_at, last.id]) }) : null;
    c.header("Cache-Control", "no-store");
    return c.json({ items, next });
  });
}

/** @throws {ProblemError} invalid-request */
function afterOf(c: AppContext): TaskKey | null {
  const key = cursorParameter(c, 2);
  if (key === null) return null;
  const [at = "", id = ""] = key;
  const created_at = queryMoment(at);
  if (isUuid(id) && created_at !== null) return { created_at, id };
  throw invalidParameter("after", "the one in `next` of the page before");
}
