/**
 * Answers of any length, sent piece by piece as the client takes them. Nothing is held between two pieces: neither a
 * connection of the database nor a transaction, which would keep retention from dropping chunks.
 */
import type { Registry } from "prom-client";
import type { Logger } from "../../ops/log.ts";
import { QueryAbortedError } from "../../store/queries/query-errors.ts";
import type { AppContext } from "../app-env.ts";
import type { Credentials } from "../auth/credentials.ts";
import { InvalidCredentialError } from "../auth/invalid-credential.ts";
import { Places } from "../limits/places.ts";
import { invalidToken } from "../middleware/authenticate.ts";
import { Download, type DownloadBounds, type DownloadEnd, type NextPiece } from "./download.ts";
import { downloadMetrics } from "./download-metrics.ts";
import { acceptsGzip } from "./format.ts";

const BOUNDS = {
  /** Downloads at once. */
  all: 8,
  of_one_user: 3,
  deadline_ms: 15 * 60_000,
  /** A piece has at most about 1 MB, with gzip a tenth of it. */
  stall_ms: 60_000,
} as const;
/** Bun's own bound of a silent connection, s: after ours, which is told; it would cut slow clients of large buffers. */
const IDLE_MARGIN_S = 10;
/** The same once a download is to be cut: an error of the stream does not reach a client that takes nothing. */
const CUT_AFTER_S = 1;
/** Answers that are cut off, as an operator is told of them. */
const CUT: Partial<Record<DownloadEnd, string>> = {
  credential: "a download was cut off: its credential has ended",
  too_long: "a download took longer than it may and was cut off",
  stalled: "a download was cut off: it got no further, because its client takes nothing or too little",
  failed: "a download failed and was cut off",
};

export interface ExportSettings {
  readonly log: Logger;
  readonly metrics: Registry;
  /** An export ends with the credential that asked for it. */
  readonly tokens: Pick<Credentials, "lifeOf">;
  readonly bounds?: Partial<DownloadBounds & { readonly all: number; readonly of_one_user: number }>;
}

export class Exports {
  readonly #bounds: DownloadBounds;
  readonly #places: Places;
  readonly #count: ReturnType<typeof downloadMetrics>;

  /** Adds its metrics to `metrics`; a registry takes one. */
  constructor(private readonly settings: ExportSettings) {
    const { all, of_one_user, ...bounds } = { ...BOUNDS, ...settings.bounds };
    this.#bounds = bounds;
    this.#count = downloadMetrics(settings.metrics, () => this.running);
    this.#places = new Places({ what: "downloads", all, of_one_user }, (bound) =>
      this.#count(`refused_${bound}`),
    );
  }

  /** Exports in work. */
  get running(): number {
    return this.#places.taken;
  }

  /**
   * Answer with all pieces. The first is made before the head is sent, so that its failure is a problem; a failure
   * after that cuts the connection without the last chunk (RFC 9112 section 8), so that no client takes a part for
   * the whole.
   * @throws {ProblemError} too-many-at-once, server-busy @throws what `next` throws for the first piece
   */
  async answer(c: AppContext, next: NextPiece, headers: Readonly<Record<string, string>>): Promise<Response> {
    const download = this.#begin(c);
    try {
      if (download.signal.aborted) throw new QueryAbortedError();
      const first = await next(download.signal);
      const all = {
        ...headers,
        Vary: "Accept, Accept-Encoding, Authorization",
      };
      if (c.req.raw.method === "HEAD") {
        download.end("complete");
        return c.body(null, 200, all);
      }
      const body = download.stream(first, next);
      if (!acceptsGzip(c.req.header("Accept-Encoding"))) return c.body(body, 200, all);
      return c.body(body.pipeThrough(gzipStream()), 200, { ...all, "Content-Encoding": "gzip" });
    } catch (error) {
      download.end(error instanceof QueryAbortedError ? "gone" : "problem");
      throw error;
    }
  }

  /** @throws {ProblemError} too-many-at-once, server-busy, invalid-token */
  #begin(c: AppContext): Download {
    const claims = c.get("claims");
    const release = this.#places.take(claims.sub);
    const life = this.settings.tokens.lifeOf(claims);
    if (life.signal.aborted) {
      // Whoever was let in a moment ago may be ended by now.
      release();
      throw invalidToken(new InvalidCredentialError("ended"));
    }
    const request = c.req.raw.signal;
    const onGone = () => download.end("gone");
    const onEnded = () => download.end("credential");
    const download = new Download(this.#bounds, (how, error) => {
      life.end();
      life.signal.removeEventListener("abort", onEnded);
      request.removeEventListener("abort", onGone);
      release();
      this.#count(how);
      this.#tell(c, how, error);
    });
    c.env.patience?.(c.req.raw, Math.ceil(this.#bounds.stall_ms / 1_000) + IDLE_MARGIN_S);
    request.addEventListener("abort", onGone, { once: true });
    life.signal.addEventListener("abort", onEnded, { once: true });
    if (request.aborted) onGone();
    return download;
  }

  /** To the operator, and to a client that takes nothing and so hears of no error. */
  #tell(c: AppContext, how: DownloadEnd, err: unknown): void {
    const message = CUT[how];
    if (message === undefined) return;
    c.env.patience?.(c.req.raw, CUT_AFTER_S);
    const about = { request_id: c.get("request_id"), user: c.get("claims").username, path: c.req.path };
    this.settings.log.warn({ ...about, err }, message);
  }
}

function gzipStream(): ReadableWritablePair<Uint8Array, Uint8Array> {
  // The DOM's types want BufferSource chunks; Uint8Array is one.
  return new CompressionStream("gzip") as unknown as ReadableWritablePair<Uint8Array, Uint8Array>;
}
