/** `GET` and `POST /api/v1/systems`: the machines whose readings are taken. */
import { describeRoute } from "hono-openapi";
import { isUuid } from "../../contract/job-id.ts";
import { NewSystemSchema, SystemPageSchema, SystemSchema } from "../../contract/registry.ts";
import type { App, AppContext } from "../app-env.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { cursorParameter, toCursor } from "../cursor.ts";
import { authenticate, forbidden } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { NEW_SYSTEM_EXAMPLE, SYSTEM_EXAMPLE, SYSTEM_PAGE_EXAMPLE } from "../openapi/registry-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { invalidParameter } from "../parameters.ts";
import { CHANGE_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import type { RegistryDeps } from "./registry-access.ts";
import { REGISTRY_EDITORS, registryAnswer } from "./registry-access.ts";
import { listParameters, listQuery } from "./registry-list.ts";

const PATH = "/api/v1/systems";

const describeList = describeRoute({
  tags: ["Registry"],
  summary: "List systems",
  description: "By name, in pages. Who is limited to systems gets these alone.",
  operationId: "listSystems",
  security: SECURITY,
  parameters: listParameters("the name, the description or the id"),
  responses: {
    200: ok("Systems", SystemPageSchema, SYSTEM_PAGE_EXAMPLE),
    ...problems(PATH, READ_PROBLEMS),
  },
});

const describeCreate = describeRoute({
  tags: ["Registry"],
  summary: "Register a system",
  description:
    "From then on batches may name it. Admins and engineers only, and none who is limited to systems: it could not be seen.",
  operationId: "createSystem",
  security: SECURITY,
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(NewSystemSchema), example: NEW_SYSTEM_EXAMPLE } },
  },
  responses: {
    201: ok("The system", SystemSchema, SYSTEM_EXAMPLE, ["Location"]),
    ...problems(PATH, [...CHANGE_PROBLEMS, "id-taken"]),
  },
});

const checkNew = shapeCheck(NewSystemSchema);

export function mountSystems(app: App, deps: RegistryDeps): void {
  app.get(PATH, describeList, authenticate(deps.tokens), async (c) => {
    const query = listQuery(c);
    const [name, id] = cursorParameter(c, 2) ?? [];
    const after = name === undefined || id === undefined ? null : { name, id };
    if (after !== null && !isUuid(after.id)) throw invalidParameter("after", "the `next` of the page before");
    const items = await deps.systems.list({ ...query, reach: c.get("claims").systems, after });
    const last = items.at(-1);
    return c.json({
      items,
      next: last && items.length === query.limit ? toCursor([last.name, last.id]) : null,
    });
  });

  const admit = [authenticate(deps.tokens, REGISTRY_EDITORS), requireEncodedJson] as const;
  app.post(PATH, describeCreate, ...admit, async (c) => {
    requireEveryReach(c);
    const { id = Bun.randomUUIDv7(), name, description = "" } = checkNew(await deps.readJson(c));
    const system = await registryAnswer(deps.systems.register({ id: id.toLowerCase(), name, description }));
    c.header("Location", `${PATH}/${system.id}`);
    return c.json(system, 201);
  });
}

/** A new system is on nobody's list. @throws {ProblemError} forbidden */
function requireEveryReach(c: AppContext): void {
  if (c.get("claims").systems === null) return;
  throw forbidden("You are limited to systems, and a new one would not be among them.");
}
