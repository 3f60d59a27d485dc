/** `GET` and `POST /api/v1/webhooks`: addresses that are told of ended jobs and of alerts. */
import { describeRoute } from "hono-openapi";
import { isUuid } from "../../contract/job-id.ts";
import { NewWebhookSchema, WebhookMadeSchema, WebhookPageSchema } from "../../contract/webhook.ts";
import { MAX_WEBHOOKS } from "../../contract/webhook-events.ts";
import { newSecret } from "../../notify/signature.ts";
import type { App, AppContext } from "../app-env.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { cursorParameter } from "../cursor.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY_WITHOUT_KEYS } from "../openapi/document.ts";
import { pageParameters } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { NEW_WEBHOOK_EXAMPLE, WEBHOOK_EXAMPLE, WEBHOOK_MADE_EXAMPLE } from "../openapi/webhook-examples.ts";
import { invalidParameter, onlyParameters, wholeParameter } from "../parameters.ts";
import { ensureOwnRow } from "./account-access.ts";
import { actorOf, pageAnswer } from "./oversight-access.ts";
import {
  refuseBeyond,
  refuseTarget,
  seenOwner,
  tooManyWebhooks,
  WEBHOOK_CHANGE_PROBLEMS,
  WEBHOOK_READ_PROBLEMS,
  WEBHOOKS_PATH,
  type WebhookDeps,
  WHO,
  webhookUsers,
} from "./webhook-access.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

const describeList = describeRoute({
  tags: ["Webhooks"],
  summary: "Webhooks, newest first",
  description: WHO,
  operationId: "listWebhooks",
  security: SECURITY_WITHOUT_KEYS,
  parameters: pageParameters(DEFAULT_LIMIT, MAX_LIMIT),
  responses: {
    200: ok("A page of webhooks", WebhookPageSchema, { items: [WEBHOOK_EXAMPLE], next: null }, ["Link"]),
    ...problems(WEBHOOKS_PATH, WEBHOOK_READ_PROBLEMS),
  },
});
const describeCreate = describeRoute({
  tags: ["Webhooks"],
  summary: "Make a webhook",
  description:
    "From then on its address gets a POST for each event, signed as Standard Webhooks say; `webhooks` of this document " +
    "has the bodies. The secret is shown in this answer and never again. An address that leads to a network which is " +
    "not public is refused, now and at each delivery, unless it is in WEBHOOK_ALLOWED_NETWORKS; redirects are not " +
    `followed. At most ${MAX_WEBHOOKS} for each user. ${WHO}`,
  operationId: "createWebhook",
  security: SECURITY_WITHOUT_KEYS,
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(NewWebhookSchema), example: NEW_WEBHOOK_EXAMPLE } },
  },
  responses: {
    201: ok("The webhook with its secret", WebhookMadeSchema, WEBHOOK_MADE_EXAMPLE, ["Location"]),
    ...problems(WEBHOOKS_PATH, [...WEBHOOK_CHANGE_PROBLEMS, "too-many-webhooks"]),
  },
});

const checkNew = shapeCheck(NewWebhookSchema);

export function mountWebhooks(app: App, deps: WebhookDeps): void {
  const users = webhookUsers(deps);
  app.get(WEBHOOKS_PATH, describeList, users, async (c) => {
    onlyParameters(c, ["limit", "after"]);
    const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
    const found = await deps.webhooks.page(seenOwner(c.get("claims")), afterOf(c), limit + 1);
    const items = found.slice(0, limit).map(({ webhook }) => webhook);
    return pageAnswer(c, items, found.length > limit ? [items.at(-1)!.id] : null);
  });

  app.post(WEBHOOKS_PATH, describeCreate, users, requireEncodedJson, async (c) => {
    const { url, events, scope = "own", description = "" } = checkNew(await deps.readJson(c));
    refuseBeyond(c.get("claims").role, { events, scope });
    await refuseTarget(deps, url);
    await ensureOwnRow(deps, c);
    const id = Bun.randomUUIDv7();
    const secret = newSecret();
    const fields = { url, events, scope, description };
    if (!(await deps.webhooks.create(actorOf(c), id, fields, secret))) throw tooManyWebhooks();
    const made = await deps.webhooks.get(id);
    c.header("Location", `${WEBHOOKS_PATH}/${id}`);
    return c.json({ ...made!.webhook, secret }, 201);
  });
}

/** @throws {ProblemError} invalid-request */
function afterOf(c: AppContext): string | null {
  const [id] = cursorParameter(c, 1) ?? [];
  if (id === undefined || isUuid(id)) return id ?? null;
  throw invalidParameter("after", "the one in `next` of the page before");
}
