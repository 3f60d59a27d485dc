/** Mappings of names to sensors: what clients send and see. */
import { type Static, Type } from "@sinclair/typebox";
import { orNull, pageOf, time, uuid } from "./fields.ts";
import { CHARACTER } from "./names.ts";
import { MAX_SENSOR_NAME_LENGTH, UUID_PATTERN } from "./reading.ts";
import { MAX_UNIT_LENGTH } from "./unit-definitions.ts";

/** Characters of a measurement, a field, and of the key and the value of a tag. */
const MAX_PART_LENGTH = 255;
const MAX_TAGS = 32;
/** Characters of what is mapped as one text; the key of an index, and so bounded. */
export const MAX_LABEL_LENGTH = 512;

/** No control characters: no line of line protocol can have them. */
const TEXT = `^${CHARACTER}+$`;
const TAG_KEY = `^${CHARACTER}{1,${MAX_PART_LENGTH}}$`;
const part = (description: string) =>
  Type.String({ minLength: 1, maxLength: MAX_PART_LENGTH, pattern: TEXT, description });

/** Body of `PUT /api/v1/systems/{system_id}/mappings`. */
export const NewMappingSchema = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: MAX_SENSOR_NAME_LENGTH,
        pattern: TEXT,
        description: "a name without control characters, as readings give it in `sensor`",
      }),
    ),
    measurement: Type.Optional(part("a measurement of line protocol")),
    field: Type.Optional(part("a field of the measurement")),
    tags: Type.Optional(
      Type.Record(Type.String({ pattern: TAG_KEY }), part("a tag's value"), {
        maxProperties: MAX_TAGS,
        // Without it, values of keys that do not match would not be looked at.
        additionalProperties: false,
        description:
          `an object of at most ${MAX_TAGS} tags that a line must have, with these values; it may have more. Keys have ` +
          `1 to ${MAX_PART_LENGTH} characters, no control characters`,
      }),
    ),
    sensor_id: Type.String({ pattern: UUID_PATTERN, description: "a UUID of a sensor of this system" }),
    unit: Type.Optional(
      orNull(
        Type.String({ minLength: 1, maxLength: MAX_UNIT_LENGTH }),
        "a unit or an alias, for values that come without a unit of their own; null: the sensor's",
      ),
    ),
  },
  {
    $id: "NewMapping",
    additionalProperties: false,
    description: "Maps a `name`, or the `field` of a `measurement`",
    anyOf: [{ required: ["name"] }, { required: ["measurement", "field"] }],
  },
);
export type NewMappingBody = Static<typeof NewMappingSchema>;

export const MappingSchema = Type.Object(
  {
    id: uuid("Follows from the system and from what is mapped"),
    system_id: uuid("Its system"),
    label: Type.String({ description: "What is mapped, as one text" }),
    name: orNull(Type.String(), "The mapped name; null: a field is mapped"),
    measurement: orNull(Type.String(), "null: a name is mapped"),
    field: orNull(Type.String(), "null: a name is mapped"),
    tags: orNull(Type.Record(Type.String(), Type.String()), "null: a name is mapped"),
    sensor_id: uuid("The sensor that is meant"),
    sensor_name: Type.String(),
    unit: orNull(Type.String(), "Of values without a unit of their own; null: the sensor's"),
    author: uuid("The user who set it last"),
    author_name: orNull(Type.String(), "User name of the author, while the user exists"),
    created_at: time("When it was set first"),
    updated_at: time("When it was set last"),
  },
  { $id: "Mapping" },
);
/** A mapping as clients see it. */
export type MappingView = Static<typeof MappingSchema>;
export const MappingPageSchema = pageOf(MappingSchema, "MappingPage");
