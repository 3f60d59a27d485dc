/** `GET /api/v1/dead-letters`: batches that could not be processed, newest first. */
import { describeRoute } from "hono-openapi";
import { DeadLetterPageSchema } from "../../contract/oversight.ts";
import type { DeadLetterKey } from "../../stream/dead-letters.ts";
import { cursorParameter } from "../cursor.ts";
import type { App, AppContext, RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { DEAD_LETTER_EXAMPLE } from "../openapi/oversight-examples.ts";
import { pageParameters, queryParameter } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { invalidParameter, onlyParameters, uuidParameter, wholeParameter } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { toLetterView } from "./dead-letter-access.ts";
import { LOOK_PROBLEMS, pageAnswer } from "./oversight-access.ts";

const PATH = "/api/v1/dead-letters";
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "Dead letters, newest first",
  description:
    "Batches that failed for a reason of their own, kept with their payload until somebody replays or discards them. " +
    "`job` is null where not even that could be read; who is limited to systems does not see these. Not for producers.",
  operationId: "listDeadLetters",
  security: SECURITY,
  parameters: [
    queryParameter("job_id", "Only of this job", { type: "string", format: "uuid" }),
    ...pageParameters(DEFAULT_LIMIT, MAX_LIMIT),
  ],
  responses: {
    200: ok("A page of dead letters", DeadLetterPageSchema, { items: [DEAD_LETTER_EXAMPLE], next: null }, [
      "Link",
    ]),
    ...problems(PATH, LOOK_PROBLEMS),
  },
});

export function mountDeadLetters(app: App, { deadLetters, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens, READERS), async (c) => {
    onlyParameters(c, ["job_id", "limit", "after"]);
    const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
    const found = await deadLetters.letters.page(afterOf(c), limit + 1, {
      job_id: uuidParameter(c, "job_id"),
      reach: c.get("claims").systems,
    });
    const shown = found.slice(0, limit);
    const last = found.length > limit ? shown.at(-1) : undefined;
    return pageAnswer(c, shown.map(toLetterView), last ? [String(last.partition), last.id] : null);
  });
}

/** @throws {ProblemError} invalid-request */
function afterOf(c: AppContext): DeadLetterKey | null {
  const key = cursorParameter(c, 2);
  if (key === null) return null;
  const [partition = "", id = ""] = key;
  if (/^\d{1,2}$/.test(partition) && /^\d{1,15}-\d{1,15}$/.test(id))
    return { partition: Number(partition), id };
  throw invalidParameter("after", "the one in `next` of the page before");
}
