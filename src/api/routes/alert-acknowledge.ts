/** `POST /api/v1/alerts/{alert_id}/acknowledge`: somebody sees to an alert, and says so. */
import { describeRoute } from "hono-openapi";
import { AcknowledgementSchema } from "../../contract/alert.ts";
import type { App } from "../app-env.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { smallJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { ALERT_EXAMPLE } from "../openapi/oversight-examples.ts";
import { done, problems } from "../openapi/responses.ts";
import { pathCount } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { READERS } from "../roles.ts";
import { CHANGE_PROBLEMS } from "./common-problems.ts";
import { MAX_NOTE_BYTES } from "./dead-letter-access.ts";
import { actorOf } from "./oversight-access.ts";

const PATH = "/api/v1/alerts/:alert_id/acknowledge";

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "See to an alert",
  description:
    "Others see who does, since when, and the note. It resolves nothing: that is the share's to do. Again, also after " +
    "the alert is resolved, puts the newer one in its place; all of them stay in the audit. Not for producers.",
  operationId: "acknowledgeAlert",
  security: SECURITY,
  parameters: [
    {
      name: "alert_id",
      in: "path",
      required: true,
      description: "Id of the alert",
      schema: { type: "integer", minimum: 1 },
      example: ALERT_EXAMPLE.id,
    },
  ],
  requestBody: {
    required: true,
    content: {
      "application/json": {
        schema: schemaOf(AcknowledgementSchema),
        example: { note: "Gateway sends psi as bar; fixed at the next stop of the rig" },
      },
    },
  },
  responses: {
    204: done("Noted"),
    ...problems("/api/v1/alerts/3/acknowledge", [...CHANGE_PROBLEMS, "alert-not-found"]),
  },
});

const check = shapeCheck(AcknowledgementSchema);

export function mountAlertAcknowledge(app: App, { alerts, tokens, config }: RouteDeps): void {
  const read = smallJson(MAX_NOTE_BYTES, config.BODY_TIMEOUT_MS);
  app.post(PATH, describe, authenticate(tokens, READERS), requireEncodedJson, async (c) => {
    const alert_id = pathCount(c, "alert_id");
    const { note = null } = check(await read(c));
    const reach = c.get("claims").systems;
    const isKnown = await alerts.acknowledge(alert_id, { actor: actorOf(c), reach, note });
    if (!isKnown) throw new ProblemError("alert-not-found");
    return c.body(null, 204);
  });
}
