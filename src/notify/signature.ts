/** Secrets and signatures of webhooks, as Standard Webhooks 1.0.0 says (symmetric scheme, v1). */
import { createHmac, randomBytes } from "node:crypto";

const PREFIX = "whsec_";
const SECRET_BYTES = 32;

/** A new secret as it is shown: whsec_ and 32 random bytes in base64. */
export function newSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString("base64");
}

export interface SignedMessage {
  /** webhook-id. */
  readonly id: string;
  /** Seconds since the epoch of this attempt. */
  readonly timestamp_s: number;
  readonly body: string;
}

/** The three headers of a message, signed with each of the secrets. */
export function signedHeaders(
  secrets: readonly string[],
  { id, timestamp_s, body }: SignedMessage,
): Record<string, string> {
  const content = `${id}.${timestamp_s}.${body}`;
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), "base64");
    return `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp_s),
    "webhook-signature": signatures.join(" "),
  };
}
