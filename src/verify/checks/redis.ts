/** The Redis server, or each master of a cluster. */
import { weakest } from "../../stream/durability.ts";
import { inspectRedis, type ServerFacts } from "../../stream/inspect.ts";
import { type Check, NO_REDIS } from "../context.ts";
import { failed, ok, warn } from "../finding.ts";
import { bytes, plural } from "../format.ts";

export const redis: Check = {
  name: "redis",
  async run({ redis, clock, expected }) {
    if (redis instanceof Error) return warn(`not reached: ${redis.message}`, NO_REDIS, { reached: false });
    const servers = await inspectRedis(redis, expected.bounds.partitions, () => clock.now_ms());
    const figures = figuresOf(servers);
    const text = describe(servers);
    const evicting = servers.filter(({ eviction }) => eviction !== "noeviction");
    if (evicting.length > 0)
      return failed(
        `${text}; ${named(evicting)}maxmemory-policy ${evicting[0]!.eviction} may drop accepted batches`,
        "CONFIG SET maxmemory-policy noeviction, and in redis.conf",
        figures,
      );
    const forgetful = servers.filter(({ append_only }) => !append_only);
    if (forgetful.length > 0)
      return warn(
        `${text}; ${named(forgetful)}appendonly is off: a restart loses accepted batches`,
        "CONFIG SET appendonly yes, and in redis.conf",
        figures,
      );
    const weak = servers.filter(({ durability }) => durability !== "always");
    if (expected.durability === "always" && weak.length > 0)
      return warn(
        `${text}; ${named(weak)}appendfsync is ${weak[0]!.durability}, REDIS_DURABILITY is always: a power cut loses accepted batches`,
        "CONFIG SET appendfsync always, and in redis.conf",
        figures,
      );
    const alone = servers.filter(({ replicas }) => replicas < expected.replicas);
    if (alone.length > 0)
      return failed(
        `${text}; ${named(alone)}fewer than ${plural(expected.replicas, "replica")}: batches are refused`,
        "Bring replicas back or add some; REDIS_REPLICAS says how many must have a batch",
        figures,
      );
    const idle = servers.filter(({ partitions }) => partitions.length === 0);
    if (idle.length > 0)
      return warn(
        `${text}; ${named(idle)}no partition of the stream is there`,
        "Raise STREAM_PARTITIONS (docs/scaling.md has numbers that spread well), or move slots",
        figures,
      );
    return ok(`${text}, append-only file on (appendfsync ${figures.durability}), no eviction`, figures);
  },
};

/** Which servers of a cluster are meant; nothing of a single one. */
const named = (servers: readonly ServerFacts[]) =>
  servers.map(({ address }) => (address === null ? "" : `${address}: `)).join("");

function describe(servers: readonly ServerFacts[]): string {
  const used = `${bytes(sum(servers, (one) => one.used_bytes))} used`;
  const version = `Redis ${[...new Set(servers.map((one) => one.version))].join(" and ")}`;
  if (servers[0]?.address == null) return `${version}, ${used}`;
  const each = servers.map(ofCluster).join("; ");
  return `${version}, cluster of ${plural(servers.length, "master")} (${each}), ${used}`;
}

const ofCluster = ({ address, partitions, replicas }: ServerFacts) =>
  `${address} with ${plural(replicas, "replica")} and partitions ${partitions.join(" ") || "none"}`;

function figuresOf(servers: readonly ServerFacts[]) {
  return {
    reached: true,
    version: servers[0]?.version ?? "unknown",
    append_only: servers.every(({ append_only }) => append_only),
    durability: weakest(servers.map(({ durability }) => durability)),
    eviction: servers.find(({ eviction }) => eviction !== "noeviction")?.eviction ?? "noeviction",
    used_bytes: sum(servers, (one) => one.used_bytes),
    max_bytes: sum(servers, (one) => one.max_bytes),
    clock_offset_ms: worstOffset(servers),
    replicas: Math.min(...servers.map(({ replicas }) => replicas)),
    ...(servers[0]?.address == null ? {} : { servers: servers.map(ofCluster) }),
  };
}

/** The clock that differs most from ours, ms; null without a server. */
export function worstOffset(servers: readonly ServerFacts[]): number | null {
  const offsets = servers.map((one) => one.clock_offset_ms);
  return offsets.toSorted((a, b) => Math.abs(b) - Math.abs(a))[0] ?? null;
}

const sum = (servers: readonly ServerFacts[], pick: (one: ServerFacts) => number) =>
  servers.reduce((n, one) => n + pick(one), 0);
