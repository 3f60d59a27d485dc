/**
 * What a producer sends: the envelope of a batch and the readings inside it, as TypeBox schemas.
 * The API checks only the envelope; every reading is checked in an ingest thread, so that one bad reading
 * is quarantined and never refuses its batch.
 */
import { type Static, Type } from "@sinclair/typebox";

/** Readings in one batch, at most. */
export const MAX_READINGS_PER_BATCH = 10_000;

/** RFC 9562 text form in either case; the version is not restricted because producers bring ids of their own. */
export const UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

/** Any but the nil UUID, which stands for "none" (RFC 9562 section 5.9). */
export const SENSOR_ID_PATTERN = `^(?!0{8}-0{4}-0{4}-0{4}-0{12}$)${UUID_PATTERN.slice(1)}`;

/** Quality of a reading that does not state one. */
export const DEFAULT_QUALITY = 100;

/** One reading as sent. Further properties are allowed and not stored. */
export const ReadingSchema = Type.Object(
  {
    sensor_id: Type.String({ pattern: SENSOR_ID_PATTERN, description: "UUID of the sensor, in either case" }),
    timestamp: Type.String({ description: "RFC 3339 date-time; digits beyond microseconds are cut off" }),
    value: Type.Number({ description: "Measured value in `unit`" }),
    unit: Type.String({ description: "Canonical unit or alias; see the unit registry" }),
    quality: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 100,
        default: DEFAULT_QUALITY,
        description: "Signal quality, 0-100",
      }),
    ),
  },
  { $id: "Reading", additionalProperties: true },
);
export type Reading = Static<typeof ReadingSchema>;

/** A batch as described to producers. The readings' own shape is checked later, one by one. */
export const BatchSchema = Type.Object(
  {
    system_id: Type.String({ pattern: UUID_PATTERN, description: "UUID of the registered system" }),
    readings: Type.Array(ReadingSchema, { minItems: 1, maxItems: MAX_READINGS_PER_BATCH }),
  },
  { $id: "Batch", additionalProperties: true },
);
