/** What the routes of webhooks share: whose they are, what they may be told, and where they may lead. */
import type { ProblemName } from "../../contract/problem.ts";
import { type Role, WEBHOOK_USERS } from "../../contract/roles.ts";
import {
  ALERT_EVENTS,
  MAX_WEBHOOKS,
  type WebhookEvent,
  type WebhookScope,
} from "../../contract/webhook-events.ts";
import { TargetError } from "../../notify/target.ts";
import type { OwnedWebhook } from "../../store/webhooks/webhook-row.ts";
import type { AppContext } from "../app-env.ts";
import type { Claims } from "../auth/claims.ts";
import { invalidField } from "../body/check-shape.ts";
import type { ReadJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate, NO_KEYS } from "../middleware/authenticate.ts";
import { pathId } from "../openapi/parameters.ts";
import { pathUuid } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { BODY_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";

export const WEBHOOKS_PATH = "/api/v1/webhooks";
/** For the addresses of problems' examples. */
export const WEBHOOK_INSTANCE = `${WEBHOOKS_PATH}/x`;
/** Said in each description. */
export const WHO = "Producers and engineers have webhooks of their own; admins see all. Not by an API key.";

export const WEBHOOK_READ_PROBLEMS = [
  ...READ_PROBLEMS,
  "forbidden",
] as const satisfies readonly ProblemName[];
export const WEBHOOK_CHANGE_PROBLEMS = [
  ...WEBHOOK_READ_PROBLEMS,
  ...BODY_PROBLEMS,
] as const satisfies readonly ProblemName[];

export const WEBHOOK_ID_PARAMETER = pathId(
  "webhook_id",
  "Id of the webhook",
  "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a30",
);

export interface WebhookDeps extends RouteDeps {
  readonly readJson: ReadJson;
}

/** A key that is limited must not make something that tells what its owner may know. */
export const webhookUsers = ({ tokens }: Pick<RouteDeps, "tokens">) =>
  authenticate(tokens, WEBHOOK_USERS, NO_KEYS);

/** Whose webhooks the user sees: null for everybody's. Admins who are limited to systems see their own. */
export const seenOwner = ({ sub, role, systems }: Claims): string | null =>
  role === "admin" && systems === null ? null : sub;

/** The webhook of the path. @throws {ProblemError} invalid-request, webhook-not-found (also for that of another) */
export async function visibleWebhook(
  { webhooks }: Pick<RouteDeps, "webhooks">,
  c: AppContext,
): Promise<OwnedWebhook> {
  const found = await webhooks.get(pathUuid(c, "webhook_id"));
  const owner = seenOwner(c.get("claims"));
  if (found === null || (owner !== null && found.webhook.created_by !== owner))
    throw new ProblemError("webhook-not-found");
  return found;
}

/** @param role of the webhook's user @throws {ProblemError} forbidden, invalid-request */
export function refuseBeyond(
  role: Role | null,
  { events, scope }: { readonly events: readonly WebhookEvent[]; readonly scope: WebhookScope },
): void {
  if (scope === "all" && role !== "admin") {
    const detail = "Only webhooks of admins are told of everybody's batches: use the scope own.";
    throw new ProblemError("forbidden", { detail, errors: [{ pointer: "/scope", detail }] });
  }
  const alert = events.find((event) => (ALERT_EVENTS as readonly string[]).includes(event));
  if (alert !== undefined && scope !== "all") {
    throw invalidField("/events", `${alert} is about everybody's batches: it takes the scope all.`);
  }
}

/** @throws {ProblemError} invalid-request saying why the address cannot be used now */
export async function refuseTarget(
  { webhookTargets }: Pick<RouteDeps, "webhookTargets">,
  url: string,
): Promise<void> {
  try {
    await webhookTargets.find(url);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    throw invalidField("/url", `The address is refused: ${error.message}.`);
  }
}

export const tooManyWebhooks = () =>
  new ProblemError("too-many-webhooks", {
    detail: `You have ${MAX_WEBHOOKS} webhooks, which is as many as may be.`,
  });
