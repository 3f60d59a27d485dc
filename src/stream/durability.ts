/** What Redis does with what it has accepted, by its own settings. Nothing is written. */
import { writableServers } from "./cluster.ts";
import { reaching, replyCode } from "./connection.ts";
import { fieldsOfInfo } from "./info.ts";
import type { ScriptedRedis } from "./scripts.ts";

/**
 * When a write is on the disk. `always`: before it is answered; `everysec`: within a second; `os`: when the operating
 * system likes; `off`: never, a restart loses everything; `unknown`: Redis does not tell.
 */
export const DURABILITIES = ["always", "everysec", "os", "off", "unknown"] as const;
export type Durability = (typeof DURABILITIES)[number];

export interface Keeping {
  readonly durability: Durability;
  /** What Redis does when its memory is full; anything but noeviction may drop what was accepted. */
  readonly eviction: string;
}

type Asked = Pick<ScriptedRedis, "info" | "config">;

const WEAKER: readonly Durability[] = ["always", "everysec", "os", "unknown", "off"];
const BY_SETTING: Readonly<Record<string, Durability>> = {
  always: "always",
  everysec: "everysec",
  no: "os",
};

/** What holds for all of them. */
export const weakest = (durabilities: readonly Durability[]): Durability =>
  durabilities.toSorted((a, b) => WEAKER.indexOf(b) - WEAKER.indexOf(a))[0] ?? "unknown";

/** Of a cluster what the weakest of its masters does. @throws {StreamUnavailableError} */
export async function inspectKeeping(redis: ScriptedRedis | Asked): Promise<Keeping> {
  const all = await Promise.all(writableServers(redis).map(keepingOf));
  const durability = weakest(all.map((one) => one.durability));
  const evictions = all.map(({ eviction }) => eviction);
  const worst = evictions.find((eviction) => eviction.startsWith("allkeys-"));
  return { durability, eviction: worst ?? evictions.find((one) => one !== "noeviction") ?? "noeviction" };
}

/** Fields of INFO, and appendfsync where CONFIG is allowed (Redis documentation, "Persistence"). @throws {StreamUnavailableError} */
export async function keepingOf(redis: Asked): Promise<Keeping> {
  const info = await reaching(redis.info());
  const field = fieldsOfInfo(info);
  const eviction = field("maxmemory_policy") ?? "unknown";
  if (field("aof_enabled") !== "1") return { durability: "off", eviction };
  const setting = await appendFsync(redis);
  return { durability: BY_SETTING[setting ?? ""] ?? "unknown", eviction };
}

/** Null when this user of Redis may not ask, as with most that are rented. */
async function appendFsync(redis: Asked): Promise<string | null> {
  try {
    const [, value] = (await reaching(redis.config("GET", "appendfsync"))) as string[];
    return value ?? null;
  } catch (error) {
    if (replyCode(error) === undefined) throw error;
    return null;
  }
}
