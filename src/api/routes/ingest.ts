/** `POST /api/v1/data/ingest`: takes a batch into the stream. Never touches Postgres. */
import { Type } from "@sinclair/typebox";
import type { Context, MiddlewareHandler } from "hono";
import { describeRoute } from "hono-openapi";
import { DEMO_SYSTEM_ID } from "../../contract/demo.ts";
import { JobViewSchema, toJobView } from "../../contract/job.ts";
import { BatchSchema } from "../../contract/reading.ts";
import type { App, AppEnv } from "../app-env.ts";
import { batchForm } from "../batch/batch-form.ts";
import { INTAKE_PROBLEMS, noteAcceptance, type TakeIn } from "../batch/intake.ts";
import { contentCoding } from "../body/media.ts";
import type { RouteDeps } from "../deps.ts";
import type { Acceptance } from "../idempotency.ts";
import { requestLimit } from "../limits/request-limit.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import {
  BATCH_EXAMPLE,
  CSV_EXAMPLE,
  JOB_EXAMPLE,
  JOB_ID_EXAMPLE,
  NDJSON_EXAMPLE,
} from "../openapi/examples.ts";
import { IDEMPOTENCY_KEY_PARAMETER, queryParameter, TRACEPARENT_PARAMETER } from "../openapi/parameters.ts";
import { type HeaderName, ok, problems, RATE_LIMIT_HEADERS } from "../openapi/responses.ts";
import { SENDERS, SENDING } from "../roles.ts";
import { awaited, readWait } from "../wait-preference.ts";

const PATH = "/api/v1/data/ingest";

const AcceptedSchema = Type.Object({
  job_id: Type.String({ format: "uuid" }),
  status: Type.Literal("queued"),
});

const ACCEPTED_HEADERS: readonly HeaderName[] = [
  "Idempotent-Replayed",
  "Preference-Applied",
  ...RATE_LIMIT_HEADERS,
];
const WAIT_PARAMETERS = [
  {
    name: "Prefer",
    in: "header" as const,
    description:
      "`wait=N` (RFC 7240): answer when the job has ended, at the latest after N seconds. At most " +
      "WAIT_MAX_SECONDS (30 by default); Preference-Applied says how long it was. Other preferences are ignored, and " +
      "so is this one while a thousand requests wait already",
    schema: { type: "string" as const },
    example: "wait=10",
  },
  queryParameter(
    "wait",
    "`committed`: as `Prefer: wait=N` with the longest time, for clients that cannot send it",
    {
      type: "string",
      enum: ["committed", "no"],
      default: "no",
    },
  ),
];

const describe = describeRoute({
  tags: ["Ingest"],
  summary: "Send a batch of readings",
  description:
    "The batch is accepted as a whole and processed later: poll the job at `Location`, follow its events, or wait " +
    "for its end in the same request with `Prefer: wait=N`. Bad readings in a good envelope are accepted too, and " +
    "end in quarantine. The body may be compressed (gzip, deflate, zstd). JSON names its system; for NDJSON and CSV the " +
    "query does.",
  operationId: "ingestBatch",
  security: SECURITY,
  parameters: [
    queryParameter(
      "system_id",
      "The system of an NDJSON or CSV batch, which is required for them; a JSON batch names its own",
      { type: "string", format: "uuid" },
      { example: DEMO_SYSTEM_ID },
    ),
    IDEMPOTENCY_KEY_PARAMETER,
    TRACEPARENT_PARAMETER,
    ...WAIT_PARAMETERS,
  ],
  requestBody: {
    required: true,
    content: {
      "application/json": { schema: schemaOf(BatchSchema), example: BATCH_EXAMPLE },
      "application/x-ndjson": {
        schema: { type: "string", description: "A reading a line, 1 to 10,000 of them" },
        example: NDJSON_EXAMPLE,
      },
      "text/csv": {
        schema: {
          type: "string",
          description:
            "RFC 4180. A header with the columns sensor_id (or sensor), timestamp, value, unit and, if wanted, " +
            "quality, in any order; then 1 to 10,000 readings",
        },
        example: CSV_EXAMPLE,
      },
    },
  },
  responses: {
    200: ok(
      "The job, which has ended while the request waited: `completed` or `failed`",
      JobViewSchema,
      JOB_EXAMPLE,
      ["Content-Location", "Cache-Control", ...ACCEPTED_HEADERS],
    ),
    202: ok("The batch is safe in the stream", AcceptedSchema, { job_id: JOB_ID_EXAMPLE, status: "queued" }, [
      "Location",
      "Retry-After",
      ...ACCEPTED_HEADERS,
    ]),
    ...problems(PATH, ["malformed-json", ...INTAKE_PROBLEMS, "unsupported-media-type"], RATE_LIMIT_HEADERS),
  },
});

/** Refuses what cannot be a batch by its headers and query alone, before anything is counted or read. */
const requireBatch: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set("batch_form", batchForm(c));
  contentCoding(c.req.header("Content-Encoding"));
  await next();
};

export function mountIngest(app: App, deps: RouteDeps, takeIn: TakeIn): void {
  const admit = [
    authenticate(deps.tokens, SENDERS, SENDING),
    requireBatch,
    readWait(deps),
    requestLimit(deps),
  ] as const;
  app.post(PATH, describe, ...admit, async (c) => accepted(deps, c, await takeIn(c, c.get("batch_form"))));
}

/** The job when the client waits for its end and it comes in time; else where to ask for it. */
async function accepted(deps: RouteDeps, c: Context<AppEnv>, acceptance: Acceptance): Promise<Response> {
  const { job_id } = acceptance;
  const address = noteAcceptance(c, acceptance);
  const job = await awaited(deps, c, job_id);
  if (job) return c.json(toJobView(job), 200, { "Content-Location": address });
  return c.json({ job_id, status: "queued" }, 202, { Location: address, "Retry-After": "1" });
}
