/**
 * Answers of any length, sent piece by piece as the client takes them. Nothing is held between two pieces: neither a
 * connection of the database nor a transaction, which would keep retention from dropping chunks.
 */
import type { Clock } from "../../ops/clock.ts";
import type { Logger } from "../../ops/log.ts";
import { QueryAbortedError } from "../../store/queries/query-errors.ts";
import { QuerySlots } from "../../store/queries/slots.ts";
import type { AppContext } from "../app-env.ts";
import type { Credentials } from "../auth/credentials.ts";
import { InvalidCredentialError } from "../auth/invalid-credential.ts";
import { invalidToken } from "../middleware/authenticate.ts";
import { acceptsGzip } from "./format.ts";

/** Exports at once. */
const EXPORTS = 8;
/** Longest export, ms. */
export const EXPORT_DEADLINE_MS = 15 * 60_000;

/** An export took longer than it may. */
export class ExportDeadlineError extends Error {
  override readonly name = "ExportDeadlineError";
}

/** The next piece, which may be empty while nothing was found yet; null at the end. */
export type NextPiece = (signal: AbortSignal) => Promise<string | null>;

export interface ExportSettings {
  readonly clock: Clock;
  readonly log: Logger;
  /** An export ends with the credential that asked for it. */
  readonly tokens: Pick<Credentials, "lifeOf">;
  readonly deadline_ms?: number;
  readonly exports?: number;
}

export class Exports {
  readonly #slots: QuerySlots;

  constructor(private readonly settings: ExportSettings) {
    this.#slots = new QuerySlots({ slots: settings.exports ?? EXPORTS, line: 0, wait_ms: 0 });
  }

  /** Exports in work. */
  get running(): number {
    return this.#slots.taken;
  }

  /**
   * Answer with all pieces. The first is made before the head is sent, so that its failure is a problem; a failure
   * after that cuts the connection without the last chunk (RFC 9112 section 8), so that no client takes a part for
   * the whole.
   * @throws {QueryBusyError} and what `next` throws for the first piece
   */
  async answer(c: AppContext, next: NextPiece, headers: Readonly<Record<string, string>>): Promise<Response> {
    const release = await this.#slots.take();
    const gone = new AbortController();
    const life = this.settings.tokens.lifeOf(c.get("claims"));
    const end = () => {
      life.end();
      life.signal.removeEventListener("abort", end);
      c.req.raw.signal.removeEventListener("abort", end);
      gone.abort();
      release();
    };
    c.req.raw.signal.addEventListener("abort", end, { once: true });
    life.signal.addEventListener("abort", end, { once: true });
    try {
      if (c.req.raw.signal.aborted) throw new QueryAbortedError();
      // It may have waited for its turn.
      if (life.signal.aborted) throw invalidToken(new InvalidCredentialError("ended"));
      const first = await next(gone.signal);
      const all = {
        ...headers,
        "Cache-Control": "private, no-store",
        Vary: "Accept, Accept-Encoding, Authorization",
      };
      if (c.req.raw.method === "HEAD") {
        end();
        return c.body(null, 200, all);
      }
      const body = this.#stream(first, next, gone.signal, end, c.get("request_id"));
      if (!acceptsGzip(c.req.header("Accept-Encoding"))) return c.body(body, 200, all);
      return c.body(body.pipeThrough(gzipStream()), 200, { ...all, "Content-Encoding": "gzip" });
    } catch (error) {
      end();
      throw error;
    }
  }

  #stream(
    first: string | null,
    next: NextPiece,
    gone: AbortSignal,
    end: () => void,
    request_id: string,
  ): ReadableStream<Uint8Array> {
    const { clock, log, deadline_ms = EXPORT_DEADLINE_MS } = this.settings;
    const encoder = new TextEncoder();
    const until_ms = clock.monotonic_ms() + deadline_ms;
    let piece: Promise<string | null> | null = Promise.resolve(first);
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      try {
        let text: string | null = "";
        while (text === "") {
          if (gone.aborted) throw new QueryAbortedError();
          if (clock.monotonic_ms() > until_ms) throw new ExportDeadlineError(`longer than ${deadline_ms} ms`);
          text = await (piece ?? next(gone));
          piece = null;
        }
        if (text !== null) controller.enqueue(encoder.encode(text));
        else {
          end();
          controller.close();
        }
      } catch (err) {
        end();
        if (!(err instanceof QueryAbortedError)) log.warn({ err, request_id }, "an export was cut off");
        // Without a reason: it is logged above, and Bun would print it once more, as no JSON.
        controller.error();
      }
    };
    // Nothing is made ahead of what the client takes.
    return new ReadableStream<Uint8Array>({ pull, cancel: end }, { highWaterMark: 0 });
  }
}

function gzipStream(): ReadableWritablePair<Uint8Array, Uint8Array> {
  // The DOM's types want BufferSource chunks; Uint8Array is one.
  return new CompressionStream("gzip") as unknown as ReadableWritablePair<Uint8Array, Uint8Array>;
}
