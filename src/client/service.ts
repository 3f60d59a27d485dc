/** The service's HTTP API as one account sees it: batches in, jobs and their quarantine out. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { readAccepted, readJob, readProblem, readQuarantine } from "./answers.ts";
import { type Auth, type CredentialHeaders, type Credentials, credentialsOf } from "./credentials.ts";
import { JobDeadlineError, RequestRefusedError, StoppedError } from "./errors.ts";
import { type Answer, exchange, type Outgoing, type RetryPolicy } from "./exchange.ts";
import type { Surroundings } from "./time.ts";
import type { Acceptance, Job, QuarantinePage } from "./types.ts";

export interface ServiceSettings {
  /** Scheme, host, port and perhaps a path, without a last slash. */
  readonly base_url: string;
  readonly auth: Auth;
  readonly retry: RetryPolicy;
  readonly surroundings: Surroundings;
  readonly fetch: typeof fetch;
  /** Bodies from this size on are sent as gzip, bytes; Infinity for none. */
  readonly compress_above_bytes: number;
}

/** One batch on the wire. */
export interface Sending {
  /** JSON of the batch. */
  readonly body: string;
  readonly idempotency_key: string;
  /** For messages. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** How many readings it has: a limit below that refuses it for good. */
  readonly readings?: number;
  /** How long the service shall wait for the job's end before it answers, s; an older one answers at once. */
  readonly wait_s?: number;
}

const FIRST_POLL_MS = 20;
const MAX_POLL_MS = 1000;
/** JSON of readings is compressed nearly as well as at the default level, at a third of the work. */
const GZIP_LEVEL = 3;
/** Windows of budgets are a minute. Some gateways say a moment where seconds are meant: that must not stop the client. */
const LONGEST_WINDOW_MS = 300_000;
const compress = promisify(gzip);

export class Service {
  /** How often something was sent again, by cause: `connection`, `timeout` or a status. */
  readonly retries = new Map<string, number>();
  /** By what the service said of its budgets (RateLimit-Remaining, RateLimit-Reset), no batch fits in before then, ms. */
  open_at_ms = 0;
  /** Why something was last sent again, or null. */
  last_trouble: string | null = null;
  readonly #settings: ServiceSettings;
  readonly #credentials: Credentials;

