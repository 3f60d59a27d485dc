/** Why a token or a key is not believed. */

/** By kind: what the client is told (RFC 6750 `error_description`); the kind itself is for metrics. */
const CREDENTIAL_FAILURES = {
  forged: "The access token is malformed or forged",
  expired: "The access token has expired",
  ended: "The access token was ended by a logout or a change of the account",
  no_role: "The identity provider's token names no role of this service",
  inactive: "The account of this credential is not active",
  key_mistyped: "The API key is mistyped: its checksum does not fit",
  key_unknown: "The API key is not known",
  key_revoked: "The API key was revoked",
  key_expired: "The API key has expired",
} as const;
export type CredentialFailure = keyof typeof CREDENTIAL_FAILURES;

/** The credential cannot be believed; `reason` may be told to the client. */
export class InvalidCredentialError extends Error {
  override readonly name = "InvalidCredentialError";
  readonly reason: string;
  constructor(
    readonly kind: CredentialFailure,
    cause?: unknown,
  ) {
    super(CREDENTIAL_FAILURES[kind], { cause });
    this.reason = CREDENTIAL_FAILURES[kind];
  }
}
