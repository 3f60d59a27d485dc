/** The key of an incident: selects its readings again, wherever it is passed to. */
import { isUuid } from "./job-id.ts";
import { decodeOpaqueKey, encodeOpaqueKey } from "./opaque-key.ts";
import { queryMoment } from "./query-range.ts";
import { REFUSAL_REASONS, type RefusalReason } from "./refusal.ts";
import { parseTimestamp_us } from "./timestamp.ts";

/** Refused readings of one system, sensor and reason, from the first to the last moment, both included. */
export interface IncidentKey {
  readonly system_id: string;
  /** Null: readings without a sensor. */
  readonly sensor_id: string | null;
  readonly reason: RefusalReason;
  /** RFC 3339 with all their microseconds, by diagnostics_event_at. */
  readonly first_at: string;
  readonly last_at: string;
}

/** Longer than any key, characters. */
const MAX_LENGTH = 400;

/** The incident as one word. */
export function encodeIncidentKey({ system_id, sensor_id, reason, first_at, last_at }: IncidentKey): string {
  return encodeOpaqueKey([system_id, sensor_id ?? "", reason, first_at, last_at]);
}

/** The incident that a key names; null when the text is none. Nothing is thrown. */
export function decodeIncidentKey(text: string): IncidentKey | null {
  const parts = decodeOpaqueKey(text, 5, MAX_LENGTH);
  if (parts === null) return null;
  const [system_id, sensor_id, reason, first, last] = parts as [string, string, string, string, string];
  const known = REFUSAL_REASONS.find((r) => r === reason);
  const [first_at, last_at] = [queryMoment(first), queryMoment(last)];
  if (first_at === null || last_at === null || parseTimestamp_us(first) > parseTimestamp_us(last))
    return null;
  if (!known || !isUuid(system_id) || (sensor_id !== "" && !isUuid(sensor_id))) return null;
  return { system_id, sensor_id: sensor_id === "" ? null : sensor_id, reason: known, first_at, last_at };
}
