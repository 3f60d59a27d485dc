/** Server-sent events (WHATWG HTML, section 9.2): how every stream of this service begins, stays alive and ends. */
import { streamSSE } from "hono/streaming";
import { joinSignals, unlessAborted } from "../ops/retry.ts";
import type { AppContext } from "./app-env.ts";
import type { RouteDeps } from "./deps.ts";

/** After which a client that lost the connection comes back, ms. */
export const RETRY_MS = 2_000;
/** Longest stream: a client comes back by itself. */
const LONGEST_MS = 6 * 3_600_000;

/** What a stream says next: an event, or a comment that only shows that the connection lives. */
export type StreamPiece =
  | { readonly event: string; readonly id: string; readonly data: string }
  | { readonly comment: string };

export interface StreamSource {
  /** Waits for what comes next, not beyond the signal; null ends the stream. */
  readonly next: (end: AbortSignal) => Promise<StreamPiece | null>;
  /** Called once, however the stream ends. */
  readonly leave: () => void;
}

interface StreamDeps extends Pick<RouteDeps, "stop" | "streams"> {
  readonly tokens: Pick<RouteDeps["tokens"], "lifeOf">;
}

/** The source, which has begun, is left when there is no place for its stream. */
function placeOf(c: AppContext, streams: StreamDeps["streams"], leave: () => void): () => void {
  try {
    return streams.take(c.get("claims").sub);
  } catch (error) {
    leave();
    throw error;
  }
}

/**
 * Ends with its source, with the credential or what it may, after 6 h, when the client goes, and when the server is about to stop. A
 * client that takes nothing does not keep the server from stopping.
 * @throws {ProblemError} too-many-at-once, server-busy
 */
export function eventStream(
  c: AppContext,
  { tokens, stop, streams }: StreamDeps,
  { next, leave }: StreamSource,
): Response {
  const free = placeOf(c, streams, leave);
  const life = tokens.lifeOf(c.get("claims"));
  const gone = new AbortController();
  const { signal: end, release } = joinSignals(
    [gone.signal, c.req.raw.signal, stop.closing, life.signal],
    LONGEST_MS,
  );
  const over = () => {
    release();
    life.end();
    leave();
    free();
  };
  c.header("X-Accel-Buffering", "no");
  // Nobody reads a body that is not sent, so nobody would end it.
  if (c.req.method === "HEAD") {
    over();
    return c.body(null, 200, { "Content-Type": "text/event-stream" });
  }
  const response = streamSSE(c, async (stream) => {
    stream.onAbort(() => gone.abort());
    try {
      while (!end.aborted) {
        const piece = await next(end);
        if (piece === null || end.aborted) return;
        const written =
          "comment" in piece
            ? stream.write(`: ${piece.comment}\n\n`)
            : stream.writeSSE({ ...piece, retry: RETRY_MS });
        await unlessAborted(Promise.resolve<unknown>(written), end);
      }
    } finally {
      over();
    }
  });
  // Hono allows copies that are asked about; of a stream there is nothing to ask.
  response.headers.set("Cache-Control", "no-store");
  return response;
}

/** The newest of what was put in and not taken yet: a slow client skips what is old instead of letting it pile up. */
export class Newest<T> {
  #value: T | undefined;
  #wake: () => void = () => undefined;

  put(value: T): void {
    this.#value = value;
    this.#wake();
  }

  /** Waits for a value; undefined when the signal fires before, or `longest_ms` pass. */
  async take(signal: AbortSignal, longest_ms?: number): Promise<T | undefined> {
    if (this.#value === undefined) {
      let timer: Timer | undefined;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (longest_ms !== undefined) timer = setTimeout(resolve, longest_ms);
      });
      await unlessAborted(woken, signal);
      clearTimeout(timer);
    }
    const value = this.#value;
    this.#value = undefined;
    return value;
  }
}
