/** What a reviewer changes about a refused reading before it is judged again. */
import { type Static, Type } from "@sinclair/typebox";
import { NO_NUL } from "./printable.ts";
import { SENSOR_ID_PATTERN } from "./reading.ts";
import { isObject } from "./structure.ts";
import { formatTimestamp, isWritable_us, parseTimestamp_us } from "./timestamp.ts";
import { MAX_UNIT_LENGTH } from "./unit-definitions.ts";

/** Ten years, ms: no clock is wrong by more and still means anything. */
const MAX_SHIFT_MS = 315_576_000_000;

export const CorrectionSchema = Type.Object(
  {
    set: Type.Optional(
      Type.Object(
        {
          value: Type.Optional(Type.Number({ description: "a number, in the unit of the reading" })),
          unit: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: MAX_UNIT_LENGTH,
              pattern: NO_NUL,
              description: "a unit or an alias",
            }),
          ),
          timestamp: Type.Optional(Type.String({ maxLength: 64, description: "an RFC 3339 date-time" })),
          quality: Type.Optional(Type.Number({ minimum: 0, maximum: 100, description: "0 to 100" })),
          sensor_id: Type.Optional(Type.String({ pattern: SENSOR_ID_PATTERN, description: "a UUID" })),
        },
        {
          additionalProperties: false,
          minProperties: 1,
          description: "Fields that take the place of those sent",
        },
      ),
    ),
    scale: Type.Optional(Type.Number({ description: "The value is multiplied with it" })),
    offset: Type.Optional(
      Type.Number({ description: "Added to the value after that, in the reading's unit" }),
    ),
    shift_ms: Type.Optional(
      Type.Number({
        minimum: -MAX_SHIFT_MS,
        maximum: MAX_SHIFT_MS,
        description: "Added to the timestamp, ms; negative for a clock that was ahead",
      }),
    ),
  },
  { $id: "Correction", additionalProperties: false, minProperties: 1 },
);
export type Correction = Static<typeof CorrectionSchema>;

/**
 * The reading as it would have been sent: first the fields of `set`, then scale and offset, then the clock. What
 * cannot be changed (a value that is no number, a timestamp that is none or would be beyond the years 0000-9999) stays, and the rules refuse it again.
 */
export function corrected(raw: unknown, change: Correction | null): unknown {
  if (change === null) return raw;
  const { set = {}, scale = 1, offset = 0, shift_ms = 0 } = change;
  const reading: Record<string, unknown> = { ...(isObject(raw) ? raw : {}), ...set };
  if (typeof reading.value === "number" && (scale !== 1 || offset !== 0)) {
    reading.value = reading.value * scale + offset;
  }
  if (typeof reading.timestamp === "string" && shift_ms !== 0) {
    const at_us = parseTimestamp_us(reading.timestamp) + Math.round(shift_ms * 1000);
    if (isWritable_us(at_us)) reading.timestamp = formatTimestamp(at_us);
  }
  return reading;
}
