/**
 * One HTTP exchange that ends: attempts with a timeout each, retries with back-off, one deadline over all.
 * What is sent must be safe to send twice; ingest carries an Idempotency-Key for that.
 */
import { RetriesExhaustedError, StoppedError } from "./errors.ts";
import { Backoff, type Surroundings } from "./time.ts";

/** All in ms. */
export interface RetryPolicy {
  /** One attempt, from connecting to the last byte of the answer. */
  readonly attempt_timeout_ms: number;
  /** All attempts and the waits between them; Infinity never gives up. */
  readonly deadline_ms: number;
  /** Upper bound of the first wait; it doubles from wait to wait. */
  readonly first_backoff_ms: number;
  readonly max_backoff_ms: number;
}

export interface Outgoing {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** For messages: "batch 17", "job 0197…". */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** An answer that would be sent again otherwise, but can never become another. */
  readonly isFinal?: (answer: Answer) => boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** What an exchange needs of the world. */
export interface Wire {
  readonly retry: RetryPolicy;
  readonly surroundings: Surroundings;
  readonly fetch: typeof fetch;
  /** Told before each wait: `connection`, `timeout` or the status. */
  readonly retried: (why: string) => void;
}

type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "fault"; readonly fault: "connection" | "timeout"; readonly cause: unknown };

/**
 * The first answer that is final. Sent again: lost connections, timeouts, 408, 429, every 5xx, and 409 with a
 * Retry-After (the same Idempotency-Key is in flight). Retry-After is obeyed, up to an hour; when it points beyond
 * the deadline there is no waiting for it.
 * @throws {RetriesExhaustedError} at the deadline
 * @throws {StoppedError} when the signal fires
 */
export async function exchange(outgoing: Outgoing, wire: Wire): Promise<Answer> {
  const { retry, surroundings } = wire;
  const { clock, sleep } = surroundings;
  const deadline = clock.monotonic_ms() + retry.deadline_ms;
  const backoff = new Backoff(retry.first_backoff_ms, retry.max_backoff_ms, surroundings.random);
  for (let attempt = 1; ; attempt += 1) {
    const left_ms = deadline - clock.monotonic_ms();
    const timeout_ms = Math.max(1, Math.min(retry.attempt_timeout_ms, left_ms));
    const outcome = await attemptOnce(outgoing, timeout_ms, wire.fetch);
    if (outcome.kind === "answer") {
      if (!isPassing(outcome.answer) || outgoing.isFinal?.(outcome.answer)) return outcome.answer;
    }
    const why = outcome.kind === "answer" ? String(outcome.answer.status) : outcome.fault;
    const asked_ms = retryAfter_ms(outcome, clock.now_ms());
    const wait_ms = Math.max(backoff.next_ms(), asked_ms);
    if (clock.monotonic_ms() + wait_ms >= deadline) {
      const cause = outcome.kind === "fault" ? outcome.cause : undefined;
      throw new RetriesExhaustedError(outgoing.what, attempt, retry.deadline_ms, why, asked_ms, cause);
    }
    wire.retried(why);
    await sleep(wait_ms, outgoing.signal);
    if (outgoing.signal?.aborted) throw new StoppedError();
  }
}

function isPassing({ status, headers }: Answer): boolean {
  return status === 408 || status === 429 || status >= 500 || (status === 409 && headers.has("retry-after"));
}

async function attemptOnce(outgoing: Outgoing, timeout_ms: number, send: typeof fetch): Promise<Outcome> {
  if (outgoing.signal?.aborted) throw new StoppedError();
  const attempt = new AbortController();
  let timed_out = false;
  const timer = setTimeout(() => {
    timed_out = true;
    attempt.abort();
  }, timeout_ms);
  const stop = () => attempt.abort();
  outgoing.signal?.addEventListener("abort", stop, { once: true });
  try {
    const response = await send(outgoing.url, {
      method: outgoing.method,
      headers: outgoing.headers,
      redirect: "manual",
      signal: attempt.signal,
      ...(outgoing.body === undefined ? {} : { body: outgoing.body }),
    });
    const text = await boundedText(response, attempt);
    return { kind: "answer", answer: { status: response.status, headers: response.headers, text } };
  } catch (cause) {
    if (outgoing.signal?.aborted) throw new StoppedError();
    return { kind: "fault", fault: timed_out ? "timeout" : "connection", cause };
  } finally {
    clearTimeout(timer);
    outgoing.signal?.removeEventListener("abort", stop);
  }
}

/** The service's largest page is far below; what is longer is not from it, and must not fill the memory. */
const MAX_ANSWER_BYTES = 16_777_216;

/** @throws {Error} when there is more than the bound: the rest is not read */
async function boundedText(response: Response, attempt: AbortController): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) {
      const error = new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
      attempt.abort(error);
      throw error;
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What an answer asks to wait, at most: longer is a slip of some proxy's clock, or is asked again by then, ms. */
const MAX_ASKED_MS = 3_600_000;

function retryAfter_ms(outcome: Outcome, now_ms: number): number {
  if (outcome.kind === "fault") return 0;
  const { headers } = outcome.answer;
  // A time of the answer's clock, which need not be this machine's.
  const said_ms = Date.parse(headers.get("date") ?? "");
  const asked_ms = parseRetryAfter_ms(headers.get("retry-after"), Number.isNaN(said_ms) ? now_ms : said_ms);
  return Math.min(MAX_ASKED_MS, asked_ms);
}

/** Retry-After (RFC 9110 section 10.2.3): seconds or an HTTP-date; 0 when missing or not understood. */
export function parseRetryAfter_ms(header: string | null, now_ms: number): number {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // An HTTP-date begins with the name of a day; Date.parse alone would also take "5".
  const date_ms = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date_ms) ? 0 : Math.max(0, date_ms - now_ms);
}
