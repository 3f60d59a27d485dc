/** `GET` and `PUT …/systems/{system_id}/alert-limits`: how much of a system may be refused before an alert is raised. */
import { describeRoute } from "hono-openapi";
import { AlertLimitsStateSchema, OwnAlertLimitsSchema } from "../../contract/alert.ts";
import type { App, AppContext } from "../app-env.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { matchedVersions, versionTag } from "../etag.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { ALERT_LIMITS_EXAMPLE } from "../openapi/oversight-examples.ts";
import { IF_MATCH, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { READERS } from "../roles.ts";
import { CHANGE_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import { actorOf } from "./oversight-access.ts";
import type { RegistryDeps } from "./registry-access.ts";
import { REGISTRY_EDITORS, registryAnswer, systemIdOf } from "./registry-access.ts";

const PATH = "/api/v1/systems/:system_id/alert-limits";
const INSTANCE = "/api/v1/systems/x/alert-limits";
const shared = { tags: ["Oversight"], security: SECURITY };
const answered = {
  200: ok("What judges the system, and what of it is its own", AlertLimitsStateSchema, ALERT_LIMITS_EXAMPLE, [
    "ETag",
  ]),
};

const describeGet = describeRoute({
  ...shared,
  summary: "The limits of a system's alerts",
  description:
    "Those of the service are QUARANTINE_ALERT_* as this API is configured. ETag is the version of its own, 0 " +
    "before the first. Not for producers.",
  operationId: "getAlertLimits",
  parameters: [SYSTEM_ID_PARAMETER],
  responses: { ...answered, ...problems(INSTANCE, [...READ_PROBLEMS, "system-not-found"]) },
});

const describePut = describeRoute({
  ...shared,
  summary: "Set the limits of a system's alerts",
  description:
    "In place of the service's, each by itself; what is absent or null is the service's, so `{}` goes back to all of " +
    "these. A share of 1 raises none. Alerts are judged by them within 5 s, while a worker runs: one that they would not " +
    "raise is resolved. On record when it changes something. With `If-Match` only if the version is the one named. " +
    "Admins and engineers only.",
  operationId: "setAlertLimits",
  parameters: [SYSTEM_ID_PARAMETER, IF_MATCH],
  requestBody: {
    required: true,
    content: {
      "application/json": { schema: schemaOf(OwnAlertLimitsSchema), example: { share: 0.2, window_s: 900 } },
    },
  },
  responses: {
    ...answered,
    ...problems(INSTANCE, [...CHANGE_PROBLEMS, "system-not-found", "archived", "version-conflict"]),
  },
});

const check = shapeCheck(OwnAlertLimitsSchema);

export function mountAlertLimits(app: App, deps: RegistryDeps): void {
  const state = async (c: AppContext, system_id: string) => {
    const { own, author_name, updated_at, version } = await registryAnswer(deps.alerts.limits(system_id));
    const { share, window_s, min_readings } = deps.alertLimits;
    const in_force = {
      share: own.share ?? share,
      window_s: own.window_s ?? window_s,
      min_readings: own.min_readings ?? min_readings,
    };
    c.header("ETag", versionTag(version));
    return c.json({ in_force, own, author_name, updated_at });
  };
  app.get(PATH, describeGet, authenticate(deps.tokens, READERS), (c) => state(c, systemIdOf(c)));
  app.put(PATH, describePut, authenticate(deps.tokens, REGISTRY_EDITORS), requireEncodedJson, async (c) => {
    const system_id = systemIdOf(c);
    const expected = matchedVersions(c);
    const { share = null, window_s = null, min_readings = null } = check(await deps.readJson(c));
    const limits = { share, window_s, min_readings };
    await registryAnswer(deps.alerts.setLimits(system_id, { limits, expected, actor: actorOf(c) }));
    return state(c, system_id);
  });
}
