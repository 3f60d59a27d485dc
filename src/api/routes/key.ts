/** `/api/v1/keys/{key_id}`: one API key, to read, change, rotate and revoke. */
import { describeRoute } from "hono-openapi";
import {
  KeyChangeSchema,
  KeyViewSchema,
  KeyWithSecretSchema,
  RotateKeySchema,
} from "../../contract/access.ts";
import type { App, AppContext } from "../app-env.ts";
import { mintKey } from "../auth/api-keys.ts";
import { recount } from "../auth/recount.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { smallJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate, NO_KEYS } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import {
  KEY_CHANGE_EXAMPLE,
  KEY_EXAMPLE,
  KEY_WITH_SECRET_EXAMPLE,
  ROTATE_KEY_EXAMPLE,
} from "../openapi/access-examples.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY_WITHOUT_KEYS } from "../openapi/document.ts";
import { KEY_ID_PARAMETER } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { pathUuid } from "../parameters.ts";
import { accountAnswer } from "./account-access.ts";
import { CHANGE_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import {
  KEYS_PATH,
  MAX_KEY_BYTES,
  requireLimitsByAdmin,
  secretAnswer,
  viewerOf,
  visibleKey,
} from "./key-access.ts";

const PATH = `${KEYS_PATH}/:key_id`;
const INSTANCE = `${KEYS_PATH}/x`;
const shared = { tags: ["Access"], security: SECURITY_WITHOUT_KEYS, parameters: [KEY_ID_PARAMETER] };
const answered = { 200: ok("The key", KeyViewSchema, KEY_EXAMPLE) };

const describeGet = describeRoute({
  ...shared,
  summary: "One API key",
  description: "Its secret is never shown again; `prefix` tells keys apart.",
  operationId: "getKey",
  responses: { ...answered, ...problems(INSTANCE, [...READ_PROBLEMS, "key-not-found"]) },
});
const describePatch = describeRoute({
  ...shared,
  summary: "Change an API key",
  description:
    "Its name, and by admins its limits; what the body leaves out stays. Scopes, systems and expiry are those it was " +
    "made with: make another one. Recorded in the audit.",
  operationId: "changeKey",
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(KeyChangeSchema), example: KEY_CHANGE_EXAMPLE } },
  },
  responses: {
    ...answered,
    ...problems(INSTANCE, [...CHANGE_PROBLEMS, "key-not-found", "key-over"]),
  },
});
const describeRotate = describeRoute({
  ...shared,
  summary: "Replace an API key by a new one",
  description:
    "The new one has the same owner, scopes, systems, limits and expiry; its secret is shown this once. The old one " +
    "goes on for overlap_s seconds and counts as one of those in use, or ends at once. Recorded in the audit.",
  operationId: "rotateKey",
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(RotateKeySchema), example: ROTATE_KEY_EXAMPLE } },
  },
  responses: {
    201: ok("The new key and its secret", KeyWithSecretSchema, KEY_WITH_SECRET_EXAMPLE, ["Location"]),
    ...problems(`${INSTANCE}/rotate`, [...CHANGE_PROBLEMS, "key-not-found", "key-over", "too-many-keys"]),
  },
});
const describeRevoke = describeRoute({
  ...shared,
  summary: "Revoke an API key",
  description:
    "It is refused here at once, and within 2 s by every API process. Nothing happens to a key that is over. " +
    "Recorded in the audit.",
  operationId: "revokeKey",
  responses: {
    ...answered,
    ...problems(INSTANCE, [...READ_PROBLEMS, "cross-site-request", "key-not-found"]),
  },
});

const checkChange = shapeCheck(KeyChangeSchema);
const checkRotate = shapeCheck(RotateKeySchema);

export function mountKey(app: App, deps: RouteDeps): void {
  const { apiKeys } = deps;
  const read = smallJson(MAX_KEY_BYTES, deps.config.BODY_TIMEOUT_MS);
  const people = authenticate(deps.tokens, undefined, NO_KEYS);
  const idOf = (c: AppContext) => pathUuid(c, "key_id");
  const answer = async (c: AppContext) => c.json(await visibleKey(deps, c, idOf(c)));

  app.get(PATH, describeGet, people, answer);
  app.patch(PATH, describePatch, people, requireEncodedJson, async (c) => {
    const id = idOf(c);
    const { note, ...change } = checkChange(await read(c));
    requireLimitsByAdmin(c, change);
    await accountAnswer(apiKeys.change(id, change, viewerOf(c), note ?? null));
    await recount(deps.register);
    return answer(c);
  });
  app.post(`${PATH}/rotate`, describeRotate, people, requireEncodedJson, async (c) => {
    const id = idOf(c);
    const { overlap_s = 0, note } = checkRotate(await read(c));
    const { secret, prefix, hash } = mintKey();
    const fresh = { id: Bun.randomUUIDv7(), prefix, hash };
    await accountAnswer(apiKeys.rotate(id, fresh, overlap_s, viewerOf(c), note ?? null));
    await recount(deps.register);
    return secretAnswer(deps, c, fresh.id, secret);
  });
  app.delete(PATH, describeRevoke, people, async (c) => {
    await accountAnswer(apiKeys.revoke(idOf(c), viewerOf(c)));
    await recount(deps.register);
    return answer(c);
  });
}
