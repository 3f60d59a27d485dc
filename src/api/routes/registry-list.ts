/** What the lists of systems and of sensors can be asked for: pages, a text, and whether archived ones are wanted. */
import type { Context } from "hono";
import { ARCHIVED_FILTERS, type ArchivedFilter } from "../../store/systems.ts";
import { pageParameters, queryParameter } from "../openapi/parameters.ts";
import { choiceParameter, onlyParameters, textParameter, wholeParameter } from "../parameters.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const MAX_TEXT_LENGTH = 200;
const NAMES = ["limit", "after", "archived", "text"];

/** For the description of the route. @param fields in which the text is looked for */
export const listParameters = (fields: string) => [
  ...pageParameters(DEFAULT_LIMIT, MAX_LIMIT),
  queryParameter("archived", "false: those in use; true: those archived; all: both", {
    type: "string",
    enum: [...ARCHIVED_FILTERS],
    default: "false",
  }),
  queryParameter("text", `Part of ${fields}; capitals do not matter`, {
    type: "string",
    minLength: 1,
    maxLength: MAX_TEXT_LENGTH,
  }),
];

export interface ListQuery {
  readonly limit: number;
  readonly archived: ArchivedFilter;
  readonly text: string | undefined;
}

/** All but `after`. @throws {ProblemError} invalid-request */
export function listQuery(c: Context): ListQuery {
  onlyParameters(c, NAMES);
  return {
    limit: wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT }),
    archived: choiceParameter(c, "archived", ARCHIVED_FILTERS, "false"),
    text: textParameter(c, "text", MAX_TEXT_LENGTH),
  };
}
