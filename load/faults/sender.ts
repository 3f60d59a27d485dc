/** One request and what became of it. Nothing is sent again by itself, so that what is not known stays known as such. */
import type { JobView } from "../../src/contract/job.ts";
import { type Answer, Connection, getRequest } from "../bench/http-connection.ts";
import { endText } from "./held.ts";

export type Outcome =
  | { readonly kind: "accepted"; readonly job_id: string; readonly replayed: boolean }
  /** It is certainly not there. @see docs/http.md */
  | { readonly kind: "refused"; readonly status: number }
  /** It may be there; 0: no answer. */
  | { readonly kind: "unknown"; readonly status: number };

/** No request may take longer; what is asked of the service is far less. */
const REQUEST_DEADLINE_MS = 20_000;
const JOB = /\r\n(?:content-)?location: *\S*\/jobs\/([0-9a-f-]{36})/i;
const CLOSING = /\r\nconnection: *close/i;
const REPLAYED = /\r\nidempotent-replayed: *true/i;

/** An answer that no producer could make anything of, or that contradicts what it was told before. */
export class OddAnswerError extends Error {
  override readonly name = "OddAnswerError";
}

/** 408: slow upload. 409: the key is in flight. Both say that nothing was taken from this request. */
const REFUSALS = new Set([408, 409]);

/** @throws {OddAnswerError} for an answer that a service at fault may not give either */
export function outcomeOf(answer: Answer): Outcome {
  const { status, head, body } = answer;
  if (status === 202 || status === 204) {
    const job_id = JOB.exec(head)?.[1];
    if (job_id === undefined) throw new OddAnswerError(`${status} without a job: ${head}`);
    return { kind: "accepted", job_id, replayed: REPLAYED.test(head) };
  }
  if (REFUSALS.has(status)) return { kind: "refused", status };
  if (status === 503) return { kind: "unknown", status };
  throw new OddAnswerError(`${status}: ${body.slice(0, 400)}`);
}

/** A connection to one API that is opened when it is needed, and again after it has failed. */
export class Sender {
  #connection: Connection | null = null;

  /** @param port asked each time: the way to an API */
  constructor(private readonly port: () => number) {}

  /** @throws {OddAnswerError} */
  send(request: Buffer): Promise<Outcome> {
    return this.exchange((connection) => connection.send(request));
  }

  /** @throws {OddAnswerError} */
  async exchange(talk: (connection: Connection) => Promise<Answer>): Promise<Outcome> {
    const answer = await this.#answer(talk);
    return answer === null ? { kind: "unknown", status: 0 } : outcomeOf(answer);
  }

  /** null: no answer came. */
  ask(request: Buffer): Promise<Answer | null> {
    return this.#answer((connection) => connection.send(request));
  }

  /**
   * Follow a job that was accepted. @returns its end as `endText` has it; null: it has not ended, or nobody can say
   * @throws {OddAnswerError} also when it is not known: an accepted job always is
   */
  async endOf(job_id: string, token: string): Promise<string | null> {
    const request = getRequest("127.0.0.1", `/api/v1/jobs/${job_id}`, token);
    const answer = await this.ask(request);
    if (answer === null || answer.status === 503) return null;
    if (answer.status !== 200)
      throw new OddAnswerError(`job ${job_id}: ${answer.status}: ${answer.body.slice(0, 400)}`);
    const job = JSON.parse(answer.body) as JobView;
    if (!job.is_completed) return null;
    return endText({
      status: job.status,
      total: job.total_readings,
      inserted: job.inserted_readings,
      duplicate: job.duplicate_readings,
      quarantined: job.quarantined_readings,
    });
  }

  /** null: none came. */
  async #answer(talk: (connection: Connection) => Promise<Answer>): Promise<Answer | null> {
    let late: Timer | undefined;
    try {
      if (!this.#connection?.isOpen) this.#drop();
      this.#connection ??= await Connection.open("127.0.0.1", this.port());
      const connection = this.#connection;
      late = setTimeout(() => connection.reset(), REQUEST_DEADLINE_MS);
      const answer = await talk(connection);
      if (CLOSING.test(answer.head)) this.#drop();
      return answer;
    } catch {
      this.#drop();
      return null;
    } finally {
      clearTimeout(late);
    }
  }

  close(): void {
    this.#drop();
  }

  #drop(): void {
    this.#connection?.reset();
    this.#connection = null;
  }
}
