/** What the routes of API keys share: whose keys are seen, and the answer that shows a secret once. */
import type { KeyView } from "../../contract/access.ts";
import type { KeyViewer } from "../../store/api-keys.ts";
import type { AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { forbidden } from "../middleware/authenticate.ts";
import { ProblemError } from "../problem-error.ts";
import { ADMINS } from "../roles.ts";
import { actorOf } from "./oversight-access.ts";

export const KEYS_PATH = "/api/v1/keys";
/** A thousand systems and the longest note fit. */
export const MAX_KEY_BYTES = 65_536;

/** Whose keys a request may see. */
export function viewerOf(c: AppContext): KeyViewer {
  const { role, systems } = c.get("claims");
  return { actor: actorOf(c), admin: ADMINS.includes(role) ? { reach: systems } : null };
}

/** @throws {ProblemError} key-not-found @throws {StoreUnavailableError} */
export async function visibleKey(
  { apiKeys }: Pick<RouteDeps, "apiKeys">,
  c: AppContext,
  id: string,
): Promise<KeyView> {
  const key = await apiKeys.get(id, viewerOf(c));
  if (key === null) throw new ProblemError("key-not-found");
  return key;
}

/** Budgets are given by admins: an owner's keys have those of the configuration. @throws {ProblemError} forbidden */
export function requireLimitsByAdmin(
  c: AppContext,
  given: { readonly requests_per_minute?: unknown; readonly readings_per_minute?: unknown },
): void {
  const isGiven = given.requests_per_minute !== undefined || given.readings_per_minute !== undefined;
  if (!isGiven || ADMINS.includes(c.get("claims").role)) return;
  throw forbidden(
    "Only admins give a key limits of its own; leave requests_per_minute and readings_per_minute out.",
  );
}

/** The one answer with the secret; nobody may keep it. */
export async function secretAnswer(
  deps: Pick<RouteDeps, "apiKeys">,
  c: AppContext,
  id: string,
  secret: string,
): Promise<Response> {
  const key = await visibleKey(deps, c, id);
  c.header("Location", `${KEYS_PATH}/${id}`);
  return c.json({ key, secret }, 201);
}
