/** `POST /api/v1/data/ingest`: takes a batch into the stream. Never touches Postgres. */
import { Type } from "@sinclair/typebox";
import type { Context } from "hono";
import { describeRoute } from "hono-openapi";
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
import { BATCH_EXAMPLE, JOB_ID_EXAMPLE } from "../openapi/examples.ts";
import { ok, problems, RATE_LIMIT_HEADERS } from "../openapi/responses.ts";
import { ProblemError, RETRY_AFTER_BACKLOG_S } from "../problem-error.ts";

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

const describe = describeRoute({
  tags: ["Ingest"],
  summary: "Send a batch of readings",
  description:
    "The batch is accepted as a whole and processed later: poll the job at `Location`. Bad readings in a good " +
    "envelope are accepted too, and end in quarantine. The body may be compressed (gzip, deflate).",
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
  ],
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(BatchSchema), example: BATCH_EXAMPLE } },
  },
  responses: {
    202: ok("The batch is safe in the stream", AcceptedSchema, { job_id: JOB_ID_EXAMPLE, status: "queued" }, [
      "Location",
      "Retry-After",
      "Idempotent-Replayed",
      ...RATE_LIMIT_HEADERS,
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
  const admit = [authenticate(deps.tokens, INGEST_ROLES), requireEncodedJson, requestLimit(deps)] as const;
  const memory = new BodyMemory(BODIES_IN_WORK * bounds.max_bytes);
  app.post(PATH, describe, ...admit, async (c) => {
    const hold = memory.open();
    try {
      return accepted(c, await acceptRequest(deps, c, () => receiveBody(c, bounds, hold)));
    } finally {
      hold.release();
    }
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

function accepted(c: Context<AppEnv>, { job_id, replayed }: Acceptance): Response {
  c.set("job_id", job_id);
  c.header("Location", `/api/v1/jobs/${job_id}/`);
  c.header("Retry-After", "1");
  if (replayed) c.header("Idempotent-Replayed", "true");
  return c.json({ job_id, status: "queued" }, 202);
}
