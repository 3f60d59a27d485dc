/** What the supervisor and a thread say to each other: one tagged union for each direction, plain data only. */
import type { SensorRegistration } from "../contract/membership.ts";
import type { RefusalReason } from "../contract/refusal.ts";
import type { UnitDefinition } from "../contract/units.ts";
import type { LogSettings } from "../ops/log.ts";
import type { SpanReport, TraceSettings } from "../ops/trace-settings.ts";
import type { Way } from "../store/writer/group.ts";

/** All that a thread needs to build its own connections and rules. */
export interface ThreadSettings {
  readonly database_url: string;
  readonly redis_url: string;
  readonly partitions: number;
  readonly job_ttl_s: number;
  readonly claim_idle_ms: number;
  readonly heartbeat_ms: number;
  readonly units: readonly UnitDefinition[];
  readonly sensor_registration: SensorRegistration;
  readonly log: LogSettings;
  /** Without it no traces are made. */
  readonly tracing?: TraceSettings;
  /** Consumer in the group, session in Postgres and name in logs: unique for every life of a thread, 63 bytes at most. */
  readonly consumer: string;
  /** The consumer of the thread that this one replaces. */
  readonly predecessor: string | null;
}

export type ToThread =
  | { readonly kind: "start"; readonly settings: ThreadSettings }
  /** Finish what is in hand, read nothing new; what is not done after `deadline_ms` stays in the stream. */
  | { readonly kind: "drain"; readonly deadline_ms: number };

/** One committed transaction. */
export interface GroupReport {
  readonly jobs_completed: number;
  readonly jobs_failed: number;
  readonly inserted: number;
  readonly duplicate: number;
  readonly quarantined: Readonly<Partial<Record<RefusalReason, number>>>;
  readonly way: Way;
  /** Stages, ms: decode and JSON, rules and order, COPY encoding, COPY, ledger and COMMIT. */
  readonly parse_ms: number;
  readonly check_ms: number;
  readonly encode_ms: number;
  readonly copy_ms: number;
  readonly commit_ms: number;
  /** From acceptance to COMMIT of the oldest job, ms. */
  readonly oldest_ms: number;
}

export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "heartbeat"; readonly in_hand: number }
  | { readonly kind: "committed"; readonly report: GroupReport }
  | { readonly kind: "retrying"; readonly fault: string }
  | { readonly kind: "dead_letter" }
  | { readonly kind: "spans"; readonly report: SpanReport }
  | { readonly kind: "drained" }
  | { readonly kind: "fatal"; readonly message: string };
