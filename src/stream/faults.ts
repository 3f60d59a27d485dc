/** What a fault of Redis means: away and worth another try later, or something else. */
import { ReplyError } from "ioredis";
import { withDeadline } from "../ops/retry.ts";

/** Redis cannot be reached, does not answer in time, or refuses writes. Always worth another try later. */
export class StreamUnavailableError extends Error {
  override readonly name: string = "StreamUnavailableError";
}

/** The same, and it is certain that nothing was written. */
export class NothingWrittenError extends StreamUnavailableError {}

/** Reply codes (the first word of an error reply, RESP specification) that mean "not now". */
const REFUSING = new Set([
  "OOM",
  "READONLY",
  "LOADING",
  "MASTERDOWN",
  "NOREPLICAS",
  "MISCONF",
  "BUSY",
  "CLUSTERDOWN",
  "TRYAGAIN",
  // Of a cluster that moves a slot, once the client has followed often enough.
  "MOVED",
  "ASK",
  // The server forgot a script; ioredis sends the whole of it with the next try.
  "NOSCRIPT",
  "NOAUTH",
  // A blocked read was let go, because the server became a replica.
  "UNBLOCKED",
]);

/** The code of an error reply, or undefined for any other error. */
export function replyCode(error: unknown): string | undefined {
  return error instanceof ReplyError ? (error as Error).message.split(" ", 1)[0] : undefined;
}

/** Runs a command; what is not an error reply is a lost connection or a timeout. */
export async function reaching<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = replyCode(error);
    if (code === undefined || REFUSING.has(code)) {
      throw new StreamUnavailableError(`Redis: ${(error as Error).message}`, { cause: error });
    }
    throw error;
  }
}

/** How long a request waits for Redis, ms. */
export const REQUEST_TIMEOUT_MS = 5_000;

/**
 * `reaching` for a script on the way of a request: now and then ioredis asks first whether Redis knows the script, and
 * a silent Redis would hold the request for two timeouts.
 */
export function reachingInTime<T>(script: Promise<T>): Promise<T> {
  return reaching(withDeadline(script, REQUEST_TIMEOUT_MS, "a script"));
}
