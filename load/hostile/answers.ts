/** Takes apart what a server answers on one connection (RFC 9112): any number of answers, one behind the other. */

const HEAD_END = "\r\n\r\n";
const LAST_CHUNK = /(?:^|\r\n)0[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n/;

export interface Answer {
  readonly status: number;
  /** The server closes the connection behind it. */
  readonly closes: boolean;
  /** Events without an end: nothing can follow on this connection. */
  readonly endless: boolean;
}

export class Answers {
  #received = "";
  #count = 0;

  /** @param isHead whether the `n`th answer, from 0, is one to HEAD, which has no body */
  constructor(private readonly isHead: (n: number) => boolean = () => false) {}

  /** The answers that are whole with these bytes; interim ones (1xx) are passed over. */
  take(chunk: Buffer): Answer[] {
    this.#received += chunk.toString("latin1");
    const whole: Answer[] = [];
    for (let answer = this.#next(); answer !== null; answer = this.#next()) {
      if (answer.status >= 200) {
        whole.push(answer);
        this.#count += 1;
      }
    }
    return whole;
  }

  /** What came and is no whole answer. */
  get rest(): string {
    return this.#received;
  }

  #next(): Answer | null {
    const end = this.#received.indexOf(HEAD_END);
    if (end < 0) return null;
    const head = this.#received.slice(0, end);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? Number.NaN);
    const header = (name: string) => new RegExp(`\\r\\n${name}: *([^\\r\\n]*)`, "i").exec(head)?.[1];
    const answer: Answer = {
      status,
      closes: /close/i.test(header("connection") ?? ""),
      endless: /^text\/event-stream/i.test(header("content-type") ?? "") && !this.isHead(this.#count),
    };
    const from = end + HEAD_END.length;
    const length = this.#bodyLength(status, from, header);
    if (length === null && !answer.endless) return null;
    this.#received = answer.endless ? "" : this.#received.slice(from + length!);
    return answer;
  }

  /** null: it is not whole. */
  #bodyLength(status: number, from: number, header: (name: string) => string | undefined): number | null {
    if (status < 200 || status === 204 || status === 304 || this.isHead(this.#count)) return 0;
    if (/chunked/i.test(header("transfer-encoding") ?? "")) {
      const last = LAST_CHUNK.exec(this.#received.slice(from));
      return last === null ? null : last.index + last[0].length;
    }
    const length = Number(header("content-length") ?? 0);
    return this.#received.length - from < length ? null : length;
  }
}
