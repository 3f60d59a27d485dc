/** Cells of CSV (RFC 4180 section 2) from values of JavaScript; what PostgreSQL writes itself is in table-text.ts. */

import { FORMULA_START } from "../../contract/formula-start.ts";

/** Null is an empty cell; what is neither text nor a number is JSON. */
export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text =
    typeof value === "string"
      ? value.replace(FORMULA_START, "'$&")
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csvRecord = (cells: readonly unknown[]) => `${cells.map(csvCell).join(",")}\r\n`;
