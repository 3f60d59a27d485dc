/** What the headers and the query of a request say of its batch, before the body is read. */
import type { Context } from "hono";
import type { BodyFormat } from "../../contract/formats/body-format.ts";
import type { Precision } from "../../contract/formats/line-values.ts";
import { type MediaTypes, mediaTypeOf } from "../body/media.ts";
import { invalidParameter, uuidParameter } from "../parameters.ts";

/** A JSON document names its system itself. */
export type BatchForm =
  | { readonly format: "json" }
  | {
      readonly format: "ndjson" | "csv";
      /** Lower-case UUID. */
      readonly system_id: string;
    }
  | {
      readonly format: "line";
      readonly system_id: string;
      readonly precision: Precision;
    };

export const BATCH_MEDIA: MediaTypes<Exclude<BodyFormat, "line">> = new Map([
  ["application/json", "json"],
  ["application/x-ndjson", "ndjson"],
  ["text/csv", "csv"],
]);

/** @throws {ProblemError} unsupported-media-type, invalid-request when `system_id` is missing */
export function batchForm(c: Context): BatchForm {
  const format = mediaTypeOf(c.req.header("Content-Type"), BATCH_MEDIA);
  if (format === "json") return { format };
  const system_id = uuidParameter(c, "system_id");
  if (system_id === null) throw invalidParameter("system_id", "a UUID");
  return { format, system_id };
}

/** What makes two batches with the same body different ones. */
export function besideBody(form: BatchForm): string {
  if (form.format === "json") return "";
  const beside = `${form.format} ${form.system_id}`;
  return form.format === "line" ? `${beside} ${form.precision}` : beside;
}
