/** What reviewers see of quarantined readings: lists, counts, incidents, and everything about one of them. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { orNull, time, uuid } from "./fields.ts";
import { AuditEntrySchema } from "./oversight.ts";
import { OrdinalSchema } from "./quarantine.ts";
import { NextField, SubjectSchema } from "./query.ts";
import { REFUSAL_REASONS } from "./refusal.ts";
import { REVIEW_STATUSES } from "./review-status.ts";

/** An object that has the same for each of the names. */
const byName = <const N extends string, T extends TSchema>(names: readonly N[], schema: T) =>
  Type.Object(Object.fromEntries(names.map((name) => [name, schema])) as Record<N, T>);
const ReasonSchema = Type.Union(REFUSAL_REASONS.map((reason) => Type.Literal(reason)));
const StatusSchema = Type.Union(REVIEW_STATUSES.map((status) => Type.Literal(status)));

const ItemFields = {
  id: Type.Integer({ minimum: 1 }),
  job_id: uuid("The batch it came with"),
  ordinal: OrdinalSchema,
  system_id: uuid(),
  sensor_id: orNull(uuid()),
  timestamp: orNull(time("As sent; null when it cannot be read or lies before the year 1")),
  value: orNull(Type.Number({ description: "As sent" })),
  unit: orNull(Type.String({ description: "As sent" })),
  quality: orNull(Type.Number()),
  raw: Type.Unknown({ description: "The reading as it was sent, as JSON parsed it" }),
  reason: ReasonSchema,
  reason_details: Type.String({ description: "The value and the limit it broke" }),
  range_version: orNull(Type.Integer({ minimum: 1, description: "Version of the sensor's own range" })),
  quarantined_at: time(),
  review_status: StatusSchema,
  reviewed_by: orNull(uuid()),
  reviewed_by_name: orNull(Type.String()),
  reviewed_at: orNull(time()),
  review_notes: orNull(Type.String()),
  review_task_id: orNull(uuid("The action that decided it")),
  stored_by_job: orNull(uuid("The job of the review that stored it")),
};
/** A quarantined reading in a list. */
export const QuarantinedReadingSchema = Type.Object(ItemFields, { $id: "QuarantinedReading" });
export type QuarantinedReading = Static<typeof QuarantinedReadingSchema>;

/** The answer of `GET /api/v1/quarantine`. */
export const QuarantineListSchema = Type.Object({
  ...NextField,
  items: Type.Array(QuarantinedReadingSchema),
});

const CountFields = {
  count: Type.Integer({ minimum: 0 }),
  capped: Type.Boolean({ description: "There are at least this many, perhaps more" }),
};
const CountSchema = Type.Object(CountFields);
/** How many there are, as far as they were counted. */
export type Count = Static<typeof CountSchema>;
/** The answer of `GET /api/v1/quarantine/counts`. */
export const QuarantineCountsSchema = Type.Object(
  {
    total: CountSchema,
    reasons: byName(REFUSAL_REASONS, CountSchema),
    statuses: byName(REVIEW_STATUSES, CountSchema),
    systems: Type.Array(Type.Object({ id: uuid(), name: orNull(Type.String()), ...CountFields })),
    sensors: Type.Array(
      Type.Object({ id: uuid(), name: orNull(Type.String()), system_id: uuid(), ...CountFields }),
    ),
  },
  { $id: "QuarantineCounts" },
);
export type QuarantineCounts = Static<typeof QuarantineCountsSchema>;

export const IncidentSchema = Type.Object({
  key: Type.String({ description: "Opaque; names exactly these readings in an action" }),
  system_id: uuid(),
  system_name: orNull(Type.String()),
  sensor_id: orNull(uuid()),
  sensor_name: orNull(Type.String()),
  unit: orNull(Type.String({ description: "Canonical unit of the sensor" })),
  reason: ReasonSchema,
  first_at: time("Its first refusal: the reading's own time, or its quarantine's when the time is at fault"),
  last_at: time("Its last refusal"),
  count: Type.Integer({ minimum: 1 }),
  statuses: byName(REVIEW_STATUSES, Type.Integer({ minimum: 0 })),
  sample: QuarantinedReadingSchema,
});
export type Incident = Static<typeof IncidentSchema>;
/** The answer of `GET /api/v1/quarantine/incidents`. */
export const IncidentPageSchema = Type.Object(
  { items: Type.Array(IncidentSchema), ...NextField },
  { $id: "IncidentPage" },
);

const AroundSchema = Type.Object({
  from: time(),
  to: time("Not included"),
  items: Type.Array(
    Type.Object({ timestamp: time(), min: Type.Number(), avg: Type.Number(), max: Type.Number() }),
    { description: "Stored readings of the sensor, in its unit, in at most 500 buckets" },
  ),
  refused: Type.Array(
    Type.Object({
      id: Type.Integer({ minimum: 1 }),
      timestamp: time(),
      value: orNull(Type.Number()),
      unit: orNull(Type.String()),
      reason: ReasonSchema,
      review_status: StatusSchema,
    }),
    { description: "Other refused readings of the sensor, as sent; the 500 that are nearest in time" },
  ),
});

/** The answer of `GET /api/v1/quarantine/{id}`. */
export const QuarantinedReadingDetailSchema = Type.Object(
  {
    ...ItemFields,
    system: orNull(Type.Object({ id: uuid(), name: Type.String() })),
    sensor: orNull(SubjectSchema),
    stored: orNull(
      Type.Object(
        { timestamp: time(), value: Type.Number(), unit: Type.String(), quality: Type.Number() },
        { description: "What the sensor holds at that timestamp now" },
      ),
    ),
    rule: orNull(
      Type.Object(
        {
          version: Type.Integer({ minimum: 1 }),
          min: orNull(Type.Number()),
          max: orNull(Type.Number()),
          valid_from: time(),
          author_name: orNull(Type.String()),
        },
        { description: "The sensor's own range that refused it" },
      ),
    ),
    around: AroundSchema,
    history: Type.Array(AuditEntrySchema, { description: "Newest first, at most 100" }),
  },
  { $id: "QuarantinedReadingDetail" },
);
export type QuarantinedReadingDetail = Static<typeof QuarantinedReadingDetailSchema>;
