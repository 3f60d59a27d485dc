/** `POST /api/v1/quarantine/actions`: decide about quarantined readings, or try a decision without effect. */
import { describeRoute } from "hono-openapi";
import { isQueryMoment } from "../../contract/query-range.ts";
import {
  DryRunSchema,
  MAX_SELECTED,
  type NewReview,
  NewReviewSchema,
  type QuarantineFilter,
  ReviewTaskSchema,
} from "../../contract/review.ts";
import { parseTimestamp_us } from "../../contract/timestamp.ts";
import type { Decision } from "../../store/review/tasks.ts";
import type { App } from "../app-env.ts";
import type { Claims } from "../auth/claims.ts";
import { invalidField, shapeCheck } from "../body/check-shape.ts";
import type { ReadJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { ok, problems } from "../openapi/responses.ts";
import { DRY_RUN_EXAMPLE, NEW_REVIEW_EXAMPLE, REVIEW_TASK_EXAMPLE } from "../openapi/review-examples.ts";
import { onlyParameters } from "../parameters.ts";
import { REVIEWERS } from "../roles.ts";
import { CHANGE_PROBLEMS } from "./common-problems.ts";
import { reviewAnswer } from "./review-access.ts";

export const ACTIONS_PATH = "/api/v1/quarantine/actions";
const RETRY_AFTER_S = 1;

const either = ok(
  "The task, done; or, with `dry_run`, what it would do",
  ReviewTaskSchema,
  REVIEW_TASK_EXAMPLE,
);
const describe = describeRoute({
  tags: ["Quarantine"],
  summary: "Decide about quarantined readings",
  description:
    "`approve` stores readings although they are out of range or of low quality (nothing else is waived); `fix` " +
    "changes them first and stores what passes all rules; `revalidate` stores what passes the rules and ranges of " +
    "today; `reject` keeps them and never stores them; `reopen` takes a decision back: what it stored " +
    "is taken out again, what it replaced is put back, and the reading is pending. A reading whose sensor has another value at its timestamp is stored only with `conflict`: " +
    '"replace" puts it in the place of the stored one, "keep" rejects it; both values stay on record. Readings that ' +
    "still fail stay pending. With `dry_run` nothing changes, and the first 2,000 readings of the selection are tried. " +
    "Decisions about ids are taken at once, all of them or (409) none; those about an incident or a filter " +
    `(at most ${MAX_SELECTED} readings) become a task. Admins and reviewers only.`,
  operationId: "decideQuarantined",
  security: SECURITY,
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(NewReviewSchema), example: NEW_REVIEW_EXAMPLE } },
  },
  responses: {
    200: {
      ...either,
      content: {
        "application/json": {
          schema: { anyOf: [schemaOf(ReviewTaskSchema), schemaOf(DryRunSchema)] },
          examples: { task: { value: REVIEW_TASK_EXAMPLE }, dry_run: { value: DRY_RUN_EXAMPLE } },
        },
      },
    },
    202: ok("The task, to be followed at Location", ReviewTaskSchema, REVIEW_TASK_EXAMPLE, [
      "Location",
      "Retry-After",
    ]),
    ...problems(ACTIONS_PATH, [
      ...CHANGE_PROBLEMS,
      "quarantined-reading-not-found",
      "review-conflict",
      "selection-too-large",
    ]),
  },
});

const check = shapeCheck(NewReviewSchema);

export function mountReviewPost(app: App, deps: RouteDeps & { readonly readJson: ReadJson }): void {
  const { review, tokens, readJson } = deps;
  app.post(ACTIONS_PATH, describe, authenticate(tokens, REVIEWERS), requireEncodedJson, async (c) => {
    // A `dry_run` in the address would otherwise be applied.
    onlyParameters(c, []);
    const given = check(await readJson(c));
    coherent(given);
    const decision = decisionOf(given, c.get("claims"));
    if (given.dry_run) return c.json(await reviewAnswer(review.dryRun(decision)));
    if ("ids" in given.selection) {
      return c.json(await reviewAnswer(review.decide(decision, given.selection.ids)));
    }
    const task = await reviewAnswer(review.enqueue(decision));
    c.header("Location", `${ACTIONS_PATH}/${task.id}`);
    c.header("Retry-After", String(RETRY_AFTER_S));
    return c.json(task, 202);
  });
}

const decisionOf = (given: NewReview, claims: Claims): Decision => ({
  id: Bun.randomUUIDv7(),
  action: given.action,
  selection: given.selection,
  change: given.change ?? null,
  conflict: given.conflict ?? null,
  note: given.note ?? null,
  actor: claims.sub,
  actor_name: claims.actor_name,
  systems: claims.systems,
});

/** What a schema cannot say. @throws {ProblemError} invalid-request */
function coherent({ action, change, conflict, selection }: NewReview): void {
  const stores = action !== "reject" && action !== "reopen";
  if (action === "fix" && change === undefined)
    throw invalidField("/change", "The action fix needs a change: set, scale, offset or shift_ms.");
  if (action !== "fix" && change !== undefined)
    throw invalidField("/change", `The action ${action} changes nothing; leave change out, or send fix.`);
  if (!stores && conflict !== undefined)
    throw invalidField("/conflict", `The action ${action} stores nothing; leave conflict out.`);
  if ("filter" in selection) coherentTimes(selection.filter);
  const oneKey = change?.set?.timestamp !== undefined || change?.set?.sensor_id !== undefined;
  if (oneKey && conflict === "replace" && !("ids" in selection && selection.ids.length === 1))
    throw invalidField(
      "/conflict",
      "With set.timestamp or set.sensor_id several readings may get one key; replace takes one reading at a time.",
    );
  const time = change?.set?.timestamp;
  if (time !== undefined && Number.isNaN(parseTimestamp_us(time)))
    throw invalidField("/change/set/timestamp", "It must be an RFC 3339 date-time.");
}

/** @throws {ProblemError} invalid-request */
function coherentTimes(filter: QuarantineFilter): void {
  for (const name of ["from", "to"] as const) {
    const text = filter[name];
    if (text !== undefined && !isQueryMoment(text))
      throw invalidField(
        `/selection/filter/${name}`,
        "It must be an RFC 3339 date-time of the years 1970 to 2200.",
      );
  }
  const { from, to } = filter;
  if (from !== undefined && to !== undefined && parseTimestamp_us(from) >= parseTimestamp_us(to))
    throw invalidField("/selection/filter/from", `It must be before \`to\`, which is ${to}.`);
}
