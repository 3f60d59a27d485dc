/** One user of the service: logs in, renews the token, sends batches and follows their jobs. */
import { isTerminal } from "../contract/job.ts";
import {
  AcceptedAnswer,
  answerReader,
  JobAnswer,
  QuarantineAnswer,
  readProblem,
  TokenAnswer,
} from "./answers.ts";
import { JobDeadlineError, LoginRefusedError, RequestRefusedError, StoppedError } from "./errors.ts";
import { type Answer, exchange, type Outgoing, type RetryPolicy, type Surroundings } from "./http.ts";

export interface Account {
  readonly username: string;
  readonly password: string;
}

export interface ClientSettings {
  /** Scheme, host and port, without a last slash: `http://127.0.0.1:8000`. */
  readonly base_url: string;
  readonly account: Account;
  readonly retry: RetryPolicy;
  readonly surroundings: Surroundings;
}

export interface Acceptance {
  readonly job_id: string;
  /** The service had this batch before, under the same key; the job is the earlier one. */
  readonly replayed: boolean;
  /** From the first byte sent to the answer, of all attempts, ms. */
  readonly took_ms: number;
}

/** A token is renewed when this share of its life is left, at most a minute. */
const RENEW_AT_SHARE = 0.1;
const RENEW_AT_MAX_MS = 60_000;
const FIRST_POLL_MS = 20;
const MAX_POLL_MS = 1000;
const QUARANTINE_PAGE = 1000;

const readToken = answerReader(TokenAnswer);
const readAccepted = answerReader(AcceptedAnswer);
const readJob = answerReader(JobAnswer);
const readQuarantine = answerReader(QuarantineAnswer);

interface Token {
  readonly value: string;
  readonly renew_at_ms: number;
}

