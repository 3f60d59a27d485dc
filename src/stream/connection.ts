/** Connections to Redis, one kind for each way of using it, and the one error that says Redis is away. */
import { tracingChannel } from "node:diagnostics_channel";
import { Redis, type RedisOptions, ReplyError } from "ioredis";
import { DeadlineError, withDeadline } from "../ops/retry.ts";
import { redisAddress } from "./redis-tls.ts";
import { type ScriptedRedis, withScripts } from "./scripts.ts";

/**
 * ioredis describes each command to whoever listens to its tracing channels (Node.js documentation, "TracingChannel"),
 * unless the channel says that nobody does. Bun 1.4.5 lacks that property, and so a twentieth of the API thread went
 * into descriptions for nobody.
 */
function tellWhetherTraced(): void {
  const prototype: object = Object.getPrototypeOf(tracingChannel("ioredis:command"));
  if ("hasSubscribers" in prototype) return;
  Object.defineProperty(prototype, "hasSubscribers", {
    get(this: ReturnType<typeof tracingChannel>) {
      const { start, end, asyncStart, asyncEnd, error } = this;
      return [start, end, asyncStart, asyncEnd, error].some((channel) => channel.hasSubscribers);
    },
  });
}
tellWhetherTraced();

/** Redis cannot be reached, does not answer in time, or refuses writes. Always worth another try later. */
export class StreamUnavailableError extends Error {
  override readonly name = "StreamUnavailableError";
}

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
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * `reaching` for a script on the way of a request: now and then ioredis asks first whether Redis knows the script, and
 * a silent Redis would hold the request for two timeouts.
 */
export function reachingInTime<T>(script: Promise<T>): Promise<T> {
  return reaching(withDeadline(script, REQUEST_TIMEOUT_MS, "a script"));
}

/**
 * ioredis reports every failed try to connect as an event. What is told here is why, once for as long as it stays the
 * same: the commands that fail meanwhile only know that there is no connection.
 */
function quiet(redis: Redis, onError?: (error: Error) => void): Redis {
  let told: string | undefined;
  redis.on("error", (error: Error) => {
    if (error.message !== told) onError?.(error);
    told = error.message;
  });
  redis.on("ready", () => {
    told = undefined;
  });
  return redis;
}

/** @throws {TlsFileError} */
function open(given: string, options: Omit<RedisOptions, "replyMapping">): Redis {
  const { url, tls } = redisAddress(given);
  return new Redis(url, tls ? { ...options, tls } : options);
}

/**
 * A connection on which commands wait and nothing arrives for so long is dropped: ioredis alone would keep sending
 * into a dead path until TCP gives up, a quarter of an hour later. Longer than the command timeouts.
 */
const SILENCE_MS = 12_000;

/** For the request path: refuses at once when Redis is away, and sends what happens together in one pipeline. */
export function requestClient(url: string, onError?: (error: Error) => void): ScriptedRedis {
  const redis = open(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: REQUEST_TIMEOUT_MS,
    connectTimeout: 5_000,
    socketTimeout: SILENCE_MS,
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(1_000, 50 * attempt),
  });
  return withScripts(quiet(redis, onError));
}

/** For actors: commands wait for a reconnect, but never longer than `commandTimeout`. */
export function workClient(url: string, onError?: (error: Error) => void): ScriptedRedis {
  const redis = open(url, {
    maxRetriesPerRequest: null,
    commandTimeout: 10_000,
    connectTimeout: 5_000,
    socketTimeout: SILENCE_MS,
    retryStrategy: (attempt) => Math.min(1_000, 50 * attempt),
  });
  return withScripts(quiet(redis, onError));
}

/**
 * For one blocking XREADGROUP after another: no command timeout, the reader has a watchdog of its own. A read whose
 * connection ends is rejected and never sent again by itself: whoever waits for it decides.
 */
export function blockingClient(url: string, onError?: (error: Error) => void): Redis {
  const redis = open(url, {
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    retryStrategy: (attempt) => Math.min(1_000, 50 * attempt),
  });
  return quiet(redis, onError);
}

/**
 * For a connection that only listens. Whoever listens subscribes at each `ready`, because what was told while the
 * connection was away is lost, and that has to be known.
 */
export function subscriberClient(url: string, onError?: (error: Error) => void): Redis {
  const redis = open(url, {
    maxRetriesPerRequest: null,
    connectTimeout: 5_000,
    socketTimeout: SILENCE_MS,
    autoResubscribe: false,
    retryStrategy: (attempt) => Math.min(1_000, 50 * attempt),
  });
  return quiet(redis, onError);
}

/** Codes of what is wrong with a certificate or a handshake: waiting does not mend it. */
const NOT_TRUSTED = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

/**
 * Resolves when the client can be used.
 * @throws {StreamUnavailableError} after `deadline_ms`, and at once when the server's certificate is not good; with what
 *   kept it from connecting
 */
export async function ready(redis: Redis, deadline_ms: number): Promise<void> {
  if (redis.status === "ready") return;
  let why = redis.options.tls
    ? "nothing is answered in TLS; does the server have it?"
    : "nothing is answered";
  const tidy = new AbortController();
  const connected = new Promise<void>((resolve, reject) => {
    const on = (event: "ready" | "error" | "close", hear: (error: NodeJS.ErrnoException) => void) => {
      redis.on(event, hear);
      tidy.signal.addEventListener("abort", () => redis.off(event, hear), { once: true });
    };
    on("ready", () => resolve());
    on("error", (error) => {
      const code = error.code ?? "";
      if (code !== "ETIMEDOUT")
        why = error.message.includes(code) ? error.message : `${error.message} (${code})`;
      if (NOT_TRUSTED.test(code)) reject(new StreamUnavailableError(`TLS with Redis: ${why}`));
    });
    on("close", () => {
      if (why === "nothing is answered") why = "it closes each connection; does it want TLS (rediss://)?";
    });
  });
  try {
    await withDeadline(connected, deadline_ms, "connecting to Redis");
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new StreamUnavailableError(`Redis did not answer within ${deadline_ms} ms: ${why}`);
  } finally {
    tidy.abort();
  }
}
