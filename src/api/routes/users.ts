/** `GET` and `POST /api/v1/users`: who may use the service. */
import { describeRoute } from "hono-openapi";
import { NewUserSchema, UserPageSchema, UserViewSchema } from "../../contract/access.ts";
import { UserExistsError } from "../../store/users.ts";
import type { App } from "../app-env.ts";
import { hashPassword } from "../auth/passwords.ts";
import { recount } from "../auth/recount.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { smallJson } from "../body/small-json.ts";
import { cursorParameter } from "../cursor.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate, NO_KEYS } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { NEW_USER_EXAMPLE, USER_EXAMPLE, USER_PAGE_EXAMPLE } from "../openapi/access-examples.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY_WITHOUT_KEYS } from "../openapi/document.ts";
import { pageParameters } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { onlyParameters, wholeParameter } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { ADMINS } from "../roles.ts";
import { changedBy, grantedSystems } from "./account-access.ts";
import { CHANGE_PROBLEMS } from "./common-problems.ts";
import { LIST_PROBLEMS, pageAnswer } from "./oversight-access.ts";
import { queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/users";
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
/** A thousand systems and the longest note fit. */
export const MAX_ACCOUNT_BYTES = 65_536;

const describeList = describeRoute({
  tags: ["Access"],
  summary: "Users, by name",
  description:
    "Without their passwords. Admins only; those who are limited to systems see the users who are limited to some " +
    "of these.",
  operationId: "listUsers",
  security: SECURITY_WITHOUT_KEYS,
  parameters: pageParameters(DEFAULT_LIMIT, MAX_LIMIT),
  responses: {
    200: ok("A page of users", UserPageSchema, USER_PAGE_EXAMPLE, ["Link"]),
    ...problems(PATH, LIST_PROBLEMS),
  },
});
const describeCreate = describeRoute({
  tags: ["Access"],
  summary: "Make a user",
  description: "Recorded in the audit. Admins only, and not by an API key.",
  operationId: "createUser",
  security: SECURITY_WITHOUT_KEYS,
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(NewUserSchema), example: NEW_USER_EXAMPLE } },
  },
  responses: {
    201: ok("The user", UserViewSchema, USER_EXAMPLE, ["Location"]),
    ...problems(PATH, [...CHANGE_PROBLEMS, "name-taken"]),
  },
});

const checkNew = shapeCheck(NewUserSchema);

export function mountUsers(app: App, deps: RouteDeps): void {
  const { queries, tokens } = deps;
  app.get(PATH, describeList, authenticate(tokens, ADMINS, NO_KEYS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, ["limit", "after"]);
      const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
      const [after = null] = cursorParameter(c, 1) ?? [];
      const reach = c.get("claims").systems;
      const page = await queries.users.page(after, limit, reach, { signal: c.req.raw.signal });
      return pageAnswer(c, page.items, page.next === null ? null : [page.next]);
    }),
  );

  const read = smallJson(MAX_ACCOUNT_BYTES, deps.config.BODY_TIMEOUT_MS);
  app.post(PATH, describeCreate, authenticate(tokens, ADMINS, NO_KEYS), requireEncodedJson, async (c) => {
    const { password, note, ...given } = checkNew(await read(c));
    const systems = await grantedSystems(deps, c, given.systems ?? null);
    const user = {
      username: given.username,
      role: given.role,
      systems,
      requests_per_minute: given.requests_per_minute ?? null,
      readings_per_minute: given.readings_per_minute ?? null,
      password_hash: await hashPassword(password),
    };
    const id = await deps.users.create(user, changedBy(c, note)).catch(nameTaken);
    await recount(deps.register);
    c.header("Location", `${PATH}/${id}`);
    return c.json(await deps.users.get(id, null), 201);
  });
}

function nameTaken(error: unknown): never {
  if (!(error instanceof UserExistsError)) throw error;
  const detail = "Another user has this name.";
  throw new ProblemError("name-taken", { detail, errors: [{ pointer: "/username", detail }], cause: error });
}
