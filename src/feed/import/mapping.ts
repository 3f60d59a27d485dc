/** What the columns of a file mean: the mapping file, the flags that complete it, and their check. */
import { readFile } from "node:fs/promises";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { UUID_PATTERN } from "../../contract/reading.ts";
import { UsageError } from "../errors.ts";
import { reasonOf } from "../options.ts";

const strict = { additionalProperties: false } as const;
const Name = Type.String({ minLength: 1 });
/** A key of any characters: TypeBox's own pattern ends at a line end, and values of other keys would not be looked at. */
const AnyName = Type.String({ pattern: "^[\\s\\S]+$" });
const Start = Type.String({ description: "RFC 3339 date-time" });

/** Timestamps stand in a column as text. `zone` completes those without one: "Z" or "+01:00". */
const TextTime = Type.Object(
  { column: Name, zone: Type.Optional(Type.String({ pattern: "^(Z|[+-][0-9]{2}:[0-9]{2})$" })) },
  strict,
);
/** A column counts from 1970-01-01T00:00:00Z. */
const EpochTime = Type.Object(
  { column: Name, epoch: Type.Union([Type.Literal("s"), Type.Literal("ms"), Type.Literal("us")]) },
  strict,
);
/** start + sum of (cell - first) * seconds over the columns; `first` is 0 where it is not given. */
const SumTime = Type.Object(
  {
    start: Type.Optional(Start),
    columns: Type.Record(AnyName, Type.Number(), { minProperties: 1, ...strict }),
    first: Type.Optional(Type.Record(AnyName, Type.Number(), strict)),
  },
  strict,
);
/** start + (number of the row - 1) * interval_s; the row after the header is the first. */
const RowTime = Type.Object(
  { start: Type.Optional(Start), interval_s: Type.Number({ exclusiveMinimum: 0 }) },
  strict,
);
const TimeMapping = Type.Union([TextTime, EpochTime, SumTime, RowTime]);
export type TimeMapping = Static<typeof TimeMapping>;

/** A column (wide) or a sensor's name in the sensor column (long). */
const ColumnMapping = Type.Object(
  {
    unit: Type.Optional(Type.String({ minLength: 1 })),
    sensor_id: Type.Optional(Type.String({ pattern: UUID_PATTERN })),
    name: Type.Optional(Name),
  },
  strict,
);
export type ColumnMapping = Static<typeof ColumnMapping>;

const LongColumns = Type.Object(
  {
    sensor: Type.Optional(Name),
    value: Type.Optional(Name),
    unit: Type.Optional(Name),
    quality: Type.Optional(Name),
  },
  strict,
);

/** A mapping file; see docs/feed.md. */
const MappingSchema = Type.Object(
  {
    about: Type.Optional(Type.String()),
    layout: Type.Optional(Type.Union([Type.Literal("wide"), Type.Literal("long")])),
    delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 1 })),
    decimal_comma: Type.Optional(Type.Boolean()),
    empty: Type.Optional(Type.Array(Type.String())),
    time: Type.Optional(TimeMapping),
    columns: Type.Optional(Type.Record(AnyName, ColumnMapping, strict)),
    long: Type.Optional(LongColumns),
    ignore: Type.Optional(Type.Array(Name)),
  },
  strict,
);
export type Mapping = Static<typeof MappingSchema>;

/** The flags of `import` that say what the same fields of a mapping file say. */
export interface MappingFlags {
  readonly layout?: "wide" | "long";
  readonly delimiter?: string;
  readonly decimalComma?: true;
  readonly empty?: readonly string[];
  readonly column?: ReadonlyMap<string, string>;
  readonly sensor?: ReadonlyMap<string, string>;
  readonly ignore?: readonly string[];
  readonly time?: string;
  readonly epoch?: "s" | "ms" | "us";
  readonly zone?: string;
  readonly seconds?: string;
  readonly interval?: number;
  readonly start?: string;
  readonly sensorColumn?: string;
  readonly valueColumn?: string;
  readonly unitColumn?: string;
  readonly qualityColumn?: string;
}

