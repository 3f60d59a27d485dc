/** Why a change of an account or an API key was not made. */

export type AccountFault =
  /** Unknown, or out of the actor's reach. */
  | "user_not_found"
  | "key_not_found"
  /** Nobody would be left who may do everything. */
  | "last_admin"
  /** The owner has as many keys as one may have. */
  | "too_many_keys"
  /** Revoked or expired: it takes no changes. */
  | "key_over";

/** Nothing was changed. */
export class AccountError extends Error {
  override readonly name = "AccountError";
  constructor(readonly fault: AccountFault) {
    super(`the account was not changed: ${fault}`);
  }
}
