/** What the checks look at and by which settings they judge. */
import type { Clock } from "../ops/clock.ts";
import type { Edition } from "../store/edition.ts";
import type { HypertableFacts } from "../store/inspect/hypertable.ts";
import type { ServerFacts } from "../store/inspect/server.ts";
import type { Database } from "../store/pool.ts";
import type { StreamBounds } from "../stream/producer.ts";
import type { ScriptedRedis } from "../stream/scripts.ts";
import { type Finding, notAvailable } from "./finding.ts";

export interface Expectations {
  readonly migrations_directory: string;
  readonly chunk_interval_days: number;
  readonly compress_after_days: number;
  readonly retention_days: number;
  readonly bounds: StreamBounds;
  /** That Redis is to have. */
  readonly durability: "everysec" | "always";
  /** Replicas that each Redis server must have (REDIS_REPLICAS). */
  readonly replicas: number;
}

export interface VerifyContext {
  /** Its sessions are read-only. */
  readonly database: Database;
  /** The client; or why there is none. */
  readonly redis: ScriptedRedis | Error;
  readonly expected: Expectations;
  readonly clock: Clock;
  /** Evenly distributed from 0 to below 1; the same seed draws the same samples. */
  readonly draw: () => number;
  /** Days of sensors whose hourly aggregate is compared. */
  readonly samples: number;
  /** What is compared of jobs and stored readings, from `since_ms` (ms since the epoch) or all; null: nothing. */
  readonly accounts: { readonly since_ms: number | null } | null;
  /** Told what goes on while a check takes long. */
  readonly progress?: (text: string) => void;
  /** Ends a check that takes long, by its reason. */
  readonly stop?: AbortSignal;
}

/** Looked at once, because most checks need them. */
export interface Surveyed {
  readonly server: ServerFacts;
  /** Null without extension or hypertable. */
  readonly hypertable: HypertableFacts | null;
}

/** What to do when Redis is not reached. */
export const NO_REDIS = "Start Redis, or correct REDIS_URL";

export interface Check {
  /** Stable name in tables and JSON. */
  readonly name: string;
  run(context: VerifyContext, surveyed: Surveyed): Promise<Finding>;
}

/** A check that makes no sense before the schema is there; it is not asked then. */
export function withHypertable(
  name: string,
  run: (context: VerifyContext, surveyed: WithHypertable) => Promise<Finding>,
): Check {
  return {
    name,
    run: (context, { server, hypertable }) =>
      hypertable && server.timescaledb
        ? run(context, { hypertable, edition: server.timescaledb.edition, server })
        : Promise.resolve(notAvailable("not before the schema is there")),
  };
}

export interface WithHypertable extends Surveyed {
  readonly hypertable: HypertableFacts;
  readonly edition: Edition;
}
