/** What the routes of accounts and keys share: who is meant, what may be granted, and what went wrong. */
import { isWithin, type Reach } from "../../contract/reach.ts";
import { AccountError, type AccountFault } from "../../store/account-errors.ts";
import type { ChangedBy } from "../../store/users.ts";
import type { AppContext } from "../app-env.ts";
import { invalidField } from "../body/check-shape.ts";
import type { RouteDeps } from "../deps.ts";
import { forbidden } from "../middleware/authenticate.ts";
import { ProblemError } from "../problem-error.ts";
import { actorOf } from "./oversight-access.ts";

const PROBLEM_OF = {
  user_not_found: "user-not-found",
  key_not_found: "key-not-found",
  last_admin: "last-admin",
  too_many_keys: "too-many-keys",
  key_over: "key-over",
} as const satisfies Record<AccountFault, string>;

/** The outcome of a call of the store, its faults as problems. @throws {ProblemError} */
export async function accountAnswer<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AccountError) throw new ProblemError(PROBLEM_OF[error.fault], { cause: error });
    throw error;
  }
}

/**
 * The row of the request's user is there from now on: that of an outside identity is written some seconds after it
 * first came. @throws {StoreUnavailableError}
 */
export async function ensureOwnRow(
  { identities }: Pick<RouteDeps, "identities">,
  c: AppContext,
): Promise<void> {
  if (c.get("claims").credential.kind === "outside") await identities.flush();
}

/** Who changes something, for the store. */
export const changedBy = (c: AppContext, note: string | undefined): ChangedBy => ({
  actor: actorOf(c),
  reach: c.get("claims").systems,
  note: note ?? null,
});

/**
 * The systems that a body grants, in lower case; undefined stays. Nobody grants what is out of their own reach.
 * @throws {ProblemError} invalid-request, forbidden @throws {StoreUnavailableError}
 */
export async function grantedSystems<T extends Reach | undefined>(
  { systems: store }: Pick<RouteDeps, "systems">,
  c: AppContext,
  given: T,
): Promise<T> {
  if (given === undefined) return given;
  const systems = given?.map((id) => id.toLowerCase()) ?? null;
  const own = c.get("claims").systems;
  if (!isWithin(systems, own)) {
    throw forbidden("You are limited to systems yourself: name some of these in `systems`.");
  }
  const [unknown] = systems === null ? [] : await store.unknown(systems);
  if (unknown !== undefined) {
    const at = systems!.indexOf(unknown);
    throw invalidField(`/systems/${at}`, `No system is registered under the id ${unknown}.`);
  }
  return systems as T;
}
