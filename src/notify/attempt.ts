/** One attempt at a delivery, and what follows from its end. */
import type { Attempt } from "../contract/webhook.ts";
import { TEST_EVENT } from "../contract/webhook-events.ts";
import { messageBody, messageId } from "../contract/webhook-message.ts";
import type { Clock } from "../ops/clock.ts";
import { NO_TRACER, type Span, type Tracer } from "../ops/trace.ts";
import { contextFields } from "../ops/trace-context.ts";
import type { DueDelivery, Outcome } from "../store/webhooks/dispatch.ts";
import { type Answer, NoAnswerError, type PostLimits, post } from "./post.ts";
import { MAX_PAUSE_MS, nextDelay_ms } from "./schedule.ts";
import { signedHeaders } from "./signature.ts";
import { TargetError, type Targets } from "./target.ts";

export interface AttemptDeps {
  readonly targets: Pick<Targets, "find">;
  readonly clock: Clock;
  readonly user_agent: string;
  /** Delays after each attempt; given up after the last. */
  readonly retry_delays_ms: readonly number[];
  /** Each attempt is a trace that the receiver may go on with. */
  readonly tracer?: Pick<Tracer, "begin">;
}

const GONE = 410;
/** Answers of receivers that have too much to do. */
const BUSY = new Set([429, 502, 503, 504]);

/** Never rejects, but when `limits.signal` gives the attempt up: then nothing is known, and it is made again. */
export async function attempt(
  deps: AttemptDeps,
  delivery: DueDelivery,
  limits: PostLimits,
): Promise<Outcome | null> {
  const at_ms = deps.clock.now_ms();
  const begin_ms = deps.clock.monotonic_ms();
  const span = (deps.tracer ?? NO_TRACER).begin("POST", null, { kind: "client" });
  const ended = await outcomeOf(deps, delivery, at_ms, limits, span);
  if (ended === null) return null;
  const isGood = ended.answer !== null && ended.answer.status >= 200 && ended.answer.status < 300;
  const made: Attempt = {
    at: new Date(at_ms).toISOString(),
    status: ended.answer?.status ?? null,
    ms: Math.round(deps.clock.monotonic_ms() - begin_ms),
    error: isGood ? null : (ended.error ?? objectionTo(ended.answer!)),
    response: isGood ? null : (ended.answer?.excerpt ?? null),
  };
  endSpan(span, delivery, made);
  return { delivery, attempt: made, ...consequence(deps, delivery, ended.answer, isGood) };
}

/** In the words of OpenTelemetry's semantic conventions for HTTP clients; of the address no more than may be known. */
function endSpan(span: Span, { url, webhook_id, event, message_id }: DueDelivery, made: Attempt): void {
  if (span.recording) {
    const { origin, hostname } = new URL(url);
    span.set({
      "http.request.method": "POST",
      "http.response.status_code": made.status ?? undefined,
      "url.full": origin,
      "server.address": hostname,
      "hydraulic.webhook_id": webhook_id,
      "hydraulic.webhook_event": event,
      "hydraulic.message_id": message_id,
    });
  }
  if (made.error !== null) span.fail(made.error, made.status === null ? undefined : String(made.status));
  span.end();
}

interface Ended {
  readonly answer: Answer | null;
  readonly error: string | null;
}

async function outcomeOf(
  { targets, user_agent }: AttemptDeps,
  delivery: DueDelivery,
  at_ms: number,
  limits: PostLimits,
  span: Span,
): Promise<Ended | null> {
  const { message_id, secrets, created_at } = delivery;
  try {
    const body = messageBody({ ...delivery, created_at: created_at.toISOString() });
    const signed = { id: messageId(message_id), timestamp_s: Math.floor(at_ms / 1000), body };
    const headers = {
      "Content-Type": "application/json",
      "User-Agent": user_agent,
      ...signedHeaders(secrets, signed),
      ...contextFields(span.context),
    };
    const target = await targets.find(delivery.url);
    return { answer: await post(target, { headers, body }, limits), error: null };
  } catch (error) {
    if (limits.signal.aborted) return null;
    if (error instanceof TargetError)
      return { answer: null, error: `the address is refused: ${error.message}` };
    if (error instanceof NoAnswerError) return { answer: null, error: error.message };
    return { answer: null, error: `it could not be sent: ${(error as Error).message}` };
  }
}

function objectionTo({ status }: Answer): string {
  if (status >= 300 && status < 400) return `it answered ${status}; redirects are not followed`;
  return `it answered ${status}`;
}

function consequence(
  { retry_delays_ms }: AttemptDeps,
  { event, attempts }: DueDelivery,
  answer: Answer | null,
  isGood: boolean,
): Pick<Outcome, "result" | "delay_ms" | "pause_ms"> {
  if (isGood) return { result: "delivered", delay_ms: null, pause_ms: 0 };
  const isTest = event === TEST_EVENT;
  if (answer?.status === GONE && !isTest) return { result: "gone", delay_ms: null, pause_ms: 0 };
  const asked_s = answer?.retry_after_s ?? null;
  const isBusy = answer !== null && BUSY.has(answer.status) && !isTest;
  const pause_ms = isBusy ? Math.min(MAX_PAUSE_MS, (asked_s ?? 0) * 1_000) : 0;
  const delay_ms = isTest ? null : nextDelay_ms(retry_delays_ms, attempts + 1, asked_s);
  return { result: delay_ms === null ? "given_up" : "retried", delay_ms, pause_ms };
}
