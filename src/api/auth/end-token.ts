/** The end of tokens before their time. */
import type { AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import type { Claims } from "./claims.ts";
import { recount } from "./recount.ts";

/** End the request's own token: at once here, within two seconds everywhere. @throws {StoreUnavailableError} */
export async function endOwnToken(
  { accessStore, register }: Pick<RouteDeps, "accessStore" | "register">,
  { sub, exp, credential }: Claims,
): Promise<void> {
  if (credential.kind === "key") return;
  await accessStore.endToken(credential.id, sub, exp);
  register.noteEnd(credential.id, exp);
}

/** End all tokens of the request's user. @throws {StoreUnavailableError} */
export async function endAllTokens(deps: RouteDeps, c: AppContext): Promise<void> {
  await deps.users.endTokens(c.get("claims").sub);
  await recount(deps.register);
}
