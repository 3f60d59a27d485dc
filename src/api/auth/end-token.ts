/** The end of tokens before their time. */
import type { AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import type { Claims } from "./claims.ts";
import { recount } from "./recount.ts";

/**
 * End the request's own token, with all others of its session: at once here, within two seconds everywhere.
 * @throws {StoreUnavailableError}
 */
export async function endOwnToken(
  { accessStore, register, tokens }: Pick<RouteDeps, "accessStore" | "register" | "tokens">,
  claims: Claims,
): Promise<void> {
  const { sub, credential } = claims;
  if (credential.kind === "key") return;
  const session = credential.kind === "token" ? credential.session : null;
  // A process that does not know of it yet may still renew the session; one of an older version knows no sessions.
  const ends = session ? [{ id: session.id, exp: tokens.renewableUntil_s(claims) ?? claims.exp }] : [];
  for (const { id, exp } of [...ends, { id: credential.id, exp: claims.exp }]) {
    await accessStore.endToken(id, sub, exp);
    register.noteEnd(id, exp);
  }
}

/** End all tokens of the request's user. @throws {StoreUnavailableError} */
export async function endAllTokens(deps: RouteDeps, c: AppContext): Promise<void> {
  await deps.users.endTokens(c.get("claims").sub);
  await recount(deps.register);
}
