/** Alerts about quarantined readings, and the limits that raise them. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { count, orNull, time, uuid } from "./fields.ts";
import { NoteSchema } from "./note.ts";
import { NextField } from "./query.ts";

const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });

export const AlertSchema = Type.Object(
  {
    id: Type.Integer(),
    system_id: uuid("System whose readings are refused"),
    system_name: orNull(Type.String({ description: "Null: it is not registered" })),
    raised_at: time("When the share passed the limit"),
    resolved_at: orNull(time("When it was over; null: not yet")),
    back_since: orNull(time("Since when the share is at the limit or below, so that it will be over soon")),
    share: share("Quarantined readings / all, at the last look"),
    peak_share: share("The largest so far"),
    limit: share("What it was judged by"),
    window_s: count("Seconds of received batches that are counted"),
    min_readings: orNull(count("Fewer readings in the window raise none; null: not known")),
    readings: count("Readings in the window"),
    quarantined: count("Of these, quarantined"),
    acknowledged_at: orNull(time("When somebody said that they see to it; null: nobody did")),
    acknowledged_by: orNull(Type.String({ description: "Their name" })),
    acknowledged_note: orNull(Type.String({ description: "What they said" })),
  },
  { $id: "Alert" },
);
export type AlertView = Static<typeof AlertSchema>;
export const AlertPageSchema = Type.Object({ items: Type.Array(AlertSchema), ...NextField });

/** Body of `POST /api/v1/alerts/{alert_id}/acknowledge`. */
export const AcknowledgementSchema = Type.Object(
  { note: Type.Optional(NoteSchema) },
  { $id: "Acknowledgement", additionalProperties: false },
);

const MIN_ALERT_WINDOW_S = 60;
const MAX_ALERT_WINDOW_S = 86_400;
const MAX_ALERT_READINGS = 1_000_000_000_000;

const ShareLimit = Type.Number({
  minimum: 0,
  maximum: 1,
  description: "a share from 0 to 1: quarantined readings / all, above which an alert is raised; 1: never",
});
const WindowLimit = Type.Integer({
  minimum: MIN_ALERT_WINDOW_S,
  maximum: MAX_ALERT_WINDOW_S,
  description: `seconds from ${MIN_ALERT_WINDOW_S} to ${MAX_ALERT_WINDOW_S}: batches received within them count`,
});
const ReadingsLimit = Type.Integer({
  minimum: 1,
  maximum: MAX_ALERT_READINGS,
  description: "readings from 1: fewer in the window raise no alert",
});

/** When a system has too many quarantined readings. */
const AlertLimitsSchema = Type.Object({
  share: ShareLimit,
  window_s: WindowLimit,
  min_readings: ReadingsLimit,
});
export type AlertLimits = Static<typeof AlertLimitsSchema>;

/** A limit of a system's own. */
const own = <T extends TSchema>(schema: T) =>
  Type.Union([schema, Type.Null()], { description: `${schema.description}; null: the service's` });
/** Body of `PUT /api/v1/systems/{system_id}/alert-limits`: what is absent or null is the service's. */
export const OwnAlertLimitsSchema = Type.Object(
  {
    share: Type.Optional(own(ShareLimit)),
    window_s: Type.Optional(own(WindowLimit)),
    min_readings: Type.Optional(own(ReadingsLimit)),
  },
  { $id: "OwnAlertLimits", additionalProperties: false },
);

/** What judges a system, and what of it is its own. */
export const AlertLimitsStateSchema = Type.Object(
  {
    in_force: AlertLimitsSchema,
    own: Type.Object({
      share: own(ShareLimit),
      window_s: own(WindowLimit),
      min_readings: own(ReadingsLimit),
    }),
    author_name: orNull(Type.String({ description: "Who set its own last; null: nobody did" })),
    updated_at: orNull(time("When; null: never")),
  },
  { $id: "AlertLimitsState" },
);
export type AlertLimitsState = Static<typeof AlertLimitsStateSchema>;
/** Limits of a system's own; null: the service's. */
export type OwnAlertLimits = AlertLimitsState["own"];
