/** Why a reading is quarantined, in the order in which the rules are asked; the first failure decides. */
export const REFUSAL_REASONS = [
  "parse_error",
  "invalid_timestamp",
  "out_of_range",
  "invalid_unit",
  "duplicate",
  "system_not_found",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** One refused reading, with what could be understood of it and the reading as it was sent. */
export interface Refusal {
  /** Index of the batch within its group. */
  batch: number;
  /** Position of the reading in its batch, from 0. */
  ordinal: number;
  reason: RefusalReason;
  /** What a person can act on: the value and the limit it broke. */
  details: string;
  /** The reading as sent (any JSON value). */
  raw: unknown;
  /** Lower-case UUID, or null when the reading has none that can be read. */
  sensor_id: string | null;
  /** Microseconds since 1970-01-01T00:00:00Z, or null. */
  timestamp_us: number | null;
  /** Value and unit as sent, before any conversion; null when missing or of another type. */
  value: number | null;
  unit: string | null;
  quality: number | null;
  /** Version of the sensor's own range that refused it; null when none did. */
  range_version: number | null;
}
