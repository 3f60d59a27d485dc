/** Producers that note every 202 and try again after everything else, as a rig that must not lose a reading does. */
import type { Batch } from "./batches.ts";

export interface LoadSettings {
  /** Asked before each request: after a restart the API may be elsewhere. */
  readonly url: () => string;
  readonly token: string;
  readonly next: () => Batch;
  readonly lanes: number;
  /** Batches a second at most, all lanes together. */
  readonly rate: number;
}

/** One answer, or the lack of one. */
export interface Answer {
  /** 0: the connection was lost or refused. */
  readonly status: number;
  readonly at_ms: number;
  readonly took_ms: number;
  readonly retry_after: string | null;
  readonly content_type: string | null;
}

/** No request may take longer, whatever is down. */
const REQUEST_DEADLINE_MS = 30_000;
/** Waiting before another try, ms. */
const AGAIN_MS = 100;
/** All batches must be accepted so long after the load ends. */
const FINISH_DEADLINE_MS = 90_000;

export class Load {
  readonly accepted = new Map<string, Batch>();
  readonly answers: Answer[] = [];
  #stopping = false;
  #started = 0;
  readonly #begin_ms = performance.now();
  readonly #lanes: Promise<void>;
  #failure: unknown = null;

  constructor(private readonly settings: LoadSettings) {
    this.#lanes = Promise.all(Array.from({ length: settings.lanes }, () => this.#lane()))
      .then(() => undefined)
      .catch((error) => {
        this.#failure = error;
      });
  }

  /** Send nothing new, and go on until each batch begun has its 202. @throws what a lane threw */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#lanes;
    if (this.#failure !== null) throw this.#failure;
  }

  count(status: number, since_ms = 0, until_ms = Number.POSITIVE_INFINITY): number {
    return this.answers.filter((a) => a.status === status && a.at_ms >= since_ms && a.at_ms <= until_ms)
      .length;
  }

  get slowest_ms(): number {
    return Math.max(0, ...this.answers.map((a) => a.took_ms));
  }

  async #lane(): Promise<void> {
    const { rate, next } = this.settings;
    while (!this.#stopping) {
      const due_ms = this.#begin_ms + (this.#started++ * 1000) / rate;
      const wait_ms = due_ms - performance.now();
      if (wait_ms > 0) await Bun.sleep(wait_ms);
      await this.#deliver(next());
    }
  }

  async #deliver(batch: Batch): Promise<void> {
    let end = Number.POSITIVE_INFINITY;
    for (;;) {
      if (await this.#send(batch)) return;
      if (this.#stopping) end = Math.min(end, performance.now() + FINISH_DEADLINE_MS);
      if (performance.now() > end)
        throw new Error(`a batch is not accepted: ${JSON.stringify(this.answers.slice(-5))}`);
      await Bun.sleep(AGAIN_MS);
    }
  }

  /** True when the batch has its 202. @throws {Error} at an answer that no producer could live with */
  async #send(batch: Batch): Promise<boolean> {
    const begin = performance.now();
    let response: Response | null = null;
    let job_id = "";
    try {
      response = await postBatch(this.settings.url(), this.settings.token, batch);
      const answer = (await response.json()) as { job_id?: string };
      job_id = answer.job_id ?? "";
    } catch (error) {
      if ((error as Error).name === "TimeoutError") throw new Error("a request hung", { cause: error });
      response = null;
    }
    this.answers.push({
      status: response?.status ?? 0,
      at_ms: performance.now(),
      took_ms: performance.now() - begin,
      retry_after: response?.headers.get("Retry-After") ?? null,
      content_type: response?.headers.get("Content-Type") ?? null,
    });
    if (response?.status === 202) {
      this.accepted.set(job_id, batch);
      return true;
    }
    // 409: the key's first request is still in flight, or died with its process. 500 and others are our own faults.
    if (response && ![409, 503].includes(response.status)) throw new Error(`answered ${response.status}`);
    return false;
  }
}

/** One request, never longer than its deadline; without an Idempotency-Key when the batch's is "". */
export function postBatch(url: string, token: string, batch: Pick<Batch, "key" | "body">): Promise<Response> {
  return fetch(`${url}/api/v1/data/ingest`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${token}`,
      ...(batch.key === "" ? {} : { "Idempotency-Key": batch.key }),
    },
    body: batch.body,
    signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
  });
}

/** A token of one of the development users whose limits are out of the way. */
export const loginFeeder = (url: string): Promise<string> => login(url, "feeder-1");

/** A token of a development user. */
export async function login(url: string, username: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password: "password" }),
    signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
  });
  if (response.status !== 200) throw new Error(`login answered ${response.status}`);
  return ((await response.json()) as { access_token: string }).access_token;
}
