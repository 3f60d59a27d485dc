/** The envelope of a batch: its system and how many readings it has. What they are is for an ingest thread to judge. */
import { Type } from "@sinclair/typebox";
import { BodyFormatError } from "../../contract/formats/body-format.ts";
import { countReadings } from "../../contract/formats/decode.ts";
import { BatchSchema, MAX_READINGS_PER_BATCH } from "../../contract/reading.ts";
import { invalidField, shapeCheck } from "../body/check-shape.ts";
import { parseJson, textOf } from "../body/decode-body.ts";
import { ProblemError } from "../problem-error.ts";
import type { BatchForm } from "./batch-form.ts";

export interface Envelope {
  /** Lower-case UUID. */
  readonly system_id: string;
  readonly total_readings: number;
}

const checkDocument = shapeCheck(
  Type.Object({
    system_id: BatchSchema.properties.system_id,
    readings: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MAX_READINGS_PER_BATCH }),
  }),
);

/** @throws {ProblemError} malformed-json, malformed-encoding, invalid-request, body-too-large */
export function envelopeOf(form: BatchForm, body: Uint8Array): Envelope {
  if (form.format === "json") {
    const { system_id, readings } = checkDocument(parseJson(body));
    return { system_id: system_id.toLowerCase(), total_readings: readings.length };
  }
  return { system_id: form.system_id, total_readings: counted(form.format, textOf(body)) };
}

function counted(format: Exclude<BatchForm["format"], "json">, text: string): number {
  let total: number;
  try {
    total = countReadings(format, text);
  } catch (error) {
    if (!(error instanceof BodyFormatError)) throw error;
    const detail = `The body cannot be read: ${error.message}.`;
    throw new ProblemError("invalid-request", {
      detail,
      errors: [{ pointer: "", detail }],
      ...(error.line === null ? {} : { members: { line: error.line } }),
    });
  }
  if (total === 0) throw invalidField("", "The body has no readings.");
  if (total > MAX_READINGS_PER_BATCH) {
    const detail = `The body has ${total} readings; a request takes ${MAX_READINGS_PER_BATCH}.`;
    // Telegraf halves what is answered with 413, and drops what is answered with 400.
    if (format === "line") throw new ProblemError("body-too-large", { detail });
    throw invalidField("", detail);
  }
  return total;
}
