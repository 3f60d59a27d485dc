/** The Redis server, or each master of a cluster. */
import { weakest } from "../../stream/durability.ts";
import { inspectRedis, type ServerFacts } from "../../stream/inspect.ts";
import { type Check, type Expectations, NO_REDIS } from "../context.ts";
import { failed, ok, warn } from "../finding.ts";
import { bytes, plural } from "../format.ts";

export const redis: Check = {
  name: "redis",
  async run({ redis, clock, expected }) {
    if (redis instanceof Error) return warn(`not reached: ${redis.message}`, NO_REDIS, { reached: false });
    const servers = await inspectRedis(redis, expected.bounds.partitions, () => clock.now_ms());
    const figures = figuresOf(servers);
    const text = describe(servers);
    for (const { level, isAtFault, says, remedy } of FAULTS) {
      const at_fault = servers.filter((server) => isAtFault(server, expected));
      if (at_fault.length === 0) continue;
      return level(`${text}; ${named(at_fault)}${says(at_fault[0]!, expected)}`, remedy, figures);
    }
    return ok(`${text}, append-only file on (appendfsync ${figures.durability}), no eviction`, figures);
  },
};

/** What may be wrong with a server. */
interface Fault {
  readonly level: typeof failed | typeof warn;
  readonly isAtFault: (server: ServerFacts, expected: Expectations) => boolean;
  /** @param first of those at fault */
  readonly says: (first: ServerFacts, expected: Expectations) => string;
  readonly remedy: string;
}

/** Asked in this order; the first that is found is told. */
const FAULTS: readonly Fault[] = [
  {
    level: failed,
    isAtFault: ({ eviction }) => eviction !== "noeviction",
    says: ({ eviction }) => `maxmemory-policy ${eviction} may drop accepted batches`,
    remedy: "CONFIG SET maxmemory-policy noeviction, and in redis.conf",
  },
  {
    level: warn,
    isAtFault: ({ append_only }) => !append_only,
    says: () => "appendonly is off: a restart loses accepted batches",
    remedy: "CONFIG SET appendonly yes, and in redis.conf",
  },
  {
    level: warn,
    isAtFault: ({ durability }, expected) => expected.durability === "always" && durability !== "always",
    says: ({ durability }) =>
      `appendfsync is ${durability}, REDIS_DURABILITY is always: a power cut loses accepted batches`,
    remedy: "CONFIG SET appendfsync always, and in redis.conf",
  },
  {
    level: failed,
    isAtFault: ({ replicas }, expected) => replicas < expected.replicas,
    says: (_, expected) => `fewer than ${plural(expected.replicas, "replica")}: batches are refused`,
    remedy: "Bring replicas back or add some; REDIS_REPLICAS says how many must have a batch",
  },
  {
    level: warn,
    isAtFault: ({ partitions }) => partitions.length === 0,
    says: () => "no partition of the stream is there",
    remedy: "Raise STREAM_PARTITIONS (docs/scaling.md has numbers that spread well), or move slots",
  },
];

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
