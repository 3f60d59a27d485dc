/** Connections to Redis, one kind for each way of using it. Each may throw {TlsFileError} before it connects. */
import { tracingChannel } from "node:diagnostics_channel";
import { type Cluster, Redis } from "ioredis";
import { type ClusterNodeAddress, clusterAddress } from "./address.ts";
import { clusterClient, credentialsOf, type ServerOptions } from "./cluster.ts";
import { REQUEST_TIMEOUT_MS } from "./faults.ts";
import { redisAddress } from "./redis-tls.ts";
import { type ScriptedRedis, withScripts } from "./scripts.ts";

export {
  NothingWrittenError,
  reaching,
  reachingInTime,
  replyCode,
  StreamUnavailableError,
} from "./faults.ts";
export { ready } from "./ready.ts";

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

/**
 * ioredis reports every failed try to connect as an event. What is told here is why, once for as long as it stays the
 * same: the commands that fail meanwhile only know that there is no connection.
 */
function quiet<R extends Redis | Cluster>(redis: R, onError?: (error: Error) => void): R {
  let told: string | undefined;
  const tell = (error: Error) => {
    if (error.message !== told) onError?.(error);
    told = error.message;
  };
  redis.on("error", tell);
  // Of one node of a cluster.
  redis.on("node error", tell);
  redis.on("ready", () => {
    told = undefined;
  });
  return redis;
}

/**
 * A connection on which commands wait and nothing arrives for so long is dropped: ioredis alone would keep sending
 * into a dead path until TCP gives up, a quarter of an hour later. Longer than the command timeouts.
 */
const SILENCE_MS = 12_000;
const COMMON = { connectTimeout: 5_000, socketTimeout: SILENCE_MS } as const satisfies ServerOptions;
/** Of a single server; a cluster's client looks for the servers anew. */
const retryStrategy = (attempt: number) => Math.min(1_000, 50 * attempt);

/**
 * A connection to one server: of the URL, or of a cluster's URL the one at `place`.
 * @throws {TlsFileError}
 */
function openServer(given: string, options: ServerOptions, place?: ClusterNodeAddress): Redis {
  const { url, tls } = redisAddress(given);
  const all = tls ? { ...options, tls } : options;
  const cluster = clusterAddress(url);
  if (!cluster) return new Redis(url, all);
  return new Redis({ ...all, ...credentialsOf(cluster), ...(place ?? cluster.nodes[0]!) });
}

/** A client of the server, or of the cluster, that the URL names. @throws {TlsFileError} */
function client(
  given: string,
  options: ServerOptions & { readonly commandTimeout: number },
  onError?: (error: Error) => void,
): ScriptedRedis {
  const { url, tls } = redisAddress(given);
  const cluster = clusterAddress(url);
  const redis = cluster
    ? clusterClient(cluster, tls ? { ...options, tls } : options)
    : openServer(given, { ...options, retryStrategy });
  return withScripts(quiet(redis, onError));
}

/** For the request path: refuses at once when Redis is away, and sends what happens together in one pipeline. */
export function requestClient(url: string, onError?: (error: Error) => void): ScriptedRedis {
  const options = { ...COMMON, enableOfflineQueue: false, maxRetriesPerRequest: 1 };
  return client(url, { ...options, commandTimeout: REQUEST_TIMEOUT_MS, enableAutoPipelining: true }, onError);
}

/** For actors: commands wait for a reconnect, but never longer than `commandTimeout`. */
export function workClient(url: string, onError?: (error: Error) => void): ScriptedRedis {
  return client(url, { ...COMMON, maxRetriesPerRequest: null, commandTimeout: 10_000 }, onError);
}

/**
 * A connection to one server that does not come back when it is lost, and bounds no command: for a `Line`.
 * @param server host and port of a server of the cluster that the URL names; null: the server of the URL
 */
export function serverClient(
  url: string,
  server: string | null,
  onError?: (error: Error) => void,
): ScriptedRedis {
  const options: ServerOptions = {
    connectTimeout: COMMON.connectTimeout,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    // After a refused connection ioredis keeps a timer of this length, and with it the process, alive.
    disconnectTimeout: 50,
  };
  const colon = server?.lastIndexOf(":");
  const place =
    server === null ? undefined : { host: server.slice(0, colon), port: Number(server.slice(colon! + 1)) };
  return withScripts(quiet(openServer(url, options, place), onError));
}

/**
 * For a connection that only listens. Whoever listens subscribes at each `ready`, because what was told while the
 * connection was away is lost, and that has to be known. What is published in a cluster is heard on each of its
 * servers: this listens to one of those in the URL, and to the next one when it is lost.
 */
export function subscriberClient(url: string, onError?: (error: Error) => void): Redis {
  const { nodes } = clusterAddress(redisAddress(url).url) ?? { nodes: [] };
  let at = Math.floor(Math.random() * nodes.length);
  const options: ServerOptions = {
    ...COMMON,
    maxRetriesPerRequest: null,
    autoResubscribe: false,
    retryStrategy: (attempt) => {
      at = (at + 1) % nodes.length;
      Object.assign(redis.options, nodes[at]);
      return retryStrategy(attempt);
    },
  };
  const redis: Redis = openServer(url, options, nodes[at]);
  return quiet(redis, onError);
}
