/** What producers see of the readings of theirs that were refused. */
import { type Static, Type } from "@sinclair/typebox";
import { orNull } from "./fields.ts";
import { REFUSAL_REASONS } from "./refusal.ts";

/** Which reading of its batch was refused. */
export const OrdinalSchema = Type.Integer({
  minimum: 0,
  description: "Position of the reading in the batch, from 0: the console and JSON pointers say readings[0]",
});
const ItemSchema = Type.Object({
  ordinal: OrdinalSchema,
  sensor_id: orNull(Type.String({ format: "uuid" })),
  timestamp: orNull(Type.String({ format: "date-time" })),
  value: orNull(Type.Number({ description: "As sent" })),
  unit: orNull(Type.String({ description: "As sent" })),
  quality: orNull(Type.Number()),
  raw: Type.Unknown({ description: "The reading as it was sent, as JSON parsed it" }),
  reason: Type.Union(REFUSAL_REASONS.map((reason) => Type.Literal(reason))),
  reason_details: Type.String({ description: "The value and the limit it broke" }),
  range_version: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
    description: "Version of the sensor's own range that refused it; null when none did",
  }),
});
/** The answer of `GET /api/v1/jobs/{id}/quarantine`. */
export const QuarantinePageSchema = Type.Object(
  {
    items: Type.Array(ItemSchema),
    next: Type.Union([Type.Integer(), Type.Null()], { description: "Pass as `after` for the next page" }),
    counts: Type.Record(Type.String(), Type.Integer(), {
      description: "Refused readings of the job by reason",
    }),
  },
  { $id: "QuarantinePage" },
);
/** A refused reading as the producer of its batch sees it. */
export type OwnRefusal = Static<typeof ItemSchema>;
