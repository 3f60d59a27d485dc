/** Why a change of an account was not made. */

export type AccountFault =
  /** Unknown, or out of the actor's reach. */
  | "user_not_found"
  /** Nobody would be left who may do everything. */
  | "last_admin";

/** Nothing was changed. */
export class AccountError extends Error {
  override readonly name = "AccountError";
  constructor(readonly fault: AccountFault) {
    super(`the account was not changed: ${fault}`);
  }
}
