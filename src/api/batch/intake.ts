/** The one way of a batch into the stream, whatever its format and the route it came by. Never touches Postgres. */
import type { ProblemName } from "../../contract/problem.ts";
import { reaches } from "../../contract/reach.ts";
import type { BatchOffer } from "../../stream/producer.ts";
import type { AppContext } from "../app-env.ts";
import { BodyMemory } from "../body/body-memory.ts";
import { receiveBody } from "../body/receive-body.ts";
import type { RouteDeps } from "../deps.ts";
import {
  type Acceptance,
  acceptOnce,
  idempotencyKeyFrom,
  keyInFlight,
  mayHaveWritten,
} from "../idempotency.ts";
import { giveReadingsBack, takeReadings } from "../limits/readings-limit.ts";
import { ProblemError, RETRY_AFTER_BACKLOG_S } from "../problem-error.ts";
import { type BatchForm, besideBody } from "./batch-form.ts";
import { BatchMetrics } from "./batch-metrics.ts";
import { envelopeOf } from "./envelope.ts";

/** Bodies of full size that may be in work at once; of usual batches these are hundreds. */
const BODIES_IN_WORK = 16;

/** Why a batch of any format may not be taken in, the way to its route included. */
export const INTAKE_PROBLEMS = [
  "malformed-encoding",
  "invalid-request",
  "invalid-idempotency-key",
  "authentication-required",
  "invalid-token",
  "forbidden",
  "cross-site-request",
  "system-not-found",
  "body-timeout",
  "idempotency-in-flight",
  "body-too-large",
  "unsupported-content-encoding",
  "idempotency-mismatch",
  "rate-limited",
  "backlog-full",
  "service-unavailable",
  "server-busy",
] as const satisfies readonly ProblemName[];

/**
 * Take the batch of an authenticated request in, at most once for its Idempotency-Key.
 * Throws {ProblemError} as `idempotencyKeyFrom`, `acceptOnce`, `receiveBody` and `offerBatch` do, and
 * {StreamUnavailableError}.
 */
export type TakeIn = (c: AppContext, form: BatchForm) => Promise<Acceptance>;

/** What every answer to an accepted batch has. @returns the address of its job */
export function noteAcceptance(c: AppContext, { job_id, replayed }: Acceptance): string {
  c.set("job_id", job_id);
  if (replayed) c.header("Idempotent-Replayed", "true");
  return `/api/v1/jobs/${job_id}/`;
}

/** All routes share it, and so the memory that bodies may take. */
export function batchIntake(deps: RouteDeps): TakeIn {
  const {
    MAX_BODY_BYTES: max_bytes,
    MAX_COMPRESSION_RATIO: max_ratio,
    BODY_TIMEOUT_MS: timeout_ms,
  } = deps.config;
  const bounds = { max_bytes, max_ratio, timeout_ms };
  const memory = new BodyMemory(BODIES_IN_WORK * bounds.max_bytes);
  const counted = { ...deps, accepted: new BatchMetrics(deps.metrics) };
  return async (c, form) => {
    const hold = memory.open();
    const receive = () => receiveBody(c, bounds, hold);
    try {
      const key = idempotencyKeyFrom(c.req.header("Idempotency-Key"));
      if (key === undefined) {
        return { job_id: await offerBatch(counted, c, form, await receive()), replayed: false };
      }
      return await acceptOnce(deps.idempotency, deps.log, {
        user_id: c.get("claims").sub,
        key,
        beside: besideBody(form),
        receive,
        accept: (body, idempotency) => offerBatch(counted, c, form, body, idempotency),
      });
    } finally {
      hold.release();
    }
  };
}

/**
 * Check the envelope, take the readings from the budget, and put the batch into the stream.
 * @returns the id of the job
 * @throws {ProblemError} malformed-*, invalid-request, body-too-large, system-not-found, rate-limited,
 *   idempotency-in-flight, backlog-full
 * @throws {StreamUnavailableError}
 */
async function offerBatch(
  deps: RouteDeps & { readonly accepted: BatchMetrics },
  c: AppContext,
  form: BatchForm,
  body: Uint8Array,
  idempotency?: BatchOffer["idempotency"],
): Promise<string> {
  const received_at_ms = deps.clock.now_ms();
  const { system_id, total_readings } = envelopeOf(form, body);
  const claims = c.get("claims");
  // The same answer whether there is such a system or not: what is out of reach does not exist.
  if (!reaches(claims.systems, system_id)) throw invalidSystem(system_id);
  const taken = await takeReadings(deps, c, total_readings, form.format);
  const meta = {
    system_id,
    user_id: claims.sub,
    request_id: c.get("request_id"),
    total_readings,
    received_at_ms,
  };
  try {
    const job_id = await putIntoStream(deps, {
      ...meta,
      format: form.format,
      ...(form.format === "line" ? { precision: form.precision } : {}),
      body,
      span: c.get("span"),
      ...(idempotency ? { idempotency } : {}),
    });
    deps.recentBatches.note({ job_id, ...meta });
    deps.accepted.count(form.format, total_readings);
    return job_id;
  } catch (error) {
    if (!mayHaveWritten(error)) await giveReadingsBack(deps, c, total_readings, taken);
    throw error;
  }
}

/** @throws {ProblemError} idempotency-in-flight, backlog-full @throws {StreamUnavailableError} */
async function putIntoStream({ producer }: Pick<RouteDeps, "producer">, batch: BatchOffer): Promise<string> {
  const outcome = await producer.offer(batch);
  if (outcome.kind === "accepted") return outcome.job_id;
  if (outcome.kind === "overtaken") throw keyInFlight();
  throw new ProblemError("backlog-full", {
    headers: { "Retry-After": String(RETRY_AFTER_BACKLOG_S) },
    operator: `the backlog's bound of ${outcome.bound} is reached`,
  });
}

function invalidSystem(system_id: string): ProblemError {
  const detail = `This credential is limited to systems, and ${system_id} is none of them.`;
  return new ProblemError("system-not-found", { detail, errors: [{ pointer: "/system_id", detail }] });
}
