/** Connections for one purpose each: to the server of a partition, wherever it is at the moment. */
import { Cluster } from "ioredis";
import { serverOf } from "./cluster.ts";
import { StreamUnavailableError, serverClient } from "./connection.ts";
import { Line } from "./line.ts";
import { StreamReader } from "./reader.ts";
import type { ScriptedRedis } from "./scripts.ts";

/**
 * A line to the server that holds a partition.
 * @param redis a client of the same URL; in a cluster its map of slots says where the partition is
 */
export function openLine(
  url: string,
  redis: ScriptedRedis,
  partition: number,
  onError?: (error: Error) => void,
): Line {
  if (!(redis instanceof Cluster)) return new Line(() => serverClient(url, null, onError));
  const open = () => {
    const server = serverOf(redis, partition);
    if (server === null)
      throw new StreamUnavailableError(`Redis Cluster: nobody serves partition ${partition}`);
    return serverClient(url, server, onError);
  };
  return new Line(open, () => redis.refreshSlotsCache());
}

/** Reads new entries on connections of its own. @param redis as for `openLine` */
export function openReader(
  url: string,
  redis: ScriptedRedis,
  onError?: (error: Error) => void,
): StreamReader {
  return new StreamReader(
    (partition) => openLine(url, redis, partition ?? 0, onError),
    redis instanceof Cluster,
  );
}
