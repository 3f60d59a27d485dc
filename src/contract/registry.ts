/** Systems, sensors, the ranges of sensors, and units: what clients send and see. */
import { type Static, Type } from "@sinclair/typebox";
import { orNull, pageOf, time, uuid } from "./fields.ts";
import { DescriptionSchema, NameSchema } from "./names.ts";
import { SENSOR_ID_PATTERN, UUID_PATTERN } from "./reading.ts";
import { MAX_MAGNITUDE, MAX_UNIT_LENGTH } from "./unit-definitions.ts";

/** Readings per second; the bound of the column. */
const MAX_RATE_HZ = 1_000_000;

const IdSchema = Type.String({ pattern: UUID_PATTERN, description: "a UUID; a new one is made without it" });
const UnitSchema = Type.String({
  minLength: 1,
  maxLength: MAX_UNIT_LENGTH,
  description: "canonical unit of the readings, see /api/v1/units",
});
const RateSchema = orNull(
  Type.Number({ exclusiveMinimum: 0, maximum: MAX_RATE_HZ }),
  `readings per second of a complete recording, above 0 and at most ${MAX_RATE_HZ}; null: learnt from the data`,
);
const limit = (description: string) =>
  Type.Number({ minimum: -MAX_MAGNITUDE, maximum: MAX_MAGNITUDE, description });
const LimitsSchema = Type.Object(
  {
    min: limit("lowest good value, in the unit of the sensor"),
    max: limit("highest good value, above min"),
  },
  { additionalProperties: false },
);

/** Body of `POST /api/v1/systems`. */
export const NewSystemSchema = Type.Object(
  { id: Type.Optional(IdSchema), name: NameSchema, description: Type.Optional(DescriptionSchema) },
  { $id: "NewSystem", additionalProperties: false },
);
/** Body of `PATCH /api/v1/systems/{system_id}`: what is absent stays. */
export const SystemChangeSchema = Type.Object(
  { name: Type.Optional(NameSchema), description: Type.Optional(DescriptionSchema) },
  { $id: "SystemChange", additionalProperties: false, minProperties: 1 },
);
export type SystemChange = Static<typeof SystemChangeSchema>;

/** A system as stored, and as answered. */
export const SystemSchema = Type.Object(
  {
    id: uuid("What batches name as system_id"),
    name: Type.String(),
    description: Type.String(),
    created_at: time("When it was registered"),
    updated_at: time("When it was last changed"),
    archived_at: orNull(time("Since when it takes no readings"), "null: in use"),
  },
  { $id: "System" },
);
export type System = Static<typeof SystemSchema>;

/** Body of `POST /api/v1/systems/{system_id}/sensors`. */
export const NewSensorSchema = Type.Object(
  {
    id: Type.Optional(Type.String({ ...IdSchema, pattern: SENSOR_ID_PATTERN })),
    name: NameSchema,
    unit: UnitSchema,
    quantity: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: "follows from the unit; checked when given" }),
    ),
    expected_rate_hz: Type.Optional(RateSchema),
    range: Type.Optional(
      orNull(
        LimitsSchema,
        "an object {min, max} as the first version of its own range, or null for its unit's",
      ),
    ),
  },
  { $id: "NewSensor", additionalProperties: false },
);
/** Body of `PATCH /api/v1/systems/{system_id}/sensors/{sensor_id}`: what is absent stays. */
export const SensorChangeSchema = Type.Object(
  {
    name: Type.Optional(NameSchema),
    expected_rate_hz: Type.Optional(RateSchema),
    unit: Type.Optional(UnitSchema),
  },
  { $id: "SensorChange", additionalProperties: false, minProperties: 1 },
);

/** The limits that judge a reading, inclusive, in the unit of the sensor. */
export const EffectiveRangeSchema = Type.Object(
  {
    min: orNull(Type.Number(), "null: no limit is set"),
    max: orNull(Type.Number(), "null: no limit is set"),
    source: orNull(Type.String(), "`sensor` for its own range, else who set its unit's"),
    version: orNull(Type.Integer({ minimum: 1 }), "Version of its own range; null: its unit's"),
  },
  { $id: "EffectiveRange" },
);
export type EffectiveRange = Static<typeof EffectiveRangeSchema>;

