/** Counts and reads the readings of a body in whatever format it was sent. */
import { type BatchReadings, ValueReadings } from "../batch-readings.ts";
import { type BodyFormat, BodyFormatError } from "./body-format.ts";
import { countCsv, readCsv } from "./csv.ts";
import { LineReadings, type LineSettings } from "./line-readings.ts";
import { countLineFields } from "./line-scan.ts";
import { countNdjson, readNdjson } from "./ndjson.ts";

/** The readings of a JSON document. @throws {BodyFormatError} */
function readJson(text: string): unknown[] {
  let batch: { readings?: unknown };
  try {
    batch = JSON.parse(text) as { readings?: unknown };
  } catch (cause) {
    throw new BodyFormatError("it is not JSON", null, { cause });
  }
  if (!Array.isArray(batch?.readings)) throw new BodyFormatError("it has no list of readings");
  return batch.readings;
}

const COUNT = { ndjson: countNdjson, csv: countCsv, line: countLineFields } as const;
const READ = { json: readJson, ndjson: readNdjson, csv: readCsv } as const;

/** How many readings `readReadings` will find, at a fraction of its cost. @throws {BodyFormatError} */
export function countReadings(format: Exclude<BodyFormat, "json">, text: string): number {
  return COUNT[format](text);
}

/**
 * The readings of a body, for the rules to judge.
 * @param expected readings that it should have, by which its reader may make room; `length` tells how many it has
 * @throws {BodyFormatError}
 */
export function readReadings(
  format: BodyFormat,
  text: string,
  expected: number,
  lines: LineSettings,
): BatchReadings {
  if (format === "line") return new LineReadings(text, lines, expected);
  return new ValueReadings(READ[format](text));
}
