/**
 * What a producer sends: the envelope of a batch and the readings inside it, as TypeBox schemas.
 * The API checks only the envelope; every reading is checked in an ingest thread, so that one bad reading
 * is quarantined and never refuses its batch.
 */
import { Type } from "@sinclair/typebox";

/** Readings in one batch, at most. */
export const MAX_READINGS_PER_BATCH = 10_000;

/** RFC 9562 text form in either case; the version is not restricted because producers bring ids of their own. */
export const UUID_PATTERN = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

/** Any but the nil UUID, which stands for "none" (RFC 9562 section 5.9). */
export const SENSOR_ID_PATTERN = `^(?!0{8}-0{4}-0{4}-0{4}-0{12}$)${UUID_PATTERN.slice(1)}`;

/** Quality of a reading that does not state one. */
export const DEFAULT_QUALITY = 100;

/** Characters of a name that stands for a sensor. */
export const MAX_SENSOR_NAME_LENGTH = 512;

/** The fields of a reading. */
export const READING_FIELDS = {
  sensor_id: Type.String({ pattern: SENSOR_ID_PATTERN, description: "UUID of the sensor, in either case" }),
  sensor: Type.String({
    minLength: 1,
    maxLength: MAX_SENSOR_NAME_LENGTH,
    description: "Name of the sensor, where `sensor_id` is left out; see the mappings of its system",
  }),
  timestamp: Type.String({ description: "RFC 3339 date-time; digits beyond microseconds are cut off" }),
  value: Type.Number({ description: "Measured value in `unit`" }),
  unit: Type.String({ description: "Canonical unit or alias; see the unit registry" }),
  quality: Type.Number({
    minimum: 0,
    maximum: 100,
    default: DEFAULT_QUALITY,
    description: "Signal quality, 0-100",
  }),
} as const;

/** One reading as sent. Further properties are allowed and not stored. */
export const ReadingSchema = Type.Object(
  {
    sensor_id: Type.Optional(READING_FIELDS.sensor_id),
    sensor: Type.Optional(READING_FIELDS.sensor),
    timestamp: READING_FIELDS.timestamp,
    value: READING_FIELDS.value,
    unit: Type.Optional(READING_FIELDS.unit),
    quality: Type.Optional(READING_FIELDS.quality),
  },
  {
    $id: "Reading",
    additionalProperties: true,
    description:
      "Says its sensor by `sensor_id`, or by `sensor`. With a name, its mapping or its sensor may say the unit",
    // Within allOf, because makers of clients take an anyOf beside the properties for an alternative to them.
    allOf: [{ anyOf: [{ required: ["sensor_id", "unit"] }, { required: ["sensor"] }] }],
  },
);

/** A reading that gives the id of its sensor. */
export interface Reading {
  readonly sensor_id: string;
  readonly timestamp: string;
  readonly value: number;
  readonly unit: string;
  readonly quality?: number;
}

/** A batch as described to producers. The readings' own shape is checked later, one by one. */
export const BatchSchema = Type.Object(
  {
    system_id: Type.String({ pattern: UUID_PATTERN, description: "UUID of the registered system" }),
    readings: Type.Array(ReadingSchema, { minItems: 1, maxItems: MAX_READINGS_PER_BATCH }),
  },
  { $id: "Batch", additionalProperties: true },
);
