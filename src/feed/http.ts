/**
 * One HTTP exchange that ends: attempts with a timeout each, retries with back-off, one deadline over all.
 * What is sent must be safe to send twice; ingest carries an Idempotency-Key for that.
 */
import type { Clock } from "../ops/clock.ts";
import { Backoff } from "../ops/retry.ts";
import { RetriesExhaustedError, StoppedError } from "./errors.ts";

/** All in ms. */
export interface RetryPolicy {
  /** One attempt, from connecting to the last byte of the answer. */
  readonly attempt_timeout_ms: number;
  /** All attempts and the waits between them. */
  readonly deadline_ms: number;
  readonly first_backoff_ms: number;
  readonly max_backoff_ms: number;
}

/** Time and chance, injected. */
export interface Surroundings {
  readonly clock: Clock;
  readonly random: () => number;
  /** Resolves after `ms` or when the signal fires; see ops/retry. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface Outgoing {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For messages: "batch 17", "job 0197…". */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "fault"; readonly fault: "connection" | "timeout"; readonly cause: unknown };

/**
 * The first answer that is final. Sent again: lost connections, timeouts, 408, 429, every 5xx, and 409 with a
 * Retry-After (the same Idempotency-Key is in flight). Retry-After is obeyed; when it points beyond the
 * deadline there is no waiting for it.
 * @param retried told before each wait: `connection`, `timeout` or the status
 * @throws {RetriesExhaustedError} at the deadline
 * @throws {StoppedError} when the signal fires
 */
export async function exchange(
  outgoing: Outgoing,
  policy: RetryPolicy,
  surroundings: Surroundings,
  retried: (why: string) => void,
): Promise<Answer> {
  const { clock, sleep } = surroundings;
  const deadline = clock.monotonic_ms() + policy.deadline_ms;
  const backoff = new Backoff(policy.first_backoff_ms, policy.max_backoff_ms, surroundings.random);
  for (let attempt = 1; ; attempt += 1) {
    const left_ms = deadline - clock.monotonic_ms();
    const outcome = await attemptOnce(outgoing, Math.max(1, Math.min(policy.attempt_timeout_ms, left_ms)));
    if (outcome.kind === "answer" && !isPassing(outcome.answer)) return outcome.answer;
    const why = outcome.kind === "answer" ? String(outcome.answer.status) : outcome.fault;
    const wait_ms = Math.max(backoff.next_ms(), retryAfter_ms(outcome, clock.now_ms()));
    if (clock.monotonic_ms() + wait_ms >= deadline) {
      const cause = outcome.kind === "fault" ? outcome.cause : undefined;
      throw new RetriesExhaustedError(outgoing.what, attempt, policy.deadline_ms, why, cause);
    }
    retried(why);
    await sleep(wait_ms, outgoing.signal);
    if (outgoing.signal?.aborted) throw new StoppedError();
  }
}

function isPassing({ status, headers }: Answer): boolean {
  return status === 408 || status === 429 || status >= 500 || (status === 409 && headers.has("retry-after"));
}

async function attemptOnce(outgoing: Outgoing, timeout_ms: number): Promise<Outcome> {
  if (outgoing.signal?.aborted) throw new StoppedError();
  const attempt = new AbortController();
  const timer = setTimeout(() => attempt.abort(), timeout_ms);
  const stop = () => attempt.abort();
  outgoing.signal?.addEventListener("abort", stop, { once: true });
  try {
    const response = await fetch(outgoing.url, {
      method: outgoing.method,
      headers: outgoing.headers,
      redirect: "manual",
      signal: attempt.signal,
      ...(outgoing.body === undefined ? {} : { body: outgoing.body }),
    });
    const text = await response.text();
    return { kind: "answer", answer: { status: response.status, headers: response.headers, text } };
  } catch (cause) {
    if (outgoing.signal?.aborted) throw new StoppedError();
    return { kind: "fault", fault: attempt.signal.aborted ? "timeout" : "connection", cause };
  } finally {
    clearTimeout(timer);
    outgoing.signal?.removeEventListener("abort", stop);
  }
}

function retryAfter_ms(outcome: Outcome, now_ms: number): number {
  if (outcome.kind === "fault") return 0;
  return parseRetryAfter_ms(outcome.answer.headers.get("retry-after"), now_ms);
}

/** Retry-After (RFC 9110 section 10.2.3): seconds or an HTTP-date; 0 when missing or not understood. */
export function parseRetryAfter_ms(header: string | null, now_ms: number): number {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // An HTTP-date begins with the name of a day; Date.parse alone would also take "5".
  const date_ms = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date_ms) ? 0 : Math.max(0, date_ms - now_ms);
}
