/** What receivers of webhooks are told: the body of a message, made from what was kept of the moment. */
import { Type } from "@sinclair/typebox";
import { AlertSchema } from "./alert.ts";
import { time } from "./fields.ts";
import { type JobRecord, JobViewSchema, toJobView } from "./job.ts";
import { ALERT_EVENTS, type DeliveredEvent, GAP_EVENT, JOB_EVENTS, TEST_EVENT } from "./webhook-events.ts";

const timestamp = Type.String({ format: "date-time", description: "When it happened" });
const typeOf = (events: readonly string[]) => Type.Union(events.map((event) => Type.Literal(event)));

export const JobMessageSchema = Type.Object(
  { type: typeOf(JOB_EVENTS), timestamp, data: JobViewSchema },
  { $id: "JobMessage" },
);
export const AlertMessageSchema = Type.Object(
  { type: typeOf(ALERT_EVENTS), timestamp, data: AlertSchema },
  { $id: "AlertMessage" },
);
export const TestMessageSchema = Type.Object(
  {
    type: Type.Literal(TEST_EVENT),
    timestamp,
    data: Type.Object({
      webhook_id: Type.String({ format: "uuid" }),
      sent_by: Type.String({ description: "Name of the user" }),
    }),
  },
  { $id: "TestMessage" },
);
export const GapMessageSchema = Type.Object(
  {
    type: Type.Literal(GAP_EVENT),
    timestamp,
    data: Type.Object({
      webhook_id: Type.String({ format: "uuid" }),
      reason: Type.Union([Type.Literal("overflow"), Type.Literal("disabled")]),
      from: time("Jobs that ended and alerts that changed from then on were not told"),
      to: time("Until then"),
    }),
  },
  { $id: "GapMessage" },
);

/** A message before it is written out. */
export interface Told {
  readonly event: DeliveredEvent;
  /** When it happened; RFC 3339. */
  readonly created_at: string;
  /** A `JobRecord` for jobs; for all others what is sent as `data`. */
  readonly snapshot: unknown;
}

/** The body of a message: the same bytes for each attempt. */
export function messageBody({ event, created_at, snapshot }: Told): string {
  const isAboutJob = (JOB_EVENTS as readonly string[]).includes(event);
  const data = isAboutJob ? toJobView(snapshot as JobRecord) : snapshot;
  return JSON.stringify({ type: event, timestamp: created_at, data });
}

/** The header webhook-id of a message. */
export const messageId = (id: string) => `msg_${id.replaceAll("-", "")}`;
