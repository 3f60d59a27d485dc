/** `GET /api/v1/users`: who may use the service. */
import { describeRoute } from "hono-openapi";
import { UserPageSchema } from "../../contract/oversight.ts";
import { cursorParameter } from "../cursor.ts";
import type { App, RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { USER_PAGE_EXAMPLE } from "../openapi/oversight-examples.ts";
import { pageParameters } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { onlyParameters, wholeParameter } from "../parameters.ts";
import { ADMINS } from "../roles.ts";
import { LIST_PROBLEMS, pageAnswer } from "./oversight-access.ts";
import { queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/users";
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "Users, by name",
  description: "Without their passwords. Admins only.",
  operationId: "listUsers",
  security: SECURITY,
  parameters: pageParameters(DEFAULT_LIMIT, MAX_LIMIT),
  responses: {
    200: ok("A page of users", UserPageSchema, USER_PAGE_EXAMPLE, ["Link"]),
    ...problems(PATH, LIST_PROBLEMS),
  },
});

export function mountUsers(app: App, { queries, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens, ADMINS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, ["limit", "after"]);
      const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
      const [after = null] = cursorParameter(c, 1) ?? [];
      const page = await queries.users.page(after, limit, { signal: c.req.raw.signal });
      return pageAnswer(c, page.items, page.next === null ? null : [page.next]);
    }),
  );
}
