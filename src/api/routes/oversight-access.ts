/** What the routes of oversight share: problems, pages and who acts. */
import type { ProblemName } from "../../contract/problem.ts";
import type { Actor } from "../../store/audit.ts";
import type { AppContext } from "../app-env.ts";
import { cursorParameter, toCursor } from "../cursor.ts";
import { invalidParameter } from "../parameters.ts";
import { READ_PROBLEMS } from "./common-problems.ts";
import { linkHeader, linkTo } from "./query-access.ts";

/** Problems of lists that ask the database as queries do. */
export const LIST_PROBLEMS = [
  ...READ_PROBLEMS,
  "query-timeout",
  "server-busy",
] as const satisfies readonly ProblemName[];

/** One page, never from a cache. @param after key of the next page; null at the end */
export function pageAnswer(
  c: AppContext,
  items: readonly unknown[],
  after: readonly string[] | null,
): Response {
  const next = after && linkTo(c, { after: toCursor(after) });
  return c.json({ items, next }, 200, linkHeader({ next }));
}

/** The user of the request. */
export function actorOf(c: AppContext): Actor {
  const { sub: id, actor_name: name } = c.get("claims");
  return { id, name };
}

/** The id in `after`; null when it is absent. @throws {ProblemError} invalid-request */
export function idCursor(c: AppContext): number | null {
  const [id] = cursorParameter(c, 1) ?? [];
  if (id === undefined) return null;
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw invalidParameter("after", "the one in `next` of the page before");
}
