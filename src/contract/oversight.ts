/** What those who look after the service see: the record, dead letters, alerts, workers, the overview. */
import { type Static, Type } from "@sinclair/typebox";
import { AlertSchema } from "./alert.ts";
import { count, orNull, time, uuid } from "./fields.ts";
import { JobViewSchema } from "./job.ts";
import { NextField } from "./query.ts";

const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });

/** What an entry of the record can be about. */
export const SUBJECT_TYPES = [
  "reading",
  "task",
  "dead_letter",
  "job",
  "alert",
  "user",
  "range",
  "key",
  "mapping",
  "webhook",
  "alert_limit",
] as const;
export type SubjectType = (typeof SUBJECT_TYPES)[number];

export const AuditEntrySchema = Type.Object(
  {
    id: Type.Integer({ description: "Rises in the order of the record" }),
    at: time("When it was recorded"),
    actor: orNull(uuid("User; null: the service itself")),
    actor_name: Type.String(),
    action: Type.String({ description: "What was done, such as dead_letter.replay" }),
    subject_type: Type.Union(SUBJECT_TYPES.map((type) => Type.Literal(type))),
    subject_id: Type.String(),
    task_id: orNull(uuid("Review task that it was a part of")),
    before: Type.Unknown({ description: "JSON; null when there is nothing to say" }),
    after: Type.Unknown({ description: "JSON; null when there is nothing to say" }),
    note: orNull(Type.String({ description: "The actor's reason" })),
  },
  { $id: "AuditEntry" },
);
export type AuditEntry = Static<typeof AuditEntrySchema>;
export const AuditPageSchema = Type.Object({ items: Type.Array(AuditEntrySchema), ...NextField });

export const DeadLetterSchema = Type.Object(
  {
    id: Type.String({ description: "Partition and entry, with a slash between" }),
    reason: Type.String({ description: "Why it could not be processed" }),
    buried_at: time("When it was given up"),
    size_bytes: count("Body as it is kept, which may be compressed"),
    job: Type.Union([
      Type.Object({
        job_id: uuid("Its job"),
        system_id: uuid("System that the batch names"),
        created_by: uuid("User who sent it"),
        total_readings: count("Readings in the batch"),
        received_at: time("When the batch was accepted"),
      }),
      Type.Null(),
    ]),
  },
  { $id: "DeadLetter" },
);
export type DeadLetterView = Static<typeof DeadLetterSchema>;
export const DeadLetterPageSchema = Type.Object({ items: Type.Array(DeadLetterSchema), ...NextField });
export const DeadLetterDetailSchema = Type.Object({
  ...DeadLetterSchema.properties,
  payload: Type.Object({
    encoding: Type.Union([Type.Literal("json"), Type.Literal("base64")], {
      description: "json: the text as the producer sent it; base64: bytes that cannot be read as text",
    }),
    body: Type.String(),
    truncated: Type.Boolean({ description: "There is more than is shown" }),
  }),
});
export type DeadLetterDetail = Static<typeof DeadLetterDetailSchema>;

export const WorkerSchema = Type.Object(
  {
    name: Type.String({ description: "Consumer of the stream, unique for each life of a thread" }),
    process: Type.String({ description: "Host, process and start" }),
    state: Type.String({ description: "waiting, starting, running, draining or stopped" }),
    heartbeat_age_ms: Type.Number({ description: "Since its last sign of life" }),
    restarts: count("Since the process began"),
    in_hand: count("Batches read and not finished"),
  },
  { $id: "Worker" },
);
export type WorkerView = Static<typeof WorkerSchema>;
export const WorkerListSchema = Type.Object({ items: Type.Array(WorkerSchema) });

const rate = (description: string) => orNull(Type.Number({ minimum: 0, description }));
export const OverviewSchema = Type.Object(
  {
    at: time("When it was looked"),
    accepted_rows_per_s: rate("Readings accepted; null until there are two looks"),
    committed_rows_per_s: rate("Readings stored; null until there are two looks"),
    backlog: Type.Object({
      entries: count("Batches accepted and not finished"),
      bytes: count("Of their bodies"),
      lag: count("Of these batches, those that no thread has taken"),
    }),
    workers: Type.Object({
      processes: count("Worker processes with a sign of life"),
      threads: count("Their threads"),
      running: count("Of these, at work"),
      in_hand: count("Batches in their hands"),
    }),
    quarantined_share: orNull(
      share("Of what workers judged between two looks; null when they judged nothing"),
    ),
    database: Type.Union([Type.Literal("up"), Type.Literal("down")], {
      description:
        "down: PostgreSQL does not answer; batches are accepted and wait, and pending, jobs and alerts are as it last told them",
    }),
    pending: orNull(
      count("Quarantined readings that wait for a decision; null: the database did not say yet"),
    ),
    jobs: Type.Array(JobViewSchema, { description: "The newest ten" }),
    alerts: Type.Array(AlertSchema, { description: "Those that are open, at most 50" }),
  },
  { $id: "Overview" },
);
export type Overview = Static<typeof OverviewSchema>;

const HistoryPointSchema = Type.Pick(OverviewSchema, ["at", "accepted_rows_per_s", "committed_rows_per_s"]);
export type HistoryPoint = Static<typeof HistoryPointSchema>;
export const OverviewHistorySchema = Type.Object(
  { points: Type.Array(HistoryPointSchema, { description: "The oldest first" }) },
  { $id: "OverviewHistory" },
);
export type OverviewHistoryView = Static<typeof OverviewHistorySchema>;