  constructor(settings: ServiceSettings) {
    this.#settings = settings;
    this.#credentials = credentialsOf(settings.auth, {
      base_url: settings.base_url,
      monotonic_ms: settings.surroundings.clock.monotonic_ms,
      exchange: (outgoing) => this.#exchange(outgoing),
    });
  }

  /** @throws {LoginRefusedError} {RequestRefusedError} {RetriesExhaustedError} {StoppedError} */
  async login(signal?: AbortSignal): Promise<void> {
    await this.#credentials.headers(signal);
  }

  /** @throws {RequestRefusedError} {RetriesExhaustedError} {LoginRefusedError} {UnexpectedAnswerError} {StoppedError} */
  async send({ body, idempotency_key, what, signal, readings, wait_s }: Sending): Promise<Acceptance> {
    const { clock } = this.#settings.surroundings;
    const begun_ms = clock.monotonic_ms();
    const compressed = body.length >= this.#settings.compress_above_bytes;
    const answer = await this.#authorized({
      method: "POST",
      url: `${this.#settings.base_url}/api/v1/data/ingest`,
      headers: {
        "Content-Type": "application/json",
        "Idempotency-Key": idempotency_key,
        ...(compressed ? { "Content-Encoding": "gzip" } : {}),
        ...(wait_s === undefined ? {} : { Prefer: `wait=${wait_s}` }),
      },
      body: compressed ? await compress(body, { level: GZIP_LEVEL }) : body,
      what,
      signal,
      isFinal: (refused) => isBeyondBudget(refused, readings),
    });
    const took_ms = clock.monotonic_ms() - begun_ms;
    this.#heedRateLimit(answer.headers);
    if (answer.status !== 202 && answer.status !== 200) throw refusal(what, answer);
    const replayed = answer.headers.get("idempotent-replayed") === "true";
    const job = answer.status === 200 ? readJob(answer.text, what) : null;
    return { job_id: job?.job_id ?? readAccepted(answer.text, what).job_id, replayed, took_ms, job };
  }

  /** @throws {RequestRefusedError} {RetriesExhaustedError} {LoginRefusedError} {UnexpectedAnswerError} {StoppedError} */
  async job(job_id: string, signal?: AbortSignal): Promise<Job> {
    const what = `job ${job_id}`;
    return readJob(await this.#get(`/api/v1/jobs/${encodeURIComponent(job_id)}/`, what, signal), what);
  }

  /** Poll a job at growing intervals until it has ended. @throws {JobDeadlineError} and what `job` throws */
  async waitForJob(job_id: string, deadline_ms: number, signal?: AbortSignal): Promise<Job> {
    const { clock, sleep } = this.#settings.surroundings;
    const begun_ms = clock.monotonic_ms();
    for (let wait_ms = FIRST_POLL_MS; ; wait_ms = Math.min(MAX_POLL_MS, wait_ms * 1.5)) {
      const job = await this.job(job_id, signal);
      if (job.status === "completed" || job.status === "failed") return job;
      if (clock.monotonic_ms() - begun_ms + wait_ms > deadline_ms) {
        throw new JobDeadlineError(job_id, job.status, deadline_ms);
      }
      await sleep(wait_ms, signal);
      if (signal?.aborted) throw new StoppedError();
    }
  }

  /** @param after last ordinal seen, or null for the first page */
  async quarantinePage(
    job_id: string,
    after: number | null,
    limit: number,
    signal?: AbortSignal,
  ): Promise<QuarantinePage> {
    const what = `the quarantine of job ${job_id}`;
    const query = after === null ? `limit=${limit}` : `limit=${limit}&after=${after}`;
    const path = `/api/v1/jobs/${encodeURIComponent(job_id)}/quarantine?${query}`;
    return readQuarantine(await this.#get(path, what, signal), what);
  }

  async #get(path: string, what: string, signal: AbortSignal | undefined): Promise<string> {
    const url = this.#settings.base_url + path;
    const answer = await this.#authorized({ method: "GET", url, headers: {}, what, signal });
    if (answer.status !== 200) throw refusal(what, answer);
    return answer.text;
  }

  /** With the credentials of now; a 401 is answered once by new ones, where there are any. */
  async #authorized(outgoing: Outgoing): Promise<Answer> {
    const credentials = this.#credentials;
    const first = await credentials.headers(outgoing.signal);
    const answer = await this.#exchange(signed(outgoing, first));
    if (answer.status !== 401 || !credentials.renewable) return answer;
    return this.#exchange(signed(outgoing, await credentials.headers(outgoing.signal, first)));
  }

  async #exchange(outgoing: Outgoing): Promise<Answer> {
    const { retry, surroundings, fetch } = this.#settings;
    const retried = (why: string) => {
      this.last_trouble = why;
      this.retries.set(why, (this.retries.get(why) ?? 0) + 1);
    };
    const answer = await exchange(outgoing, { retry, surroundings, fetch, retried });
    this.last_trouble = null;
    return answer;
  }

  /** A budget that is used up, of requests or of readings, is not knocked at until it is filled again. */
  #heedRateLimit(headers: Headers): void {
    const now_ms = this.#settings.surroundings.clock.monotonic_ms();
    for (const budget of ["ratelimit", "ratelimit-readings"]) {
      const reset_s = Number(headers.get(`${budget}-reset`) ?? Number.NaN);
      if (headers.get(`${budget}-remaining`) !== "0" || !(reset_s > 0)) continue;
      this.open_at_ms = Math.max(this.open_at_ms, now_ms + Math.min(reset_s * 1000, LONGEST_WINDOW_MS));
    }
  }
}

/** No minute's budget of readings is as large as this batch: waiting does not help. */
function isBeyondBudget({ status, headers }: Answer, readings: number | undefined): boolean {
  if (status !== 429 || readings === undefined) return false;
  const limit = headers.get("ratelimit-readings-limit");
  return limit !== null && Number(limit) < readings;
}

function signed(outgoing: Outgoing, credentials: CredentialHeaders): Outgoing {
  return { ...outgoing, headers: { ...outgoing.headers, ...credentials } };
}

function refusal(what: string, answer: Answer): RequestRefusedError {
  return new RequestRefusedError(what, answer.status, readProblem(answer.text));
}
