/** `GET /api/v1/quarantine/actions`: decisions about quarantined readings, newest first. */
import { Type } from "@sinclair/typebox";
import { describeRoute } from "hono-openapi";
import { isUuid } from "../../contract/job-id.ts";
import { queryMoment } from "../../contract/query-range.ts";
import {
  type ReviewTask,
  ReviewTaskPageSchema,
  ReviewTaskSchema,
  TASK_STATES,
} from "../../contract/review.ts";
import type { TaskKey } from "../../store/review/tasks.ts";
import type { App, AppContext } from "../app-env.ts";
import { cursorParameter } from "../cursor.ts";
import type { RouteDeps } from "../deps.ts";
import {
  answerList,
  EXPORTED,
  everyMember,
  LIST_FORMAT_PARAMETER,
  type ListFile,
  okList,
} from "../formats/list.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { pageParameters, queryParameter } from "../openapi/parameters.ts";
import { problems } from "../openapi/responses.ts";
import { REVIEW_TASK_EXAMPLE } from "../openapi/review-examples.ts";
import { choiceParameter, invalidParameter, onlyParameters } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { READ_PROBLEMS } from "./common-problems.ts";
import { queryAnswer } from "./query-access.ts";
import { taskViewer } from "./review-access.ts";
import { ACTIONS_PATH } from "./review-post.ts";

const LIMITS = { fallback: 50, max: 200 };
const FILE: ListFile<ReviewTask> = {
  name: "decisions",
  // What became of each reading is told to who decides, not listed.
  cells: everyMember(Type.Omit(ReviewTaskSchema, ["readings"])),
};

const describe = describeRoute({
  tags: ["Quarantine"],
  summary: "Decisions, newest first",
  description: `Who is limited to systems sees the decisions that are about some of these alone, and of those about no system their own. ${EXPORTED}`,
  operationId: "listReviewTasks",
  security: SECURITY,
  parameters: [
    queryParameter("state", "Only these", { type: "string", enum: [...TASK_STATES] }),
    ...pageParameters(LIMITS.fallback, LIMITS.max),
    LIST_FORMAT_PARAMETER,
  ],
  responses: {
    200: okList("A page of tasks", ReviewTaskPageSchema, ReviewTaskSchema, FILE, {
      items: [REVIEW_TASK_EXAMPLE],
      next: null,
    }),
    ...problems(ACTIONS_PATH, [...READ_PROBLEMS, "server-busy", "too-many-at-once"]),
  },
});

export function mountReviewActions(app: App, deps: RouteDeps): void {
  const { review, tokens } = deps;
  app.get(ACTIONS_PATH, describe, authenticate(tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, ["state", "limit", "after", "format"]);
      const chosen = choiceParameter(c, "state", [...TASK_STATES, "any"], "any");
      const state = chosen === "any" ? null : chosen;
      const viewer = taskViewer(c.get("claims"));
      return answerList<ReviewTask, TaskKey>(c, deps.exports, FILE, {
        limits: LIMITS,
        after: afterOf(c),
        cursor: ({ created_at, id }) => [created_at, id],
        async page(after, limit) {
          const tasks = await review.tasks.page(state, after, limit + 1, viewer);
          const items = tasks.slice(0, limit);
          return { items, next: (tasks.length > limit && items.at(-1)) || null };
        },
      });
    }),
  );
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
