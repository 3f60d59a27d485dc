/** `GET /api/v1/dead-letters`: batches that could not be processed, newest first. */
import { describeRoute } from "hono-openapi";
import { DeadLetterPageSchema, DeadLetterSchema, type DeadLetterView } from "../../contract/oversight.ts";
import type { DeadLetterKey } from "../../stream/dead-letters.ts";
import type { App, AppContext } from "../app-env.ts";
import { cursorParameter } from "../cursor.ts";
import type { RouteDeps } from "../deps.ts";
import {
  answerList,
  EXPORTED,
  LIST_FORMAT_PARAMETER,
  type ListFile,
  members,
  okList,
} from "../formats/list.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { DEAD_LETTER_EXAMPLE } from "../openapi/oversight-examples.ts";
import { pageParameters, queryParameter } from "../openapi/parameters.ts";
import { problems } from "../openapi/responses.ts";
import { invalidParameter, onlyParameters, uuidParameter } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { toLetterView } from "./dead-letter-access.ts";
import { LIST_PROBLEMS } from "./oversight-access.ts";
import { queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/dead-letters";
const LIMITS = { fallback: 50, max: 200 };
const FILE: ListFile<DeadLetterView> = {
  name: "dead-letters",
  cells: {
    ...members<DeadLetterView>("id", "reason", "buried_at", "size_bytes"),
    job_id: ({ job }) => job?.job_id,
    system_id: ({ job }) => job?.system_id,
    created_by: ({ job }) => job?.created_by,
    total_readings: ({ job }) => job?.total_readings,
    received_at: ({ job }) => job?.received_at,
  },
};

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "Dead letters, newest first",
  description:
    "Batches that failed for a reason of their own, kept with their payload until somebody replays or discards them. " +
    "`job` is null where not even that could be read; who is limited to systems does not see these. Not for producers. " +
    `${EXPORTED} Payloads are not in it.`,
  operationId: "listDeadLetters",
  security: SECURITY,
  parameters: [
    queryParameter("job_id", "Only of this job", { type: "string", format: "uuid" }),
    ...pageParameters(LIMITS.fallback, LIMITS.max),
    LIST_FORMAT_PARAMETER,
  ],
  responses: {
    200: okList("A page of dead letters", DeadLetterPageSchema, DeadLetterSchema, FILE, {
      items: [DEAD_LETTER_EXAMPLE],
      next: null,
    }),
    ...problems(PATH, [...LIST_PROBLEMS, "too-many-at-once"]),
  },
});

export function mountDeadLetters(app: App, deps: RouteDeps): void {
  const { deadLetters, tokens } = deps;
  app.get(PATH, describe, authenticate(tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, ["job_id", "limit", "after", "format"]);
      const wanted = { job_id: uuidParameter(c, "job_id"), reach: c.get("claims").systems };
      return answerList<DeadLetterView, DeadLetterKey>(c, deps.exports, FILE, {
        limits: LIMITS,
        after: afterOf(c),
        cursor: ({ partition, id }) => [String(partition), id],
        async page(after, limit) {
          const found = await deadLetters.letters.page(after, limit + 1, wanted);
          const shown = found.slice(0, limit);
          return { items: shown.map(toLetterView), next: (found.length > limit && shown.at(-1)) || null };
        },
      });
    }),
  );
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
