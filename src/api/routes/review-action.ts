/** `/api/v1/quarantine/actions/{task_id}`: how far a decision is, and its end before time. */
import { describeRoute } from "hono-openapi";
import { type ReviewTask, ReviewTaskSchema } from "../../contract/review.ts";
import type { App, AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { TASK_ID_PARAMETER } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { REVIEW_TASK_EXAMPLE } from "../openapi/review-examples.ts";
import { pathUuid } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { READERS, REVIEWERS } from "../roles.ts";
import { READ_PROBLEMS } from "./common-problems.ts";
import { taskViewer } from "./review-access.ts";
import { ACTIONS_PATH } from "./review-post.ts";

const PATH = `${ACTIONS_PATH}/:task_id`;
const INSTANCE = `${ACTIONS_PATH}/x`;
const shared = {
  tags: ["Quarantine"],
  security: SECURITY,
  parameters: [TASK_ID_PARAMETER],
};

const describeGet = describeRoute({
  ...shared,
  summary: "One decision",
  description: "How far it is, and what came of it.",
  operationId: "getReviewTask",
  responses: {
    200: ok("The task; Retry-After is set while it is not over", ReviewTaskSchema, REVIEW_TASK_EXAMPLE, [
      "Retry-After",
    ]),
    ...problems(INSTANCE, [...READ_PROBLEMS, "review-task-not-found"]),
  },
});
const describeCancel = describeRoute({
  ...shared,
  summary: "End a decision before it is done",
  description:
    "What it has done stays; readings that it has not reached stay as they are. Admins and reviewers only.",
  operationId: "cancelReviewTask",
  responses: {
    200: ok("The task", ReviewTaskSchema, REVIEW_TASK_EXAMPLE),
    ...problems(`${INSTANCE}/cancel`, [
      ...READ_PROBLEMS,
      "cross-site-request",
      "review-task-not-found",
      "review-over",
    ]),
  },
});

export function mountReviewAction(app: App, { review, tokens }: RouteDeps): void {
  const find = async (c: AppContext): Promise<ReviewTask> => {
    const task = await review.tasks.get(pathUuid(c, "task_id"), taskViewer(c.get("claims")));
    if (task === null) throw new ProblemError("review-task-not-found");
    return task;
  };
  app.get(PATH, describeGet, authenticate(tokens, READERS), async (c) => {
    const task = await find(c);
    if (task.completed_at === null) c.header("Retry-After", "1");
    return c.json(task);
  });
  app.post(`${PATH}/cancel`, describeCancel, authenticate(tokens, REVIEWERS), async (c) => {
    const { id, state } = await find(c);
    const { sub, username } = c.get("claims");
    const ended = await review.tasks.end(id, "cancelled", { id: sub, name: username });
    if (!ended) throw new ProblemError("review-over", { detail: `The task is ${state} already.` });
    return c.json(await find(c));
  });
}
