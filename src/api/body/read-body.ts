/** Takes a request's body from the network, never more of it than allowed and never longer than allowed. */
import { DeadlineError, withDeadline } from "../../ops/retry.ts";
import { ProblemError } from "../problem-error.ts";

export interface BodyBounds {
  /** Largest body, bytes, as sent and decompressed. */
  readonly max_bytes: number;
  /** Longest time it may take to arrive, ms. */
  readonly timeout_ms: number;
}

export function bodyTooLarge(max_bytes: number): ProblemError {
  return new ProblemError("body-too-large", { detail: `The body is larger than ${max_bytes} bytes.` });
}

/**
 * The body as sent. A declared length over the bound is refused unread; without a declared length (chunked)
 * reading stops at the bound.
 * @throws {ProblemError} body-too-large, body-timeout, or malformed-encoding when the client went away
 */
export async function readBody(request: Request, bounds: BodyBounds): Promise<Uint8Array> {
  const declared = request.headers.get("Content-Length");
  if (declared !== null && Number(declared) > bounds.max_bytes) throw bodyTooLarge(bounds.max_bytes);
  const stream = request.body;
  if (stream === null) return new Uint8Array(0);
  const stop = new AbortController();
  const work = declared === null ? collect(stream, bounds.max_bytes, stop.signal) : request.bytes();
  try {
    return await withDeadline(work, bounds.timeout_ms, "reading the body");
  } catch (error) {
    stop.abort();
    if (error instanceof ProblemError) throw error;
    if (error instanceof DeadlineError) {
      // What still arrives of this body would be taken for the next request: the connection ends here.
      throw new ProblemError("body-timeout", {
        detail: `The body did not arrive within ${bounds.timeout_ms} ms.`,
        headers: { Connection: "close" },
        cause: error,
      });
    }
    if (!isAbort(error)) throw error;
    throw new ProblemError("malformed-encoding", {
      detail: "The connection ended before the body did.",
      cause: error,
    });
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.code === DOMException.ABORT_ERR;
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  max_bytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
    size += value.byteLength;
    if (size > max_bytes) {
      await reader.cancel();
      throw bodyTooLarge(max_bytes);
    }
    // After the deadline nobody waits for the body any more: let go of it.
    if (signal.aborted) {
      await reader.cancel();
      return new Uint8Array(0);
    }
    chunks.push(value);
  }
}
