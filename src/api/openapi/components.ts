/** TypeBox schemas as OpenAPI components: a schema with an `$id` becomes `#/components/schemas/{id}`. */
import type { TSchema } from "@sinclair/typebox";
import type { GenerateSpecOptions } from "hono-openapi";
import * as access from "../../contract/access.ts";
import * as alert from "../../contract/alert.ts";
import { CorrectionSchema } from "../../contract/correction.ts";
import { InfluxErrorSchema } from "../../contract/influx.ts";
import { JobViewSchema } from "../../contract/job.ts";
import { MappingPageSchema, MappingSchema, NewMappingSchema } from "../../contract/mapping.ts";
import * as oversight from "../../contract/oversight.ts";
import { ProblemSchema } from "../../contract/problem.ts";
import { QuarantinePageSchema } from "../../contract/quarantine.ts";
import {
  IncidentPageSchema,
  QuarantineCountsSchema,
  QuarantinedReadingDetailSchema,
  QuarantinedReadingSchema,
} from "../../contract/quarantine-review.ts";
import { BatchSchema, ReadingSchema } from "../../contract/reading.ts";
import * as registry from "../../contract/registry.ts";
import * as review from "../../contract/review.ts";
import * as webhook from "../../contract/webhook.ts";
import * as message from "../../contract/webhook-message.ts";

type Components = NonNullable<GenerateSpecOptions["documentation"]["components"]>;
/** A schema as OpenAPI 3.1 writes it. */
export type SchemaObject = NonNullable<Components["schemas"]>[string];

/**
 * A copy in which every nested schema with an `$id` is a reference. `$id` itself goes: in OpenAPI 3.1 it would
 * change the base of every reference below it (JSON Schema 2020-12 section 8.2.1).
 */
function withReferences(schema: unknown, isRoot: boolean): unknown {
  if (Array.isArray(schema)) return schema.map((item) => withReferences(item, false));
  if (typeof schema !== "object" || schema === null) return schema;
  const { $id, ...rest } = schema as Record<string, unknown>;
  if (!isRoot && typeof $id === "string") return { $ref: `#/components/schemas/${$id}` };
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, withReferences(value, false)]));
}

/** A schema in the place where a route uses it: a reference when it is a component, else inline. */
export function schemaOf(schema: TSchema): SchemaObject {
  return withReferences(schema, false) as SchemaObject;
}

const REGISTRY_SCHEMAS = [
  registry.NewSystemSchema,
  registry.SystemChangeSchema,
  registry.SystemSchema,
  registry.SystemPageSchema,
  registry.NewSensorSchema,
  registry.SensorChangeSchema,
  registry.SensorSchema,
  registry.SensorDetailSchema,
  registry.SensorPageSchema,
  registry.EffectiveRangeSchema,
  registry.RangeChangeSchema,
  registry.RangeVersionSchema,
  registry.RangeVersionPageSchema,
  registry.RangeStateSchema,
  registry.RangePreviewSchema,
  registry.UnitListSchema,
  NewMappingSchema,
  MappingSchema,
  MappingPageSchema,
  InfluxErrorSchema,
];

const REVIEW_SCHEMAS = [
  CorrectionSchema,
  review.NewReviewSchema,
  review.ReadingOutcomeSchema,
  review.DryRunSchema,
  review.ReviewTaskSchema,
  review.ReviewTaskPageSchema,
];

const ACCESS_SCHEMAS = [
  access.NewUserSchema,
  access.UserChangeSchema,
  access.NewPasswordSchema,
  access.OwnPasswordSchema,
  access.UserViewSchema,
  access.NewKeySchema,
  access.KeyChangeSchema,
  access.RotateKeySchema,
  access.KeyViewSchema,
  access.KeyWithSecretSchema,
];

const WEBHOOK_SCHEMAS = [
  webhook.NewWebhookSchema,
  webhook.WebhookChangeSchema,
  webhook.RotationSchema,
  webhook.WebhookSchema,
  webhook.WebhookMadeSchema,
  webhook.RotatedSchema,
  webhook.AttemptSchema,
  webhook.DeliverySchema,
  webhook.DeliveryDetailSchema,
  webhook.WebhookPageSchema,
  webhook.DeliveryPageSchema,
  message.JobMessageSchema,
  message.AlertMessageSchema,
  message.TestMessageSchema,
  message.GapMessageSchema,
];

const OVERSIGHT_SCHEMAS = [
  oversight.AuditEntrySchema,
  oversight.DeadLetterSchema,
  alert.AlertSchema,
  alert.AcknowledgementSchema,
  alert.OwnAlertLimitsSchema,
  alert.AlertLimitsStateSchema,
  oversight.WorkerSchema,
  oversight.OverviewSchema,
  oversight.OverviewHistorySchema,
];

/** Every schema with an `$id`, under its id. */
export function componentSchemas(): Record<string, SchemaObject> {
  const named = [
    ProblemSchema,
    JobViewSchema,
    QuarantinePageSchema,
    QuarantinedReadingSchema,
    QuarantineCountsSchema,
    IncidentPageSchema,
    QuarantinedReadingDetailSchema,
    ReadingSchema,
    BatchSchema,
    ...REGISTRY_SCHEMAS,
    ...REVIEW_SCHEMAS,
    ...ACCESS_SCHEMAS,
    ...OVERSIGHT_SCHEMAS,
    ...WEBHOOK_SCHEMAS,
  ];
  return Object.fromEntries(
    named.map((schema) => [schema.$id ?? "", withReferences(schema, true)]),
  ) as Record<string, SchemaObject>;
}