export const SensorSchema = Type.Object(
  {
    id: uuid("What readings name as sensor_id"),
    system_id: uuid("The one system it belongs to"),
    name: Type.String({ description: "Unique within its system" }),
    quantity: Type.String({ description: "What it measures" }),
    unit: Type.String({ description: "Canonical unit, in which its readings are stored" }),
    range: EffectiveRangeSchema,
    expected_rate_hz: orNull(Type.Number(), "Readings per second; null: learnt from the data"),
    created_by: orNull(uuid("The user who registered it"), "null: registered by its first reading"),
    created_at: time("When it was registered"),
    updated_at: time("When it, or its range, was last changed"),
    archived_at: orNull(time("Since when it takes no readings"), "null: in use"),
  },
  { $id: "Sensor" },
);
export type Sensor = Static<typeof SensorSchema>;
/** One sensor alone, with what costs a look at its readings. */
export const SensorDetailSchema = Type.Object(
  {
    ...SensorSchema.properties,
    first_reading_at: orNull(time("Timestamp of its oldest stored reading")),
    last_reading_at: orNull(time("Timestamp of its newest stored reading")),
  },
  { $id: "SensorDetail" },
);
export type SensorDetail = Static<typeof SensorDetailSchema>;

/** Body of `PUT …/range`. Without limits: back to the unit's range. */
export const RangeChangeSchema = Type.Object(
  {
    min: Type.Optional(LimitsSchema.properties.min),
    max: Type.Optional(LimitsSchema.properties.max),
    valid_from: Type.Optional(
      Type.String({ description: "RFC 3339; batches received from then on are judged by it. Default: now" }),
    ),
  },
  { $id: "RangeChange", additionalProperties: false },
);

export const RangeVersionSchema = Type.Object(
  {
    version: Type.Integer({ minimum: 1 }),
    min: orNull(Type.Number(), "null, with max: back to the range of the unit"),
    max: orNull(Type.Number()),
    valid_from: time("Batches received from then on are judged by it, until a later version begins"),
    author: uuid("The user who set it"),
    author_name: orNull(Type.String(), "User name of the author, while the user exists"),
    created_at: time("When it was set"),
  },
  { $id: "RangeVersion" },
);
export type RangeVersion = Static<typeof RangeVersionSchema>;

/** The answer of `GET` and `PUT …/range`. */
export const RangeStateSchema = Type.Object(
  {
    unit: Type.String({ description: "Canonical unit of the limits" }),
    in_force: EffectiveRangeSchema,
    newest: orNull(
      RangeVersionSchema,
      "The version that was set last; it may begin later. null: none was ever set",
    ),
  },
  { $id: "RangeState" },
);
export type RangeState = Static<typeof RangeStateSchema>;

/** The answer of `GET …/range/preview`. */
export const RangePreviewSchema = Type.Object(
  {
    unit: Type.String(),
    min: Type.Number(),
    max: Type.Number(),
    from: time("Inclusive"),
    to: time("Exclusive"),
    readings: Type.Integer({ minimum: 0, description: "Stored readings of the sensor in the time range" }),
    refused: Type.Integer({ minimum: 0, description: "Of these, outside the limits" }),
    below: Type.Integer({ minimum: 0, description: "Of these, below min" }),
    above: Type.Integer({ minimum: 0, description: "Of these, above max" }),
    lowest: orNull(Type.Number({ description: "Lowest stored value" })),
    highest: orNull(Type.Number({ description: "Highest stored value" })),
  },
  { $id: "RangePreview" },
);
export type RangePreview = Static<typeof RangePreviewSchema>;
export const SystemPageSchema = pageOf(SystemSchema, "SystemPage");
export const SensorPageSchema = pageOf(SensorSchema, "SensorPage");
export const RangeVersionPageSchema = pageOf(RangeVersionSchema, "RangeVersionPage", Type.Integer());

const AliasSchema = Type.Object({
  spellings: Type.Array(Type.String()),
  offset: Type.String({ description: "Added first; decimal text" }),
  factor: Type.String({ description: "Multiplied with then; decimal text, or two as a fraction `a/b`" }),
});
/** The answer of `GET /api/v1/units`. */
export const UnitListSchema = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        symbol: Type.String({ description: "Canonical spelling" }),
        name: Type.String(),
        quantity: Type.String(),
        min: orNull(Type.Number(), "Lowest good value; null: no limit is set"),
        max: orNull(Type.Number(), "Highest good value; null: no limit is set"),
        source: orNull(Type.String(), "Who set the range"),
        aliases: Type.Array(AliasSchema, {
          description: "Accepted at ingest: canonical = (value + offset) * factor",
        }),
      }),
    ),
  },
  { $id: "UnitList" },
);
export type UnitList = Static<typeof UnitListSchema>;
