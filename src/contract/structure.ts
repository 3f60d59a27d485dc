/**
 * The structure rule: is this JSON value a reading at all? Compiled from ReadingSchema for the fast yes; the
 * fields are asked one by one only for the no, because TypeBox's own error list costs ten times the check.
 */
import { type TSchema, Type } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { Unreadable } from "./formats/body-format.ts";
import { quoted } from "./printable.ts";
import { MAX_SENSOR_NAME_LENGTH, READING_FIELDS, type Reading } from "./reading.ts";

const { sensor_id, sensor, timestamp, value, unit } = READING_FIELDS;
/**
 * The quality's limits are a rule of their own, asked after the timestamp (out_of_range): here it has only to
 * be a number.
 */
const quality = Type.Optional(Type.Number());

const structureCheck = TypeCompiler.Compile(Type.Object({ sensor_id, timestamp, value, unit, quality }));
const sensorIdCheck = TypeCompiler.Compile(sensor_id);

interface Field {
  readonly name: string;
  readonly expected: string;
  readonly required: boolean;
  readonly check: TypeCheck<TSchema>;
}

const SENSOR_ID: Field = {
  name: "sensor_id",
  expected: "a UUID (not nil)",
  required: true,
  check: sensorIdCheck,
};
const UNIT = field("unit", "a string", unit);
const MEASURED: readonly Field[] = [
  field("timestamp", "an RFC 3339 date-time in a string", timestamp),
  field("value", "a number", value),
];
const QUALITY: Field = { ...field("quality", "a number", Type.Number()), required: false };
const FIELDS: readonly Field[] = [SENSOR_ID, ...MEASURED, UNIT, QUALITY];
/** Of a reading that names its sensor. */
const NAMED_FIELDS: readonly Field[] = [
  field("sensor", `a name of 1 to ${MAX_SENSOR_NAME_LENGTH} characters`, sensor),
  ...MEASURED,
  { ...UNIT, required: false },
  QUALITY,
];

/**
 * What says the series of a field of line protocol, as the quarantine keeps it. The pattern takes every key: TypeBox's
 * own ends at a line end, and the values of keys that it does not match would not be looked at.
 */
export const SERIES_FIELDS = {
  measurement: Type.String(),
  field: Type.String(),
  tags: Type.Record(Type.String({ pattern: "^[\\s\\S]*$" }), Type.String()),
} as const;
const LINE_FIELDS: readonly Field[] = [
  field("measurement", "a string", SERIES_FIELDS.measurement),
  field("field", "a string", SERIES_FIELDS.field),
  field("tags", "an object of strings", SERIES_FIELDS.tags),
  ...NAMED_FIELDS.slice(1),
];

/** Whether every field is present and of its type. Further properties do not matter. */
export function isReading(raw: unknown): raw is Reading {
  return structureCheck.Check(raw);
}

/** Whether a value is the text of a UUID, in either case. */
export function isSensorId(text: unknown): text is string {
  return sensorIdCheck.Check(text);
}

/** Whether a value is a JSON object: neither null nor an array nor a plain value. */
export function isObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

/**
 * Why a value is not a reading, every field at fault by its JSON pointer (RFC 6901) within the reading:
 * `/value: expected a number, got the string "NaN"; /unit: is missing`.
 */
export function structureDetails(raw: unknown): string {
  if (raw instanceof Unreadable) return raw.why;
  if (!isObject(raw)) return `expected a reading as an object, got ${described(raw)}`;
  const faults: string[] = [];
  for (const { name, expected, required, check } of fieldsOf(raw)) {
    const sent = raw[name];
    if (sent === undefined) {
      if (required) faults.push(`/${name}: is missing`);
    } else if (!check.Check(sent)) {
      faults.push(`/${name}: expected ${expected}, got ${described(sent)}`);
    }
  }
  return faults.join("; ");
}

/** A reading says its sensor by id, by name, or by the field of line protocol that it was. */
function fieldsOf(raw: Record<string, unknown>): readonly Field[] {
  if (raw.sensor_id !== undefined) return FIELDS;
  if (raw.sensor !== undefined) return NAMED_FIELDS;
  return raw.measurement === undefined ? FIELDS : LINE_FIELDS;
}

function field(name: string, expected: string, schema: TSchema): Field {
  return { name, expected, required: true, check: TypeCompiler.Compile(schema) };
}

function described(sent: unknown): string {
  if (typeof sent === "string") return `the string ${quoted(sent)}`;
  if (typeof sent === "number") {
    return Number.isFinite(sent) ? `the number ${sent}` : "a number beyond the range of a double";
  }
  if (Array.isArray(sent)) return "an array";
  return typeof sent === "object" && sent !== null ? "an object" : String(sent);
}
