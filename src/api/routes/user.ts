/** `/api/v1/users/{user_id}`: one account, to read, to change, and to give a password. */
import { describeRoute } from "hono-openapi";
import { NewPasswordSchema, UserChangeSchema, type UserView, UserViewSchema } from "../../contract/access.ts";
import type { App, AppContext } from "../app-env.ts";
import { hashPassword } from "../auth/passwords.ts";
import { recount } from "../auth/recount.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { smallJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate, NO_KEYS } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { USER_CHANGE_EXAMPLE, USER_EXAMPLE } from "../openapi/access-examples.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY_WITHOUT_KEYS } from "../openapi/document.ts";
import { USER_ID_PARAMETER } from "../openapi/parameters.ts";
import { done, ok, problems } from "../openapi/responses.ts";
import { pathUuid } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { ADMINS } from "../roles.ts";
import { accountAnswer, changedBy, grantedSystems } from "./account-access.ts";
import { CHANGE_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import { MAX_ACCOUNT_BYTES } from "./users.ts";

const PATH = "/api/v1/users/:user_id";
const INSTANCE = "/api/v1/users/x";
const shared = { tags: ["Access"], security: SECURITY_WITHOUT_KEYS, parameters: [USER_ID_PARAMETER] };
const answered = { 200: ok("The user", UserViewSchema, USER_EXAMPLE) };

const describeGet = describeRoute({
  ...shared,
  summary: "One user",
  description: "Admins only.",
  operationId: "getUser",
  responses: { ...answered, ...problems(INSTANCE, [...READ_PROBLEMS, "user-not-found"]) },
});
const describePatch = describeRoute({
  ...shared,
  summary: "Change a user",
  description:
    "What the body leaves out stays. Systems and limits count within 2 s for tokens and keys that are out already; " +
    "a change of the role and deactivation end all tokens of the user, and keys act by the new role or not at all. " +
    "Recorded in the audit. Admins only, and not by an API key.",
  operationId: "changeUser",
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(UserChangeSchema), example: USER_CHANGE_EXAMPLE } },
  },
  responses: {
    ...answered,
    ...problems(INSTANCE, [...CHANGE_PROBLEMS, "user-not-found", "last-admin", "outside-identity"]),
  },
});
const describePassword = describeRoute({
  ...shared,
  summary: "Give a user a password",
  description: "All tokens of the user end. Recorded in the audit. Admins only, and not by an API key.",
  operationId: "setUserPassword",
  requestBody: {
    required: true,
    content: {
      "application/json": {
        schema: schemaOf(NewPasswordSchema),
        example: { password: "correct horse battery", note: "Forgotten" },
      },
    },
  },
  responses: {
    204: done("The password is set"),
    ...problems(`${INSTANCE}/password`, [...CHANGE_PROBLEMS, "user-not-found", "outside-identity"]),
  },
});

const checkChange = shapeCheck(UserChangeSchema);
const checkPassword = shapeCheck(NewPasswordSchema);

export function mountUser(app: App, deps: RouteDeps): void {
  const read = smallJson(MAX_ACCOUNT_BYTES, deps.config.BODY_TIMEOUT_MS);
  const admins = authenticate(deps.tokens, ADMINS, NO_KEYS);
  const find = async (c: AppContext): Promise<UserView> => {
    const user = await deps.users.get(pathUuid(c, "user_id"), c.get("claims").systems);
    if (user === null) throw new ProblemError("user-not-found");
    return user;
  };
  app.get(PATH, describeGet, admins, async (c) => c.json(await find(c)));
  app.patch(PATH, describePatch, admins, requireEncodedJson, async (c) => {
    const { note, ...change } = checkChange(await read(c));
    const { id, issuer } = await find(c);
    if (issuer !== null && change.role !== undefined) throw new ProblemError("outside-identity");
    const systems = await grantedSystems(deps, c, change.systems);
    const wanted = { ...change, ...(systems === undefined ? {} : { systems: systems && [...systems] }) };
    await accountAnswer(deps.users.change(id, wanted, changedBy(c, note)));
    await recount(deps.register);
    return c.json(await find(c));
  });
  app.post(`${PATH}/password`, describePassword, admins, requireEncodedJson, async (c) => {
    const { password, note } = checkPassword(await read(c));
    const { id, issuer } = await find(c);
    if (issuer !== null) throw new ProblemError("outside-identity");
    await accountAnswer(deps.users.setPassword(id, await hashPassword(password), changedBy(c, note)));
    await recount(deps.register);
    return c.body(null, 204);
  });
}
