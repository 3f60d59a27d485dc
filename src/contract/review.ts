/** Decisions about quarantined readings: what reviewers send, and what they see of what became of it. */
import { type Static, Type } from "@sinclair/typebox";
import { CorrectionSchema } from "./correction.ts";
import { count, orNull } from "./fields.ts";
import { MAX_NOTE_LENGTH } from "./note.ts";
import { NO_NUL } from "./printable.ts";
import { UUID_PATTERN } from "./reading.ts";
import { REFUSAL_REASONS } from "./refusal.ts";
import { MAX_REVIEW_IDS, REVIEW_STATUSES, type ReviewStatus } from "./review-status.ts";

export const REVIEW_ACTIONS = ["approve", "fix", "reject", "reopen", "revalidate"] as const;
export type ReviewAction = (typeof REVIEW_ACTIONS)[number];
export const TASK_STATES = ["queued", "running", "completed", "failed", "cancelled"] as const;

/** Readings that one decision selects, at most. */
export const MAX_SELECTED = 1_000_000;

/** The statuses that a reading may have for an action: reopening takes any decision back, the others take one. */
export const statusesNeeded = (action: ReviewAction): readonly ReviewStatus[] =>
  action === "reopen" ? REVIEW_STATUSES.filter((status) => status !== "pending") : ["pending"];
/** The status of a reading that an action has stored. */
export const statusStored = (action: ReviewAction): ReviewStatus => (action === "fix" ? "fixed" : "approved");

const literals = <const T extends string>(values: readonly T[]) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { description: `one of ${values.join(", ")}` },
  );
const uuid = Type.String({ pattern: UUID_PATTERN, description: "a UUID" });
const time = Type.String({ maxLength: 64, description: "an RFC 3339 date-time" });

const IncidentField = Type.String({ minLength: 1, maxLength: 400, description: "`key` of an incident" });

/** The same filters as of the list; `status` only narrows what an action is for. */
const QuarantineFilterSchema = Type.Object(
  {
    incident: Type.Optional(IncidentField),
    job_id: Type.Optional(uuid),
    system_id: Type.Optional(uuid),
    sensor_id: Type.Optional(uuid),
    reason: Type.Optional(Type.Array(literals(REFUSAL_REASONS), { minItems: 1, maxItems: 6 })),
    status: Type.Optional(Type.Array(literals(REVIEW_STATUSES), { minItems: 1, maxItems: 4 })),
    from: Type.Optional(time),
    to: Type.Optional(time),
    q: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, pattern: NO_NUL, description: "text in reason_details" }),
    ),
  },
  { additionalProperties: false, description: "Filters as of GET /api/v1/quarantine" },
);
export type QuarantineFilter = Static<typeof QuarantineFilterSchema>;

const only = { additionalProperties: false } as const;
const SelectionSchema = Type.Union(
  [
    Type.Object(
      {
        ids: Type.Array(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), {
          minItems: 1,
          maxItems: MAX_REVIEW_IDS,
          uniqueItems: true,
        }),
      },
      only,
    ),
    Type.Object({ incident: IncidentField }, only),
    Type.Object({ filter: QuarantineFilterSchema }, only),
  ],
  {
    description: `{"ids": [1 to ${MAX_REVIEW_IDS} different ids]}, {"incident": a key} or {"filter": {…}}`,
  },
);
export type Selection = Static<typeof SelectionSchema>;

/** Body of `POST /api/v1/quarantine/actions`. */
export const NewReviewSchema = Type.Object(
  {
    action: literals(REVIEW_ACTIONS),
    selection: SelectionSchema,
    change: Type.Optional(CorrectionSchema),
    conflict: Type.Optional(literals(["keep", "replace"])),
    note: Type.Optional(
      Type.String({
        maxLength: MAX_NOTE_LENGTH,
        pattern: NO_NUL,
        description: `a text of at most ${MAX_NOTE_LENGTH} characters`,
      }),
    ),
    dry_run: Type.Optional(Type.Boolean()),
  },
  { $id: "NewReview", additionalProperties: false },
);
export type NewReview = Static<typeof NewReviewSchema>;

const FailingSchema = Type.Record(Type.String(), Type.Integer(), { description: "Readings by reason" });
const JsonSchema = Type.Unknown();

/** What becomes, or became, of one reading. */
export const OUTCOMES = [
  "store",
  "identical",
  "replace",
  "keep",
  "reject",
  "reopen",
  "withdraw",
  "restore",
  "fails",
] as const;
export const ReadingOutcomeSchema = Type.Object(
  {
    id: Type.Integer(),
    outcome: literals(OUTCOMES),
    before: JsonSchema,
    after: JsonSchema,
    reason: orNull(Type.String()),
    details: orNull(Type.String()),
    stored: JsonSchema,
  },
  { $id: "ReviewOutcome" },
);
export type ReadingOutcome = Static<typeof ReadingOutcomeSchema>;

/** The answer to a dry run. */
export const DryRunSchema = Type.Object(
  {
    action: literals(REVIEW_ACTIONS),
    selected: count("Readings that the action would be about"),
    examined: count("Of these, tried; the first ones"),
    would: Type.Object({
      store: count("Stored for the first time"),
      identical: count("Stored before with the same value"),
      replace: count("Take the place of a stored value"),
      keep: count("Rejected, because the stored value stays"),
      reject: count("Rejected"),
      reopen: count("Pending again; nothing is taken out of what is stored"),
      withdraw: count("Pending again, and their stored readings taken out"),
      restore: count("Pending again, and the values that they had replaced stored in their place"),
    }),
    still_failing: FailingSchema,
    not_open: count("Not in the status that the action needs"),
    samples: Type.Array(ReadingOutcomeSchema, { description: "At most 50, those that fail first" }),
  },
  { $id: "ReviewDryRun" },
);
export type DryRun = Static<typeof DryRunSchema>;

export const ReviewTaskSchema = Type.Object(
  {
    id: Type.String({ format: "uuid" }),
    action: literals(REVIEW_ACTIONS),
    state: literals(TASK_STATES),
    actor: Type.String({ format: "uuid" }),
    actor_name: Type.String(),
    note: orNull(Type.String()),
    selection: JsonSchema,
    change: JsonSchema,
    conflict: orNull(Type.String()),
    selected: count("Readings when it began"),
    done: count("Readings dealt with"),
    stored: count("Stored for the first time"),
    identical: count("Were stored before with the same value"),
    replaced: count("Took the place of a stored value"),
    changed: count("Rejected or pending again"),
    withdrawn: count("Of these, their stored readings were taken out"),
    restored: count("Of these, the values that they had replaced are stored again"),
    failing: FailingSchema,
    not_open: count("Were not in the status that the action needs"),
    jobs: Type.Array(Type.String({ format: "uuid" }), { description: "Jobs that stored them, at most 100" }),
    created_at: Type.String({ format: "date-time" }),
    started_at: orNull(Type.String({ format: "date-time" })),
    completed_at: orNull(Type.String({ format: "date-time" })),
    error_message: orNull(Type.String()),
    readings: Type.Optional(Type.Array(ReadingOutcomeSchema)),
  },
  { $id: "ReviewTask" },
);
export type ReviewTask = Static<typeof ReviewTaskSchema>;

/** A page of tasks, newest first. */
export const ReviewTaskPageSchema = Type.Object(
  { items: Type.Array(ReviewTaskSchema), next: orNull(Type.String()) },
  { $id: "ReviewTaskPage" },
);
