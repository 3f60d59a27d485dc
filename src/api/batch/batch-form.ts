/** What the headers and the query of a request say of its batch, before the body is read. */
import type { Context } from "hono";
import type { BodyFormat } from "../../contract/formats/body-format.ts";
import { type MediaTypes, mediaTypeOf } from "../body/media.ts";
import { invalidParameter, uuidParameter } from "../parameters.ts";

/** A JSON document names its system itself. */
export type BatchForm =
  | { readonly format: "json" }
  | {
      readonly format: Exclude<BodyFormat, "json">;
      /** Lower-case UUID. */
      readonly system_id: string;
    };

export const BATCH_MEDIA: MediaTypes<BodyFormat> = new Map([
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
  return form.format === "json" ? "" : `${form.format} ${form.system_id}`;
}
