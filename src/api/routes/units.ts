/** `GET /api/v1/units`: the canonical units, their ranges, and every alias with its exact conversion. */
import { describeRoute } from "hono-openapi";
import { UnitListSchema } from "../../contract/registry.ts";
import { toUnitList } from "../../contract/registry-records.ts";
import type { App } from "../app-env.ts";
import { contentTag, isKnownTag } from "../etag.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { UNIT_LIST_EXAMPLE } from "../openapi/registry-examples.ts";
import { notModified, ok, problems } from "../openapi/responses.ts";
import type { RegistryDeps } from "./registry-access.ts";

const PATH = "/api/v1/units";
/** Units change only when the service starts anew; a restart is noticed after this, s. */
const MAX_AGE_S = 300;

const describe = describeRoute({
  tags: ["Registry"],
  summary: "The registry of units",
  description:
    "A reading may name a unit by its symbol or by an alias; capitals matter only where they tell units apart. " +
    "It is stored in the canonical unit: (value + offset) * factor.",
  operationId: "listUnits",
  security: SECURITY,
  responses: {
    200: ok("Every canonical unit", UnitListSchema, UNIT_LIST_EXAMPLE, ["ETag", "Cache-Control"]),
    304: notModified(["ETag", "Cache-Control"]),
    ...problems(PATH, ["authentication-required", "invalid-token", "forbidden", "service-unavailable"]),
  },
});

export function mountUnits(app: App, deps: RegistryDeps): void {
  const body = JSON.stringify(toUnitList(deps.units));
  const tag = contentTag(body);
  app.get(PATH, describe, authenticate(deps.tokens), (c) => {
    c.header("ETag", tag);
    c.header("Cache-Control", `private, max-age=${MAX_AGE_S}`);
    if (isKnownTag(c.req.header("If-None-Match"), tag)) return c.body(null, 304);
    return c.body(body, 200, { "Content-Type": "application/json" });
  });
}
