/** `GET /api/v1/audit`: who did what to which, newest first. */
import { describeRoute } from "hono-openapi";
import {
  type AuditEntry,
  AuditEntrySchema,
  AuditPageSchema,
  SUBJECT_TYPES,
} from "../../contract/oversight.ts";
import type { App } from "../app-env.ts";
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
import { AUDIT_PAGE_EXAMPLE } from "../openapi/oversight-examples.ts";
import { pageParameters, queryParameter } from "../openapi/parameters.ts";
import { problems } from "../openapi/responses.ts";
import { choiceParameter, onlyParameters, textParameter, uuidParameter } from "../parameters.ts";
import { ADMINS } from "../roles.ts";
import { idCursor, LIST_PROBLEMS } from "./oversight-access.ts";
import { queryAnswer, refuseEmpty, timeWithin } from "./query-access.ts";

const PATH = "/api/v1/audit";
const LIMITS = { fallback: 50, max: 500 };
const MAX_TEXT_LENGTH = 200;
const NAMES = ["actor", "action", "subject_type", "subject_id", "from", "to", "limit", "after", "format"];
const FILE: ListFile<AuditEntry> = {
  name: "audit",
  cells: everyMember(AuditEntrySchema),
};

const text = { type: "string", minLength: 1, maxLength: MAX_TEXT_LENGTH } as const;
const moment = { type: "string", format: "date-time" } as const;

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "Who did what, newest first",
  description:
    "The record only grows: the database refuses to change or delete its rows. Admins only; those who are limited to " +
    `systems get the entries that concern one of these. ${EXPORTED}`,
  operationId: "listAudit",
  security: SECURITY,
  parameters: [
    queryParameter("actor", "Only by this user", { type: "string", format: "uuid" }),
    queryParameter("action", "Only this action, such as dead_letter.replay", text),
    queryParameter("subject_type", "Only about such things", { type: "string", enum: [...SUBJECT_TYPES] }),
    queryParameter("subject_id", "Only about the thing with this id", text),
    queryParameter("from", "First moment", moment),
    queryParameter("to", "End, itself not included", moment),
    ...pageParameters(LIMITS.fallback, LIMITS.max),
    LIST_FORMAT_PARAMETER,
  ],
  responses: {
    200: okList("A page of the record", AuditPageSchema, AuditEntrySchema, FILE, AUDIT_PAGE_EXAMPLE),
    ...problems(PATH, [...LIST_PROBLEMS, "too-many-at-once"]),
  },
});

export function mountAudit(app: App, deps: RouteDeps): void {
  const { queries, tokens } = deps;
  app.get(PATH, describe, authenticate(tokens, ADMINS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, NAMES);
      const subject_type = choiceParameter(c, "subject_type", [...SUBJECT_TYPES, "any"], "any");
      const filter = {
        actor: uuidParameter(c, "actor"),
        action: textParameter(c, "action", MAX_TEXT_LENGTH) ?? null,
        subject_type: subject_type === "any" ? null : subject_type,
        subject_id: textParameter(c, "subject_id", MAX_TEXT_LENGTH) ?? null,
        reach: c.get("claims").systems,
        from_us: timeWithin(c, "from") ?? null,
        to_us: timeWithin(c, "to") ?? null,
      };
      refuseEmpty(filter.from_us, filter.to_us);
      return answerList<AuditEntry, number>(c, deps.exports, FILE, {
        limits: LIMITS,
        after: idCursor(c),
        cursor: (id) => [String(id)],
        page: (after, limit, options) => queries.audit.page({ ...filter, after, limit }, options),
      });
    }),
  );
}
