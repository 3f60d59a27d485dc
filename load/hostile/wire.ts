/** Sends the bytes of a hostile request as they are, with pauses and ends that no client of HTTP would make. */
import type { Socket } from "bun";
import { type Answer, Answers } from "./answers.ts";
import type { HostileCase, Piece } from "./case.ts";

/** What came of one case. */
export interface Outcome {
  readonly statuses: readonly number[];
  /** By the server, or because of what the case asked for. */
  readonly closed: boolean;
  /** The server neither answered nor closed in time. */
  readonly hung: boolean;
  readonly took_ms: number;
}

/** One connection. Cases that leave it as it was can share it. */
export class Wire {
  #socket: Socket<undefined> | undefined;
  #unsent: Buffer = Buffer.alloc(0);
  #answers = new Answers();
  #got: Answer[] = [];
  #closed = false;
  #change: PromiseWithResolvers<void> | undefined;

  static async open(port: number): Promise<Wire> {
    const wire = new Wire();
    wire.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      allowHalfOpen: true,
      socket: {
        data: (_socket, chunk) => {
          wire.#got.push(...wire.#answers.take(chunk));
          wire.#changed();
        },
        drain: () => wire.#flush(),
        end: () => wire.#close(),
        close: () => wire.#close(),
        error: () => wire.#close(),
      },
    });
    return wire;
  }

  /** What came and is no whole answer, to look into. */
  get received(): string {
    return this.#answers.rest;
  }

  /** Nothing can be sent here any more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Send a case and wait for its answers. @param deadline_ms from the last byte on */
  async run({ pieces, end, answers: wanted, isHead }: HostileCase, deadline_ms: number): Promise<Outcome> {
    const begin = performance.now();
    this.#answers = new Answers(isHead);
    this.#got = [];
    await this.#send(pieces);
    if (end === "reset") this.abort();
    else if (end === "half-close") this.#socket?.shutdown();
    const until_ms = performance.now() + deadline_ms;
    const isOver = () =>
      this.#closed || (end !== "half-close" && (this.#got.length >= wanted || this.#got.some(ends)));
    while (!isOver() && performance.now() < until_ms) await this.#next(until_ms - performance.now());
    const hung = !isOver();
    // Answered before it was sent to its end: what is left would be taken for the next request.
    const isCut = this.#unsent.length > 0;
    if (hung || isCut || end !== "wait" || this.#got.some(ends)) this.abort();
    const statuses = this.#got.map(({ status }) => status);
    return { statuses, closed: this.#closed, hung, took_ms: performance.now() - begin };
  }

  /** Break the connection: no port waits for stray packets afterwards. */
  abort(): void {
    this.#socket?.terminate();
    this.#close();
  }

  async #send(pieces: readonly Piece[]): Promise<void> {
    for (const piece of pieces) {
      if (this.#closed) return;
      if (typeof piece === "number") {
        await this.#next(piece);
        continue;
      }
      this.#unsent = Buffer.from(piece);
      this.#flush();
      while (this.#unsent.length > 0 && !this.#closed && this.#got.length === 0) await this.#next(1_000);
    }
  }

  #flush(): void {
    if (this.#unsent.length === 0 || this.#closed) return;
    const sent = this.#socket?.write(this.#unsent) ?? -1;
    if (sent < 0) this.#close();
    else this.#unsent = this.#unsent.subarray(sent);
    if (this.#unsent.length === 0) this.#changed();
  }

  #close(): void {
    this.#closed = true;
    this.#changed();
  }

  #changed(): void {
    this.#change?.resolve();
    this.#change = undefined;
  }

  async #next(longest_ms: number): Promise<void> {
    this.#change ??= Promise.withResolvers<void>();
    const { promise } = this.#change;
    const timer = setTimeout(() => this.#changed(), longest_ms);
    await promise;
    clearTimeout(timer);
  }
}

const ends = ({ closes, endless }: Answer) => closes || endless;
