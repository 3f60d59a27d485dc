/** Files and settings of people: taken with their right types, or refused with a message that says where. */
import { Readable } from "node:stream";
import { MAGIC, readBatch, scanSegment } from "../../../../src/client/spool/frames.ts";
import { ConfigError } from "../../../../src/config/problems.ts";
import { loadConfig } from "../../../../src/config.ts";
import {
  createUnitRegistry,
  parseUnitDefinitions,
  UnitDefinitionError,
} from "../../../../src/contract/units.ts";
import { UsageError } from "../../../../src/feed/errors.ts";
import { checkedMapping, completeMapping } from "../../../../src/feed/import/mapping.ts";
import { detectDelimiter, tableRows } from "../../../../src/feed/import/table.ts";
import { createTimeReader } from "../../../../src/feed/import/time.ts";
import type { FuzzTarget } from "../fuzzer.ts";
import { words } from "./bodies.ts";

function parsed(bytes: Buffer): { readonly json: unknown } | null {
  try {
    return { json: JSON.parse(bytes.toString("utf8")) };
  } catch {
    return null;
  }
}

/** @returns what `read` says, or the message of an error of this class */
function orRefused(read: () => string, known: new (...args: never[]) => Error): string {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof known)) throw error;
    return words(error.message);
  }
}

/** Lines of `NAME=value`. */
const CONFIG_TARGET: FuzzTarget = {
  name: "config",
  look: (bytes) =>
    orRefused(() => {
      const lines = bytes
        .toString("utf8")
        .split("\n")
        .map((line) => line.split("="));
      const environment = Object.fromEntries(lines.map(([name = "", ...value]) => [name, value.join("=")]));
      const config = loadConfig(environment);
      const odd = Object.entries(config).find(
        ([, value]) => typeof value === "number" && !Number.isFinite(value),
      );
      if (odd) throw new Error(`${odd[0]} is ${odd[1]}`);
      return "taken";
    }, ConfigError),
};

const UNITS_TARGET: FuzzTarget = {
  name: "units-file",
  look(bytes) {
    const file = parsed(bytes);
    if (file === null) return "no JSON";
    return orRefused(() => {
      const definitions = parseUnitDefinitions(file.json);
      const registry = createUnitRegistry(definitions);
      const lost = definitions.find(({ symbol }) => registry.lookup(symbol)?.unit.symbol !== symbol);
      if (lost) throw new Error(`${JSON.stringify(lost.symbol)} is not found`);
      return `${definitions.length}`;
    }, UnitDefinitionError);
  },
};

/** Each column's mapping has the members and the types that the reader of rows goes by. */
function expectTyped(columns: object): void {
  for (const [name, mapping] of Object.entries(columns)) {
    const members =
      typeof mapping === "object" && mapping !== null ? Object.entries(mapping) : [["", mapping]];
    const odd = members.find(
      ([key, value]) => !["unit", "sensor_id", "name"].includes(key) || typeof value !== "string",
    );
    if (odd) throw new Error(`column ${JSON.stringify(name)} has ${JSON.stringify(odd)}`);
  }
}

const MAPPING_TARGET: FuzzTarget = {
  name: "mapping",
  look(bytes) {
    const file = parsed(bytes);
    if (file === null) return "no JSON";
    return orRefused(() => {
      const mapping = completeMapping(checkedMapping(file.json, "fuzz.json"), {
        column: new Map([["pressure", "bar"]]),
      });
      expectTyped(mapping.columns ?? {});
      const { time } = mapping;
      if (time === undefined) return "without a time";
      const read = createTimeReader(time, () => 0, { decimal_comma: false, empty: new Set() });
      const made = read(["1.5"], 1);
      return `${Object.keys(time).join(" ")} ${typeof made}`;
    }, UsageError);
  },
};

const TABLE_TARGET: FuzzTarget = {
  name: "table",
  async look(bytes) {
    const counts = { empty_lines: 0 };
    const delimiter = detectDelimiter(bytes.toString("utf8").split(/\r\n|\n|\r/, 1)[0]!);
    let [line, rows, broken] = [0, 0, 0];
    for await (const row of tableRows(Readable.from([bytes]), delimiter, counts, () => (broken += 1))) {
      if (row.line <= line) throw new Error(`line ${row.line} comes behind line ${line}`);
      if (row.cells.some((cell) => typeof cell !== "string")) throw new Error("a cell is no text");
      line = row.line;
      rows += 1;
    }
    if (counts.empty_lines < 0) throw new Error(`${counts.empty_lines} empty lines`);
    return `${Math.min(rows, 5)} rows, ${Math.min(counts.empty_lines, 2)} empty, ${broken} broken, ${delimiter}`;
  },
};

const SPOOL_TARGET: FuzzTarget = {
  name: "spool",
  look(bytes) {
    const { batches, damaged_bytes } = scanSegment(bytes);
    if (damaged_bytes < 0 || damaged_bytes > bytes.length) throw new Error(`${damaged_bytes} damaged bytes`);
    let at = Math.min(MAGIC.length, bytes.length);
    let readings = 0;
    for (const { start, end } of batches) {
      if (start < at || end <= start || end > bytes.length)
        throw new Error(`a batch from ${start} to ${end}`);
      const batch = readBatch(bytes.subarray(start, end));
      if (batch === null) throw new Error("a batch that was found cannot be read");
      if (batch.idempotency_key === undefined) throw new Error("a batch has no key");
      readings += batch.readings.length;
      at = end;
    }
    const kept = batches.reduce((sum, { start, end }) => sum + end - start, 0);
    if (kept + damaged_bytes > bytes.length) throw new Error("bytes count twice");
    return `${batches.length} batches, ${Math.min(readings, 9)} readings, ${damaged_bytes === 0 ? "whole" : "damaged"}`;
  },
};

export const FILE_TARGETS: readonly FuzzTarget[] = [
  CONFIG_TARGET,
  UNITS_TARGET,
  MAPPING_TARGET,
  TABLE_TARGET,
  SPOOL_TARGET,
];
