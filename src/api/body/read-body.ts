/** Takes a request's body from the network, never more of it than allowed and never longer than allowed. */
import { DeadlineError, withDeadline } from "../../ops/retry.ts";
import { ProblemError } from "../problem-error.ts";
import type { BodyHold } from "./body-memory.ts";

export interface BodyBounds {
  /** Largest body, bytes, as sent and decompressed. */
  readonly max_bytes: number;
  /** Decompressed bytes for each byte as sent, beyond the first MiB; without it only `max_bytes` counts. */
  readonly max_ratio?: number;
  /** Longest time it may take to arrive, ms. */
  readonly timeout_ms: number;
}

/** The refusal of a body beyond the bound. */
export function bodyTooLarge(max_bytes: number): ProblemError {
  return new ProblemError("body-too-large", { detail: `The body is larger than ${max_bytes} bytes.` });
}

/**
 * A body that says it is this small counts as held before it is there, and is taken in one piece. Of a larger one what
 * has arrived counts: else a few heads that announce large bodies and never send them would keep everybody else out.
 */
const AT_ONCE_BYTES = 65_536;

/**
 * The body as sent. A declared length over the bound is refused unread; without a declared length (chunked)
 * reading stops at the bound.
 * @throws {ProblemError} body-too-large, server-busy, body-timeout, or malformed-encoding when the client went away
 */
export async function readBody(request: Request, bounds: BodyBounds, hold: BodyHold): Promise<Uint8Array> {
  const declared = request.headers.get("Content-Length");
  if (declared !== null && Number(declared) > bounds.max_bytes) throw bodyTooLarge(bounds.max_bytes);
  const stream = request.body;
  if (stream === null) return new Uint8Array(0);
  if (declared !== null && Number(declared) <= AT_ONCE_BYTES) {
    hold.grow(Number(declared));
    return inTime(request.bytes(), bounds.timeout_ms);
  }
  const reader = stream.getReader();
  try {
    return await inTime(collect(reader, bounds.max_bytes, hold), bounds.timeout_ms);
  } catch (error) {
    // Ends a read that still waits, so that nothing grows after the answer. Of a connection that is gone it throws again.
    await reader.cancel().catch(() => undefined);
    throw error;
  }
}

/** The bytes, or the problem that kept them from coming. */
async function inTime(work: Promise<Uint8Array>, timeout_ms: number): Promise<Uint8Array> {
  try {
    return await withDeadline(work, timeout_ms, "reading the body");
  } catch (error) {
    if (error instanceof DeadlineError) {
      // What still arrives of this body would be taken for the next request: the connection ends here.
      throw new ProblemError("body-timeout", {
        detail: `The body did not arrive within ${timeout_ms} ms.`,
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
  reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "read">,
  max_bytes: number,
  hold: BodyHold,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
    size += value.byteLength;
    if (size > max_bytes) throw bodyTooLarge(max_bytes);
    hold.grow(value.byteLength);
    chunks.push(value);
  }
}