/** @throws {UsageError} naming the place in the file that is wrong */
export async function loadMapping(path: string): Promise<Mapping> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new UsageError(`the mapping ${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
  return checkedMapping(json, path);
}

/** @param path where it came from, for the message @throws {UsageError} naming the place that is wrong */
export function checkedMapping(json: unknown, path: string): Mapping {
  if (Value.Check(MappingSchema, json)) return json;
  const first = Value.Errors(MappingSchema, json).First();
  const allowed =
    first?.path === "/time"
      ? 'one of {"column", "zone"?}, {"column", "epoch"}, {"start"?, "columns", "first"?}, {"start"?, "interval_s"}'
      : first?.message;
  throw new UsageError(`the mapping ${path} is wrong at ${first?.path || "/"}: ${allowed}`);
}

/**
 * The mapping file completed by the flags; a flag wins over the file.
 * @throws {UsageError} when flags contradict each other
 */
export function completeMapping(file: Mapping, flags: MappingFlags): Mapping {
  const columns: Record<string, ColumnMapping> = { ...file.columns };
  for (const [name, unit] of flags.column ?? []) columns[name] = { ...columns[name], unit };
  for (const [name, sensor_id] of flags.sensor ?? []) columns[name] = { ...columns[name], sensor_id };
  const time = completeTime(file.time, flags);
  const long = {
    ...file.long,
    ...(flags.sensorColumn === undefined ? {} : { sensor: flags.sensorColumn }),
    ...(flags.valueColumn === undefined ? {} : { value: flags.valueColumn }),
    ...(flags.unitColumn === undefined ? {} : { unit: flags.unitColumn }),
    ...(flags.qualityColumn === undefined ? {} : { quality: flags.qualityColumn }),
  };
  return {
    ...file,
    ...(flags.layout === undefined ? {} : { layout: flags.layout }),
    ...(flags.delimiter === undefined ? {} : { delimiter: flags.delimiter }),
    ...(flags.decimalComma === undefined ? {} : { decimal_comma: true }),
    ...(time === undefined ? {} : { time }),
    columns,
    long,
    empty: [...(file.empty ?? []), ...(flags.empty ?? [])],
    ignore: [...(file.ignore ?? []), ...(flags.ignore ?? [])],
  };
}

function completeTime(file: TimeMapping | undefined, flags: MappingFlags): TimeMapping | undefined {
  const { time, epoch, zone, seconds, interval, start } = flags;
  const ways = [time, seconds, interval].filter((way) => way !== undefined).length;
  if (ways > 1) throw new UsageError("give one of --time, --seconds and --interval");
  if (epoch !== undefined && zone !== undefined)
    throw new UsageError("--epoch and --zone exclude each other");
  const fromStart = start === undefined ? {} : { start };
  if (seconds !== undefined) return { ...fromStart, columns: { [seconds]: 1 } };
  if (interval !== undefined) return { ...fromStart, interval_s: interval };
  const column = time ?? (file && "column" in file ? file.column : undefined);
  if (time !== undefined || epoch !== undefined || zone !== undefined) {
    if (column === undefined) throw new UsageError("--epoch and --zone need --time COLUMN");
    if (start !== undefined) throw new UsageError("--start is for times relative to it, not for --time");
    if (epoch !== undefined) return { column, epoch };
    const kept = file && "zone" in file && file.zone !== undefined ? { zone: file.zone } : {};
    return zone === undefined ? { column, ...kept } : { column, zone };
  }
  if (start === undefined) return file;
  if (file && "column" in file)
    throw new UsageError("--start is for times relative to it; the mapping has absolute ones");
  if (!file)
    throw new UsageError("--start needs --seconds COLUMN, --interval S or a mapping with relative times");
  return { ...file, start };
}
