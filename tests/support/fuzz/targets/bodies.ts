/** The bodies of batches: what is counted is what is read, and readings are those that a slow reader of the format finds. */

import type { BatchForm } from "../../../../src/api/batch/batch-form.ts";
import { envelopeOf } from "../../../../src/api/batch/envelope.ts";
import { ProblemError } from "../../../../src/api/problem-error.ts";
import { type BodyFormat, Unreadable } from "../../../../src/contract/formats/body-format.ts";
import { readReadings } from "../../../../src/contract/formats/decode.ts";
import type { FuzzTarget } from "../fuzzer.ts";
import { judged, RECEIVED_MS, SYSTEM } from "./judge.ts";
import { plainCsv, plainNdjson } from "./plain.ts";

const lines = { precision: "ns", received_us: RECEIVED_MS * 1000 } as const;

/** The way of a body through the API and a thread. @param plain another reading of the text; null: there is none */
function bodyTarget(
  format: BodyFormat,
  form: BatchForm,
  plain: ((text: string) => unknown[]) | null,
): FuzzTarget {
  return {
    name: format,
    look(bytes) {
      let total: number;
      try {
        total = envelopeOf(form, bytes).total_readings;
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        return `${error.problem}: ${words(error.detail)}`;
      }
      const text = bytes.toString("utf8");
      const readings = readReadings(format, text, total, lines);
      if (readings.length !== total) throw new Error(`${total} were counted, ${readings.length} read`);
      if (plain !== null)
        expectSame(
          Array.from({ length: total }, (_, i) => readings.raw(i)),
          plain(text),
        );
      return judged(readings);
    },
  };
}

function expectSame(found: readonly unknown[], expected: readonly unknown[]): void {
  const text = (value: unknown) => (value instanceof Unreadable ? "unreadable" : JSON.stringify(value));
  const differs = Array.from({ length: Math.max(found.length, expected.length) }).findIndex(
    (_, i) => text(found[i]) !== text(expected[i]),
  );
  if (differs < 0) return;
  throw new Error(
    `reading ${differs} is ${text(found[differs])}, a plain reader has ${text(expected[differs])}`,
  );
}

/** A message without what it quotes. */
export const words = (text: string) =>
  text
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\d+/g, "0")
    .slice(0, 80);

const named = { system_id: SYSTEM };
export const BODY_TARGETS: readonly FuzzTarget[] = [
  bodyTarget("json", { format: "json" }, (text) => (JSON.parse(text) as { readings: unknown[] }).readings),
  bodyTarget("ndjson", { format: "ndjson", ...named }, plainNdjson),
  bodyTarget("csv", { format: "csv", ...named }, plainCsv),
  bodyTarget("line", { format: "line", ...named, precision: "ns" }, null),
];
