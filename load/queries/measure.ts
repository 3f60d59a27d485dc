/** Asks the questions of a small and of a large database in turn, so that whatever disturbs hits both alike. */
import { WrongDataError } from "../../src/store/benchmark-tables.ts";
import { type Latency, latency } from "../../src/verify/benchmark/percentile.ts";
import type { Recording } from "../../src/verify/benchmark/recording.ts";
import { type Answer, QUESTIONS, type Question } from "./questions.ts";

/** A service over one database. */
export interface Asked {
  readonly origin: string;
  readonly token: string;
  readonly recording: Recording;
}

export interface Measured {
  readonly name: string;
  readonly counts: boolean;
  /** Rows and bytes of the last answer. */
  readonly rows: number;
  readonly body_bytes: number;
  readonly latency: Latency;
}

const DEADLINE_MS = 30_000;
/** Of each question, before anything is measured. */
const WARM_UP = 10;

/** From sending a request to the last byte of its answer, one request at a time. */
export async function measure(
  databases: readonly Asked[],
  requests: number,
  stop: AbortSignal,
): Promise<Measured[][]> {
  const sheets = databases.map((asked) => QUESTIONS.map((question) => new Sheet(asked, question)));
  for (let n = -WARM_UP; n < requests; n += 1) {
    for (const [which] of QUESTIONS.entries()) {
      // Neither database is always the one that is asked first.
      const turns = n % 2 === 0 ? sheets : sheets.toReversed();
      for (const sheet of turns) {
        stop.throwIfAborted();
        await sheet[which]!.ask(n + WARM_UP, n >= 0);
      }
    }
  }
  return sheets.map((sheet) => sheet.map((entry) => entry.result()));
}

class Sheet {
  readonly #durations_ms: number[] = [];
  #rows = 0;
  #bytes = 0;

  constructor(
    private readonly asked: Asked,
    private readonly question: Question,
  ) {}

  /** @throws {WrongDataError} when the answer is no answer */
  async ask(n: number, measured: boolean): Promise<void> {
    const { origin, token, recording } = this.asked;
    const url = origin + this.question.path(recording, n);
    const begin = performance.now();
    const answer = await fetch(url, {
      headers: { Authorization: `Bearer ${token}`, "Accept-Encoding": "identity" },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const body = new Uint8Array(await answer.arrayBuffer());
    const duration_ms = performance.now() - begin;
    const text = new TextDecoder().decode(body);
    if (!answer.ok) throw new WrongDataError(`${url}: ${answer.status} ${text.slice(0, 300)}`);
    const rows = this.question.rows(JSON.parse(text) as Answer);
    if (rows === 0) throw new WrongDataError(`${url}: no rows`);
    if (measured) this.#durations_ms.push(duration_ms);
    this.#rows = rows;
    this.#bytes = body.byteLength;
  }

  result(): Measured {
    const { name, counts } = this.question;
    return { name, counts, rows: this.#rows, body_bytes: this.#bytes, latency: latency(this.#durations_ms) };
  }
}
