/**
 * One file on its way to a client, made no faster than the client takes it: what ends it, once, whatever comes first.
 *
 *   in work ──all pieces made──> complete
 *           ──the first piece fails──> problem
 *           ──the client goes, the credential ends, it takes too long, a piece is not taken, a piece fails──> cut off
 */
import { QueryAbortedError } from "../../store/queries/query-errors.ts";

/** `problem`: its first piece failed, and the client was told why. */
export const DOWNLOAD_ENDS = [
  "complete",
  "gone",
  "problem",
  "credential",
  "too_long",
  "stalled",
  "failed",
] as const;
export type DownloadEnd = (typeof DOWNLOAD_ENDS)[number];

/** The next piece, which may be empty while nothing was found yet; null at the end. */
export type NextPiece = (signal: AbortSignal) => Promise<string | null>;

export interface DownloadBounds {
  /** Of the whole, ms. */
  readonly deadline_ms: number;
  /** Until a piece that was made is taken, ms. */
  readonly stall_ms: number;
}

export class Download {
  readonly #over = new AbortController();
  readonly #deadline: Timer;
  #taking: Timer | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  /** @param onEnd is called once; `error` is of the end `failed` */
  constructor(
    private readonly bounds: DownloadBounds,
    private readonly onEnd: (end: DownloadEnd, error: unknown) => void,
  ) {
    // Timers, not a look between pieces: between two pieces a slow client may let hours pass.
    this.#deadline = setTimeout(() => this.end("too_long"), this.bounds.deadline_ms);
  }

  /** Fires at the end, so that a piece that is being made is given up. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Only the first end counts. */
  end(how: DownloadEnd, error?: unknown): void {
    if (this.signal.aborted) return;
    clearTimeout(this.#deadline);
    clearTimeout(this.#taking);
    this.#over.abort();
    // Without a reason: Bun would print it, as no JSON.
    if (how !== "complete") this.#controller?.error();
    this.onEnd(how, error);
  }

  /** The bytes. A cut is an error of the stream, so that its last chunk is not sent. */
  stream(first: string | null, next: NextPiece): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder();
    let piece: Promise<string | null> | null = Promise.resolve(first);
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      clearTimeout(this.#taking);
      try {
        let text: string | null = "";
        while (text === "" && !this.signal.aborted) {
          text = await (piece ?? next(this.signal));
          piece = null;
        }
        if (this.signal.aborted) return;
        if (text === null) {
          this.end("complete");
          controller.close();
          return;
        }
        this.#taking = setTimeout(() => this.end("stalled"), this.bounds.stall_ms);
        controller.enqueue(encoder.encode(text));
      } catch (error) {
        this.end(error instanceof QueryAbortedError ? "gone" : "failed", error);
      }
    };
    const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      this.#controller = controller;
    };
    // Nothing is made ahead of what the client takes.
    return new ReadableStream<Uint8Array>(
      { start, pull, cancel: () => this.end("gone") },
      { highWaterMark: 0 },
    );
  }
}
