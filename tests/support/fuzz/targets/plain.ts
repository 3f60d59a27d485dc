/** Readers of formats that are as simple as can be and not at all fast, to compare with. */
import { Unreadable } from "../../../../src/contract/formats/body-format.ts";

export function plainNdjson(text: string): unknown[] {
  return text
    .split("\n")
    .filter((line) => !/^[ \t\r]*$/.test(line))
    .map((line) => {
      try {
        return JSON.parse(line) as unknown;
      } catch {
        return new Unreadable(line, "");
      }
    });
}

const JSON_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** A cell, and what of it is behind its quotation; undefined: marks within a cell without quotation. */
type Cell = string | undefined;

/** Character by character (RFC 4180). */
export function plainCsv(text: string): unknown[] {
  const [header = [], ...records] = plainRecords(text);
  return records.map((cells) => {
    if (cells.length !== header.length || cells.includes(undefined)) return new Unreadable("", "");
    const reading: Record<string, unknown> = Object.create(null);
    for (const [i, name] of header.entries()) {
      const cell = cells[i]!;
      if (cell === "") continue;
      const isNumber = (name === "value" || name === "quality") && JSON_NUMBER.test(cell);
      reading[name!] = isNumber ? Number(cell) : cell;
    }
    return reading;
  });
}

function plainRecords(text: string): Cell[][] {
  const records: Cell[][] = [];
  let rest = text;
  while (rest !== "") {
    const cells: Cell[] = [];
    let end: string;
    const whole = rest;
    do {
      const [, cell, stop, left] = plainCell(rest);
      cells.push(cell);
      [end, rest] = [stop, left];
    } while (end === ",");
    const record = whole.slice(0, whole.length - rest.length).replace(/\r?\n?$/, "");
    if (record !== "") records.push(cells);
  }
  return records;
}

/** The first cell, what ends it, and what is behind that. */
function plainCell(text: string): readonly [null, Cell, string, string] {
  const [quotation = ""] = /^"(?:[^"]|"")*"/.exec(text) ?? [];
  const [plain = ""] = /^[^,\n]*/.exec(text.slice(quotation.length)) ?? [];
  const at = quotation.length + plain.length;
  const end = text[at] ?? "";
  const bare = end === "," ? plain : plain.replace(/\r$/, "");
  const left = text.slice(at + 1);
  if (quotation === "") return [null, bare.includes('"') ? undefined : bare, end, left];
  return [null, bare === "" ? quotation.slice(1, -1).replaceAll('""', '"') : undefined, end, left];
}
