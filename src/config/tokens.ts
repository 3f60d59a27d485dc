/** The variables of access tokens. */
import { choice, text, whole } from "./kinds.ts";

/** Refused in production: everybody knows it. */
export const DEVELOPMENT_SECRET = "development-only-secret-0123456789abcdef";

const optional: string | undefined = undefined;

export const TOKEN_VARIABLES = {
  JWT_SECRET_KEY: text(
    DEVELOPMENT_SECRET,
    "Key that signs access tokens; in production the roles all and api need it (try: openssl rand -base64 48)",
    "at least 32 characters",
    /^.{32,}$/s,
  ),
  JWT_ACCEPTED_KEY: text(
    optional,
    "A second key whose tokens are accepted and with which none is signed, while JWT_SECRET_KEY is changed",
    "at least 32 characters",
    /^.{32,}$/s,
  ),
  JWT_ALGORITHM: choice("HS256", "Signature of access tokens (RFC 7518 section 3.2)", [
    "HS256",
    "HS384",
    "HS512",
  ]),
  JWT_ACCESS_TOKEN_EXPIRE_MINUTES: whole(
    60,
    "Life of an access token, minutes. A session of the console that is not in sight for so long is over",
    1,
    43_200,
  ),
  SESSION_MAX_HOURS: whole(
    12,
    "Longest session of the console, however long it is in sight, hours; for a display on a wall perhaps 720. One token's life is always granted",
    1,
    8_760,
  ),
};
