/** The client of a Redis Cluster, and what one can ask of it beyond commands: its servers, and which holds what. */
import { Cluster, type ClusterOptions, type Command, type Redis, type RedisOptions } from "ioredis";
import type { ClusterAddress } from "./address.ts";
import { streamKey } from "./keys.ts";
import { SLOTS, slotOf } from "./slots.ts";

/** Of a connection to one server; replies always come as ioredis' types have them. */
export type ServerOptions = Omit<RedisOptions, "replyMapping">;

/**
 * ioredis bounds the time of a command only while a server has it; here a command also waits for the map of slots, for
 * a failover, and to be sent again.
 */
class BoundedCluster extends Cluster {
  constructor(
    nodes: ClusterAddress["nodes"],
    options: Omit<ClusterOptions, "redisOptions"> & { readonly redisOptions: ServerOptions },
    private readonly timeout_ms: number,
  ) {
    super([...nodes], options);
  }

  override sendCommand(command: Command, ...rest: unknown[]): unknown {
    command.setTimeout(this.timeout_ms);
    return super.sendCommand(command, ...(rest as []));
  }
}

/** By whom each server of the cluster is asked. */
export function credentialsOf({ username, password }: ClusterAddress): ServerOptions {
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

/**
 * Commands are not gathered into pipelines (`enableAutoPipelining`): ioredis takes the number of keys of our scripts for
 * their first key, sends a pipeline again only if all of it failed in the same way, and throws where a slot has no
 * server. One by one, each command follows MOVED and ASK for itself; that costs 3 µs of processor a command.
 *
 * @param options for the connection to each server; `commandTimeout` bounds the whole command
 */
export function clusterClient(
  address: ClusterAddress,
  options: ServerOptions & { readonly commandTimeout: number },
): Cluster {
  const { enableOfflineQueue = true, enableAutoPipelining: _, ...each } = options;
  return new BoundedCluster(
    address.nodes,
    {
      enableOfflineQueue,
      clusterRetryStrategy: (attempt) => Math.min(1_000, 50 * attempt),
      slotsRefreshTimeout: 2_000,
      // A server that is silent says nothing of the one that took its place.
      slotsRefreshInterval: 3_000,
      // Names stay names: certificates are made out to them.
      dnsLookup: (host, done) => done(null, host),
      redisOptions: { ...each, ...credentialsOf(address) },
    },
    options.commandTimeout,
  );
}

/** Host and port of the server that holds a partition, by the client's map of slots; null when none is known. */
export function serverOf(cluster: Cluster, partition: number): string | null {
  return cluster.slots[slotOf(streamKey(partition))]?.[0] ?? null;
}

/** A key for each server that has slots, by which a command reaches it. */
export function keyOfEachServer(redis: unknown, prefix: string): string[] {
  if (!(redis instanceof Cluster)) return [prefix];
  const keys = new Map<string, string>();
  const servers = new Set(redis.slots.map((places) => places[0]));
  for (let tag = 0; keys.size < servers.size && tag < SLOTS; tag += 1) {
    const key = `${prefix}:{${tag}}`;
    const server = redis.slots[slotOf(key)]?.[0];
    if (server !== undefined && !keys.has(server)) keys.set(server, key);
  }
  return [...keys.values()];
}

/** The servers that take writes: the one, or each master of a cluster. */
export function writableServers(redis: unknown): Redis[] {
  return redis instanceof Cluster ? redis.nodes("master") : [redis as Redis];
}
