/** One request and what became of it. Nothing is sent again by itself, so that what is not known stays known as such. */
import { type Answer, Connection } from "../bench/http-connection.ts";

export type Outcome =
  | { readonly kind: "accepted"; readonly job_id: string; readonly replayed: boolean }
  /** It is certainly not there. @see docs/http.md */
  | { readonly kind: "refused"; readonly status: number }
  /** It may be there; 0: no answer. */
  | { readonly kind: "unknown"; readonly status: number };

/** No request may take longer; what is asked of the service is far less. */
const REQUEST_DEADLINE_MS = 20_000;
const JOB = /\r\n(?:content-)?location: *\S*\/jobs\/([0-9a-f-]{36})/i;
const REPLAYED = /\r\nidempotent-replayed: *true/i;

/** An answer that no producer could make anything of. */
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
    let late: Timer | undefined;
    try {
      if (!this.#connection?.isOpen) this.#drop();
      this.#connection ??= await Connection.open("127.0.0.1", this.port());
      const connection = this.#connection;
      late = setTimeout(() => connection.reset(), REQUEST_DEADLINE_MS);
      const outcome = outcomeOf(await talk(connection));
      // 408 is the last word on its connection.
      if (outcome.kind === "refused") this.#drop();
      return outcome;
    } catch (error) {
      this.#drop();
      if (error instanceof OddAnswerError) throw error;
      return { kind: "unknown", status: 0 };
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
