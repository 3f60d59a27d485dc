/** `/api/v1/systems/{system_id}`: one system, to read, change, archive and restore. */
import { describeRoute } from "hono-openapi";
import { SystemChangeSchema, SystemSchema } from "../../contract/registry.ts";
import type { App } from "../app-env.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { SYSTEM_CHANGE_EXAMPLE, SYSTEM_EXAMPLE } from "../openapi/registry-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { ProblemError } from "../problem-error.ts";
import { CHANGE_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import type { RegistryDeps } from "./registry-access.ts";
import { REGISTRY_EDITORS, registryAnswer, systemIdOf } from "./registry-access.ts";

const PATH = "/api/v1/systems/:system_id";
const shared = {
  tags: ["Registry"],
  security: SECURITY,
  parameters: [SYSTEM_ID_PARAMETER],
};
const answered = { 200: ok("The system", SystemSchema, SYSTEM_EXAMPLE) };

const describeGet = describeRoute({
  ...shared,
  summary: "One system",
  description: "Archived ones too.",
  operationId: "getSystem",
  responses: { ...answered, ...problems("/api/v1/systems/x", [...READ_PROBLEMS, "system-not-found"]) },
});
const describePatch = describeRoute({
  ...shared,
  summary: "Change a system",
  description: "What the body leaves out stays. Admins and engineers only.",
  operationId: "changeSystem",
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(SystemChangeSchema), example: SYSTEM_CHANGE_EXAMPLE } },
  },
  responses: {
    ...answered,
    ...problems("/api/v1/systems/x", [...CHANGE_PROBLEMS, "system-not-found", "archived"]),
  },
});
const describeArchive = describeRoute({
  ...shared,
  summary: "Archive a system",
  description:
    "Its readings, and those of all its sensors, are quarantined from then on. What is stored stays. Archiving " +
    "it again changes nothing. Admins and engineers only.",
  operationId: "archiveSystem",
  responses: {
    ...answered,
    ...problems("/api/v1/systems/x", [...READ_PROBLEMS, "cross-site-request", "system-not-found"]),
  },
});
const describeRestore = describeRoute({
  ...shared,
  summary: "Restore an archived system",
  description: "Restoring a system that is in use changes nothing. Admins and engineers only.",
  operationId: "restoreSystem",
  responses: {
    ...answered,
    ...problems("/api/v1/systems/x/restore", [...READ_PROBLEMS, "cross-site-request", "system-not-found"]),
  },
});

const checkChange = shapeCheck(SystemChangeSchema);

export function mountSystem(app: App, deps: RegistryDeps): void {
  const editors = authenticate(deps.tokens, REGISTRY_EDITORS);
  app.get(PATH, describeGet, authenticate(deps.tokens), async (c) => {
    const system = await deps.systems.get(systemIdOf(c));
    if (system === null) throw new ProblemError("system-not-found");
    return c.json(system);
  });
  app.patch(PATH, describePatch, editors, requireEncodedJson, async (c) => {
    const id = systemIdOf(c);
    const change = checkChange(await deps.readJson(c));
    return c.json(await registryAnswer(deps.systems.change(id, change)));
  });
  app.delete(PATH, describeArchive, editors, async (c) => {
    return c.json(await registryAnswer(deps.systems.archive(systemIdOf(c))));
  });
  app.post(`${PATH}/restore`, describeRestore, editors, async (c) => {
    return c.json(await registryAnswer(deps.systems.restore(systemIdOf(c))));
  });
}
