/** `GET` and `POST /api/v1/keys`: secrets of devices and programs. */
import { describeRoute } from "hono-openapi";
import {
  KeyPageSchema,
  KeyWithSecretSchema,
  MAX_KEYS,
  type NewKeyBody,
  NewKeySchema,
} from "../../contract/access.ts";
import { isUuid } from "../../contract/job-id.ts";
import { isWithin, type Reach } from "../../contract/reach.ts";
import { parseTimestamp_us } from "../../contract/timestamp.ts";
import type { App, AppContext } from "../app-env.ts";
import { mintKey } from "../auth/api-keys.ts";
import { recount } from "../auth/recount.ts";
import { invalidField, shapeCheck } from "../body/check-shape.ts";
import { smallJson } from "../body/small-json.ts";
import { cursorParameter } from "../cursor.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate, NO_KEYS } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { KEY_PAGE_EXAMPLE, KEY_WITH_SECRET_EXAMPLE, NEW_KEY_EXAMPLE } from "../openapi/access-examples.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY_WITHOUT_KEYS } from "../openapi/document.ts";
import { pageParameters, queryParameter } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import {
  choiceParameter,
  invalidParameter,
  onlyParameters,
  uuidParameter,
  wholeParameter,
} from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { ADMINS } from "../roles.ts";
import { accountAnswer, ensureOwnRow, grantedSystems } from "./account-access.ts";
import { CHANGE_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import { KEYS_PATH, MAX_KEY_BYTES, requireLimitsByAdmin, secretAnswer, viewerOf } from "./key-access.ts";
import { pageAnswer } from "./oversight-access.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
const STATES = ["active", "over", "any"] as const;

const describeList = describeRoute({
  tags: ["Access"],
  summary: "API keys, newest first",
  description: "Your own; admins get those of all users they see. Without the secrets, which are not kept.",
  operationId: "listKeys",
  security: SECURITY_WITHOUT_KEYS,
  parameters: [
    queryParameter("user_id", "Only of this user", { type: "string", format: "uuid" }),
    queryParameter("state", "active: neither revoked nor expired; over: the others", {
      type: "string",
      enum: [...STATES],
      default: "any",
    }),
    ...pageParameters(DEFAULT_LIMIT, MAX_LIMIT),
  ],
  responses: {
    200: ok("A page of keys", KeyPageSchema, KEY_PAGE_EXAMPLE, ["Link"]),
    ...problems(KEYS_PATH, READ_PROBLEMS),
  },
});
const describeCreate = describeRoute({
  tags: ["Access"],
  summary: "Make an API key",
  description:
    "`secret` is shown this once; keep it where the device has it. The key acts for its owner, with the owner's role " +
    "and within the owner's systems: `ingest` sends batches and follows the owner's jobs, `read` is every GET, `write` " +
    "changes the registry and decides about the quarantine. No key manages users, keys or sessions. Everybody makes " +
    `keys for themselves, admins also for others and with limits of their own; ${MAX_KEYS} in use for each owner. ` +
    "Recorded in the audit.",
  operationId: "createKey",
  security: SECURITY_WITHOUT_KEYS,
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(NewKeySchema), example: NEW_KEY_EXAMPLE } },
  },
  responses: {
    201: ok("The key and its secret", KeyWithSecretSchema, KEY_WITH_SECRET_EXAMPLE, ["Location"]),
    ...problems(KEYS_PATH, [...CHANGE_PROBLEMS, "user-not-found", "too-many-keys"]),
  },
});

const checkNew = shapeCheck(NewKeySchema);

export function mountKeys(app: App, deps: RouteDeps): void {
  const people = authenticate(deps.tokens, undefined, NO_KEYS);
  const read = smallJson(MAX_KEY_BYTES, deps.config.BODY_TIMEOUT_MS);
  app.get(KEYS_PATH, describeList, people, async (c) => {
    onlyParameters(c, ["user_id", "state", "limit", "after"]);
    const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
    const state = choiceParameter(c, "state", STATES, "any");
    const filter = { user_id: uuidParameter(c, "user_id"), state, limit, after: afterOf(c) };
    const found = await deps.apiKeys.list(viewerOf(c), filter);
    const items = found.slice(0, limit);
    const last = found.length > limit ? items.at(-1) : undefined;
    return pageAnswer(c, items, last ? [last.id] : null);
  });

  app.post(KEYS_PATH, describeCreate, people, requireEncodedJson, async (c) =>
    makeKey(deps, c, checkNew(await read(c))),
  );
}

/** @throws {ProblemError} for what the visitor or the owner may not have */
async function makeKey(deps: RouteDeps, c: AppContext, given: NewKeyBody): Promise<Response> {
  requireLimitsByAdmin(c, given);
  const expires_at = expiryOf(given, deps.clock.now_ms());
  const owner = await ownerOf(deps, c, given.user_id);
  const systems = given.systems ? await grantedSystems(deps, c, given.systems) : null;
  if (systems !== null && !isWithin(systems, owner.systems)) {
    throw invalidField("/systems", "The owner of the key does not reach all of these systems.");
  }
  await ensureOwnRow(deps, c);
  const { secret, prefix, hash } = mintKey();
  const key = {
    id: Bun.randomUUIDv7(),
    prefix,
    hash,
    user_id: owner.id,
    name: given.name,
    scopes: given.scopes,
    systems,
    requests_per_minute: given.requests_per_minute ?? null,
    readings_per_minute: given.readings_per_minute ?? null,
    expires_at,
  };
  await accountAnswer(deps.apiKeys.create(key, viewerOf(c), given.note ?? null));
  await recount(deps.register);
  return secretAnswer(deps, c, key.id, secret);
}

/** @throws {ProblemError} user-not-found: also for those who are no admins and name another */
async function ownerOf(
  { users }: RouteDeps,
  c: AppContext,
  given: string | undefined,
): Promise<{ readonly id: string; readonly systems: Reach }> {
  const { sub, systems, role } = c.get("claims");
  const id = given?.toLowerCase() ?? sub;
  if (id === sub) return { id, systems };
  const owner = ADMINS.includes(role) ? await users.get(id, systems) : null;
  if (owner === null) throw new ProblemError("user-not-found");
  return owner;
}

/** @throws {ProblemError} invalid-request */
function expiryOf({ expires_at }: Pick<NewKeyBody, "expires_at">, now_ms: number): Date | null {
  if (expires_at === undefined || expires_at === null) return null;
  const at_us = parseTimestamp_us(expires_at);
  if (at_us > now_ms * 1000) return new Date(at_us / 1000);
  throw invalidField("/expires_at", "It must be an RFC 3339 date-time in the future, or null for never.");
}

/** @throws {ProblemError} invalid-request */
function afterOf(c: AppContext): string | null {
  const [id] = cursorParameter(c, 1) ?? [];
  if (id === undefined || isUuid(id)) return id ?? null;
  throw invalidParameter("after", "the one in `next` of the page before");
}