export class FeedClient {
  /** How often something was sent again, by cause: `connection`, `timeout` or a status. */
  readonly retries = new Map<string, number>();
  readonly #settings: ClientSettings;
  #token: Promise<Token> | null = null;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
  }

  get username(): string {
    return this.#settings.account.username;
  }

  /**
   * Log in ahead of the first request, so that a wrong password shows at once.
   * @throws {LoginRefusedError} {RetriesExhaustedError} {StoppedError}
   */
  async login(signal?: AbortSignal): Promise<void> {
    await this.#currentToken(signal);
  }

  /**
   * Offer one batch. Sent again after lost connections, 429 and 5xx: the key makes that harmless.
   * @param body JSON of the batch
   * @throws {RequestRefusedError} {RetriesExhaustedError} {LoginRefusedError} {UnexpectedAnswerError} {StoppedError}
   */
  async send(body: string, idempotency_key: string, what: string, signal?: AbortSignal): Promise<Acceptance> {
    const { clock } = this.#settings.surroundings;
    const begun_ms = clock.monotonic_ms();
    const answer = await this.#authorized({
      method: "POST",
      url: `${this.#settings.base_url}/api/v1/data/ingest`,
      headers: { "Content-Type": "application/json", "Idempotency-Key": idempotency_key },
      body,
      what,
      signal,
    });
    const took_ms = clock.monotonic_ms() - begun_ms;
    if (answer.status !== 202) throw refusal(what, answer);
    const replayed = answer.headers.get("idempotent-replayed") === "true";
    return { job_id: readAccepted(answer.text, what).job_id, replayed, took_ms };
  }

  /** @throws {RequestRefusedError} {RetriesExhaustedError} {UnexpectedAnswerError} {StoppedError} */
  async job(job_id: string, signal?: AbortSignal): Promise<JobAnswer> {
    return readJob(await this.#get(`/api/v1/jobs/${job_id}/`, `job ${job_id}`, signal), `job ${job_id}`);
  }

  /**
   * Poll a job until it is completed or failed, at growing intervals.
   * @throws {JobDeadlineError} and what `job` throws
   */
  async awaitJob(job_id: string, deadline_ms: number, signal?: AbortSignal): Promise<JobAnswer> {
    const { clock, sleep } = this.#settings.surroundings;
    const begun_ms = clock.monotonic_ms();
    for (let wait_ms = FIRST_POLL_MS; ; wait_ms = Math.min(MAX_POLL_MS, wait_ms * 1.5)) {
      const job = await this.job(job_id, signal);
      if (isTerminal(job.status)) return job;
      if (clock.monotonic_ms() - begun_ms + wait_ms > deadline_ms) {
        throw new JobDeadlineError(job_id, job.status, deadline_ms);
      }
      await sleep(wait_ms, signal);
      if (signal?.aborted) throw new StoppedError();
    }
  }

  /**
   * One page of a job's quarantined readings in the order of the batch.
   * @param after last ordinal seen, or null for the first page
   */
  async quarantinePage(
    job_id: string,
    after: number | null,
    limit: number = QUARANTINE_PAGE,
    signal?: AbortSignal,
  ): Promise<QuarantineAnswer> {
    const what = `the quarantine of job ${job_id}`;
    const query = after === null ? `limit=${limit}` : `limit=${limit}&after=${after}`;
    return readQuarantine(await this.#get(`/api/v1/jobs/${job_id}/quarantine?${query}`, what, signal), what);
  }

  async #get(path: string, what: string, signal: AbortSignal | undefined): Promise<string> {
    const url = this.#settings.base_url + path;
    const answer = await this.#authorized({ method: "GET", url, headers: {}, what, signal });
    if (answer.status !== 200) throw refusal(what, answer);
    return answer.text;
  }

  /** With the current token; a 401 is answered once by a new login. */
  async #authorized(outgoing: Outgoing): Promise<Answer> {
    const first = await this.#currentToken(outgoing.signal);
    const answer = await this.#exchange(withToken(outgoing, first));
    if (answer.status !== 401) return answer;
    const second = await this.#currentToken(outgoing.signal, first);
    return this.#exchange(withToken(outgoing, second));
  }

  /** Requests that need a token at the same time share one login. `refused` is never handed out again. */
  async #currentToken(signal: AbortSignal | undefined, refused?: Token): Promise<Token> {
    const now_ms = this.#settings.surroundings.clock.monotonic_ms();
    const pending = this.#token;
    if (pending) {
      const token = await pending;
      if (token !== refused && now_ms < token.renew_at_ms) return token;
    }
    if (this.#token === pending) {
      const login = this.#login(signal);
      this.#token = login;
      login.catch(() => {
        if (this.#token === login) this.#token = null;
      });
    }
    return this.#token ?? this.#currentToken(signal, refused);
  }

  async #login(signal: AbortSignal | undefined): Promise<Token> {
    const { account, base_url, surroundings } = this.#settings;
    const what = `the login of "${account.username}"`;
    const answer = await this.#exchange({
      method: "POST",
      url: `${base_url}/api/v1/auth/login`,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username: account.username, password: account.password }),
      what,
      signal,
    });
    if (answer.status === 401 || answer.status === 403) {
      throw new LoginRefusedError(account.username, answer.status);
    }
    if (answer.status !== 200) throw refusal(what, answer);
    const { access_token, expires_in } = readToken(answer.text, what);
    const life_ms = expires_in * 1000;
    const margin_ms = Math.min(RENEW_AT_MAX_MS, life_ms * RENEW_AT_SHARE);
    return { value: access_token, renew_at_ms: surroundings.clock.monotonic_ms() + life_ms - margin_ms };
  }

  #exchange(outgoing: Outgoing): Promise<Answer> {
    const { retry, surroundings } = this.#settings;
    return exchange(outgoing, retry, surroundings, (why) => {
      this.retries.set(why, (this.retries.get(why) ?? 0) + 1);
    });
  }
}

function withToken(outgoing: Outgoing, token: Token): Outgoing {
  return { ...outgoing, headers: { ...outgoing.headers, Authorization: `Bearer ${token.value}` } };
}

function refusal(what: string, answer: Answer): RequestRefusedError {
  return new RequestRefusedError(what, answer.status, readProblem(answer.text));
}
