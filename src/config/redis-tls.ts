/** Variables of TLS to Redis; PostgreSQL's are in DATABASE_URL, where libpq has them. */
import { text } from "./kinds.ts";

const none: string | undefined = undefined;
const file = (about: string) => text(none, about, "a path", /^\S.*$/);

export const REDIS_TLS_VARIABLES = {
  REDIS_TLS_CA_FILE: file(
    "PEM file with the authorities that may have signed the certificate of a rediss:// server. Empty: the public ones",
  ),
  REDIS_TLS_CERT_FILE: file(
    "PEM file with the certificate shown to a rediss:// server, which Redis asks for unless tls-auth-clients is no",
  ),
  REDIS_TLS_KEY_FILE: file("PEM file with the key of REDIS_TLS_CERT_FILE"),
};
