/** Variables of an outside identity provider. */
import { text } from "./kinds.ts";

const optional: string | undefined = undefined;

export const PROVIDER_VARIABLES = {
  OIDC_JWKS_URL: text(
    optional,
    "Public keys of an outside identity provider (RFC 7517), whose tokens are taken beside our own. Empty: none is",
    "a https:// URL, or http:// on a loopback address",
    /^(https:\/\/[^\s/]\S*|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?\/\S*)$/,
  ),
  OIDC_ISSUER: text(
    optional,
    "`iss` of the provider's tokens; needed with OIDC_JWKS_URL",
    "a text without blanks",
    /^\S+$/,
  ),
  OIDC_AUDIENCE: text(
    optional,
    "`aud` that the provider's tokens have for this service; needed with OIDC_JWKS_URL",
    "a text without blanks",
    /^\S+$/,
  ),
  OIDC_ROLE_CLAIM: text(
    "role",
    "Claim with the role: one of ours, or a list of which the strongest counts. A dot leads into an object",
    "a name of a claim, such as realm_access.roles",
    /^\S{1,200}$/,
  ),
  OIDC_SYSTEMS_CLAIM: text(
    optional,
    "Claim with the systems: a list of ids, or * for all. Empty: the provider's tokens do not limit systems",
    "a name of a claim",
    /^\S{1,200}$/,
  ),
  OIDC_NAME_CLAIM: text(
    "preferred_username",
    "Claim with the name that people see",
    "a name of a claim",
    /^\S{1,200}$/,
  ),
};
