/** `POST /api/v1/data/ingest`: takes a batch into the stream. Never touches Postgres. */
import { Type } from "@sinclair/typebox";
import type { Context } from "hono";
import { describeRoute } from "hono-openapi";
import { JobViewSchema, toJobView } from "../../contract/job.ts";
import { BatchSchema, MAX_READINGS_PER_BATCH } from "../../contract/reading.ts";
import type { Role } from "../../store/users.ts";
import type { BatchOffer } from "../../stream/producer.ts";
import { BodyMemory } from "../body/body-memory.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { parseJson } from "../body/decode-body.ts";
import { receiveBody } from "../body/receive-body.ts";
import type { App, AppEnv, RouteDeps } from "../deps.ts";
import { type Acceptance, acceptOnce, idempotencyKeyFrom } from "../idempotency.ts";
import { takeReadings } from "../limits/readings-limit.ts";
import { requestLimit } from "../limits/request-limit.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { BATCH_EXAMPLE, JOB_EXAMPLE, JOB_ID_EXAMPLE } from "../openapi/examples.ts";
import { queryParameter } from "../openapi/parameters.ts";
import { type HeaderName, ok, problems, RATE_LIMIT_HEADERS } from "../openapi/responses.ts";
import { ProblemError, RETRY_AFTER_BACKLOG_S } from "../problem-error.ts";
import { awaited, readWait } from "../wait-preference.ts";

const PATH = "/api/v1/data/ingest";
/** Reviewers judge what others sent; they send nothing themselves. */
const INGEST_ROLES: readonly Role[] = ["producer", "engineer", "admin"];

/** Bodies of full size that may be in work at once; of usual batches these are hundreds. */
const BODIES_IN_WORK = 16;

const AcceptedSchema = Type.Object({
  job_id: Type.String({ format: "uuid" }),
  status: Type.Literal("queued"),
});

/** What is checked here: the readings' own shape is judged one by one in an ingest thread. */
const EnvelopeSchema = Type.Object({
  system_id: BatchSchema.properties.system_id,
  readings: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MAX_READINGS_PER_BATCH }),
});
const checkEnvelope = shapeCheck(EnvelopeSchema);

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
    "end in quarantine. The body may be compressed (gzip, deflate).",
  operationId: "ingestBatch",
  security: SECURITY,
  parameters: [
    {
      name: "Idempotency-Key",
      in: "header",
      description: "Makes it safe to send the batch again: one job for one key",
      schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
    },
    {
      name: "Content-Encoding",
      in: "header",
      schema: { type: "string", enum: ["identity", "gzip", "deflate"] },
    },
    ...WAIT_PARAMETERS,
  ],
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(BatchSchema), example: BATCH_EXAMPLE } },
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
    ...problems(
      PATH,
      [
        "malformed-json",
        "malformed-encoding",
        "invalid-request",
        "invalid-idempotency-key",
        "authentication-required",
        "invalid-token",
        "forbidden",
        "cross-site-request",
        "body-timeout",
        "idempotency-in-flight",
        "body-too-large",
        "unsupported-media-type",
        "unsupported-content-encoding",
        "idempotency-mismatch",
        "rate-limited",
        "backlog-full",
        "service-unavailable",
        "server-busy",
      ],
      RATE_LIMIT_HEADERS,
    ),
  },
});

export function mountIngest(app: App, deps: RouteDeps): void {
  const bounds = { max_bytes: deps.config.MAX_BODY_BYTES, timeout_ms: deps.config.BODY_TIMEOUT_MS };
  const admit = [
    authenticate(deps.tokens, INGEST_ROLES),
    requireEncodedJson,
    readWait(deps),
    requestLimit(deps),
  ] as const;
  const memory = new BodyMemory(BODIES_IN_WORK * bounds.max_bytes);
  app.post(PATH, describe, ...admit, async (c) => {
    const hold = memory.open();
    const acceptance = await acceptRequest(deps, c, () => receiveBody(c, bounds, hold)).finally(() =>
      hold.release(),
    );
    return accepted(deps, c, acceptance);
  });
}

/**
 * Take the request's batch in, at most once for its Idempotency-Key.
 * @throws {ProblemError} see `acceptOnce`, `receiveBody` and `acceptBatch`
 * @throws {StreamUnavailableError}
 */
async function acceptRequest(
  deps: RouteDeps,
  c: Context<AppEnv>,
  receive: () => Promise<Uint8Array>,
): Promise<Acceptance> {
  const key = idempotencyKeyFrom(c.req.header("Idempotency-Key"));
  if (key === undefined) return { job_id: await acceptBatch(deps, c, await receive()), replayed: false };
  return acceptOnce(deps.idempotency, deps.log, {
    user_id: c.get("claims").sub,
    key,
    receive,
    accept: (body, idempotency) => acceptBatch(deps, c, body, idempotency),
  });
}

/**
 * Check the envelope, take the readings from the budget, and put the batch into the stream.
 * @returns the id of the job
 * @throws {ProblemError} malformed-*, invalid-request, rate-limited, backlog-full
 * @throws {StreamUnavailableError}
 */
async function acceptBatch(
  deps: RouteDeps,
  c: Context<AppEnv>,
  body: Uint8Array,
  idempotency?: BatchOffer["idempotency"],
): Promise<string> {
  const received_at_ms = deps.clock.now_ms();
  const { system_id, readings } = checkEnvelope(parseJson(body));
  const claims = c.get("claims");
  await takeReadings(deps, claims, readings.length);
  const outcome = await deps.producer.offer({
    system_id: system_id.toLowerCase(),
    user_id: claims.sub,
    request_id: c.get("request_id"),
    total_readings: readings.length,
    received_at_ms,
    body,
    ...(idempotency ? { idempotency } : {}),
  });
  if (outcome.kind === "accepted") return outcome.job_id;
  throw new ProblemError("backlog-full", {
    headers: { "Retry-After": String(RETRY_AFTER_BACKLOG_S) },
    operator: `the backlog's bound of ${outcome.bound} is reached`,
  });
}

/** The job when the client waits for its end and it comes in time; else where to ask for it. */
async function accepted(
  deps: RouteDeps,
  c: Context<AppEnv>,
  { job_id, replayed }: Acceptance,
): Promise<Response> {
  c.set("job_id", job_id);
  if (replayed) c.header("Idempotent-Replayed", "true");
  const job = await awaited(deps, c, job_id);
  const address = `/api/v1/jobs/${job_id}/`;
  if (job) return c.json(toJobView(job), 200, { "Content-Location": address, "Cache-Control": "no-store" });
  return c.json({ job_id, status: "queued" }, 202, { Location: address, "Retry-After": "1" });
}
