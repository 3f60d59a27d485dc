/** Which refusals make one incident, as one opaque word that clients hand back. */
import { isUuid } from "./job-id.ts";
import { REFUSAL_REASONS, type RefusalReason } from "./refusal.ts";
import { parseTimestamp_us } from "./timestamp.ts";

/** Refusals of one sensor and reason whose moments lie from `first_at` to `last_at`, both included. */
export interface IncidentKey {
  readonly system_id: string;
  /** Null: readings without a readable sensor. */
  readonly sensor_id: string | null;
  readonly reason: RefusalReason;
  /** RFC 3339 with all microseconds. */
  readonly first_at: string;
  readonly last_at: string;
}

const MAX_LENGTH = 400;

/** base64url (RFC 4648 section 5) of a JSON array. */
export function encodeIncidentKey({ system_id, sensor_id, reason, first_at, last_at }: IncidentKey): string {
  return Buffer.from(JSON.stringify([system_id, sensor_id ?? "", reason, first_at, last_at])).toString(
    "base64url",
  );
}

/** The key, or null when the text is none. */
export function decodeIncidentKey(text: string): IncidentKey | null {
  const parts = text.length <= MAX_LENGTH ? parsed(text) : undefined;
  if (!Array.isArray(parts) || parts.length !== 5 || !parts.every((part) => typeof part === "string"))
    return null;
  const [system_id, sensor, given, first_at, last_at] = parts as [string, string, string, string, string];
  const reason = REFUSAL_REASONS.find((known) => known === given);
  const timed = [first_at, last_at].every((time) => !Number.isNaN(parseTimestamp_us(time)));
  if (!isUuid(system_id) || (sensor !== "" && !isUuid(sensor)) || reason === undefined || !timed) return null;
  return { system_id, sensor_id: sensor === "" ? null : sensor, reason, first_at, last_at };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    return undefined;
  }
}
