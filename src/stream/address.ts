/** What REDIS_URL says: one server, or some nodes of a Redis Cluster, from which the others are learned. */

export interface ClusterNodeAddress {
  readonly host: string;
  readonly port: number;
}

export interface ClusterAddress {
  readonly nodes: readonly ClusterNodeAddress[];
  readonly username?: string;
  readonly password?: string;
}

const HOST_AND_PORT = String.raw`(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z_.-]+):\d{1,5}`;
const CLUSTER = new RegExp(
  String.raw`^rediss?-cluster://(?:([^\s/@:]*)(?::([^\s/@]*))?@)?(${HOST_AND_PORT}(?:,${HOST_AND_PORT})*)/?$`,
);

/**
 * The nodes of `redis-cluster://[user:password@]host:port,host:port,…` (`rediss-cluster:` with TLS); null for any other
 * URL. User and password are percent-encoded, as in every URL (RFC 3986 section 2.1).
 */
export function clusterAddress(url: string): ClusterAddress | null {
  const [matched, username, password, list = ""] = CLUSTER.exec(url) ?? [];
  if (matched === undefined) return null;
  const nodes = list.split(",").map((place) => {
    const colon = place.lastIndexOf(":");
    const host = place.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
    return { host, port: Number(place.slice(colon + 1)) };
  });
  if (nodes.some(({ port }) => port < 1 || port > 65_535)) return null;
  try {
    return {
      nodes,
      ...(username ? { username: decodeURIComponent(username) } : {}),
      ...(password ? { password: decodeURIComponent(password) } : {}),
    };
  } catch {
    return null; // a % that begins no character
  }
}
