import type { Registry } from "prom-client";
import type { Config } from "../config/variables.ts";
import type { AlertLimits } from "../contract/alert.ts";
import type { UnitRegistry } from "../contract/units.ts";
import type { Targets } from "../notify/target.ts";
import type { Clock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import type { Tracer } from "../ops/trace.ts";
import type { ReviewDesk } from "../review/desk.ts";
import type { AccessStore } from "../store/access.ts";
import type { AlertStore } from "../store/alerts.ts";
import type { ApiKeyStore } from "../store/api-keys.ts";
import type { JobStore } from "../store/jobs.ts";
import type { MappingStore } from "../store/mappings.ts";
import type { Database } from "../store/pool.ts";
import type { QuarantineStore } from "../store/quarantine.ts";
import type { Queries } from "../store/queries/queries.ts";
import type { ReplicaWatch } from "../store/replica/replica-watch.ts";
import type { SensorRangeStore } from "../store/sensor-ranges.ts";
import type { SensorStore } from "../store/sensors.ts";
import type { SystemStore } from "../store/systems.ts";
import type { UserStore } from "../store/users.ts";
import type { DeliveryLog } from "../store/webhooks/deliveries.ts";
import type { WebhookStore } from "../store/webhooks/webhooks.ts";
import type { Allowances } from "../stream/allowance.ts";
import type { Keeping } from "../stream/durability.ts";
import type { StreamHealth } from "../stream/health.ts";
import type { IdempotencyStore } from "../stream/idempotency.ts";
import type { JobSignals } from "../stream/job-signals.ts";
import type { JobBoard } from "../stream/jobs.ts";
import type { Producer } from "../stream/producer.ts";
import type { WorkerBoard } from "../stream/worker-board.ts";
import type { AccessRegister } from "./auth/access-register.ts";
import type { BulkNotes } from "./auth/bulk-notes.ts";
import type { Credentials } from "./auth/credentials.ts";
import type { OutsideIdentity, OutsideTokens } from "./auth/outside-tokens.ts";
import type { PasswordChecker } from "./auth/passwords.ts";
import type { RecentBatches } from "./batch/recent-batches.ts";
import type { DeadLetterDesk } from "./dead-letter-desk.ts";
import type { Exports } from "./formats/export.ts";
import type { JobWatch } from "./job-watch.ts";
import type { Places } from "./limits/places.ts";
import type { OverviewHistory } from "./overview-history.ts";
import type { SystemNames } from "./system-names.ts";

/** One ingest thread, for `/health`. */
export interface WorkerSummary {
  readonly name: string;
  /** For people: running, starting, draining, stopped … */
  readonly state: string;
  /** Since its last sign of life, ms. */
  readonly heartbeat_age_ms: number | null;
  readonly restarts: number;
}

/** The variables that the API reads. */
export type ApiConfig = Pick<
  Config,
  | "JWT_SECRET_KEY"
  | "JWT_ACCEPTED_KEY"
  | "JWT_ALGORITHM"
  | "JWT_ACCESS_TOKEN_EXPIRE_MINUTES"
  | "SESSION_MAX_HOURS"
  | "RATE_LIMIT_REQUESTS_PER_MINUTE"
  | "RATE_LIMIT_READINGS_PER_MINUTE"
  | "LOGIN_ATTEMPTS_PER_MINUTE"
  | "MAX_BODY_BYTES"
  | "MAX_COMPRESSION_RATIO"
  | "BODY_TIMEOUT_MS"
  | "WAIT_MAX_SECONDS"
>;

/** The steps of a stop, in this order. */
export interface StopSignals {
  /** Somebody wants the process to stop: it still serves, but others should be asked, and `/readyz` says so. */
  readonly wanted: AbortSignal;
  /** The server is about to stop: answers without an end come to one. */
  readonly closing: AbortSignal;
  /** The time for requests in work is nearly over: what is left is answered now. */
  readonly hurry: AbortSignal;
}

/** Handed to `createApp`. */
export interface ApiDeps {
  readonly config: ApiConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** HTTP metrics are added to it, and `/metrics` prints all of it. */
  readonly metrics: Registry;
  readonly tracer: Pick<Tracer, "begin">;
  readonly producer: Pick<Producer, "offer">;
  /** Is told of every batch that was accepted. */
  readonly recentBatches: Pick<RecentBatches, "note">;
  readonly idempotency: Pick<IdempotencyStore, "begin" | "abandon">;
  readonly jobBoard: Pick<JobBoard, "many">;
  /** Hears which jobs have changed. */
  readonly jobSignals: Pick<JobSignals, "listen">;
  readonly streamHealth: Pick<StreamHealth, "probe" | "look" | "accepted">;
  /** What Redis does with what it has accepted, asked anew each time. */
  readonly keeping: () => Promise<Keeping>;
  readonly workerBoard: Pick<WorkerBoard, "all">;
  /** Kept in the background. */
  readonly overviewHistory: Pick<OverviewHistory, "points" | "rates">;
  readonly allowances: Pick<Allowances, "take" | "giveBack">;
  readonly users: Pick<
    UserStore,
    "findByName" | "findById" | "get" | "create" | "change" | "setPassword" | "endTokens"
  >;
  readonly accessStore: Pick<AccessStore, "endToken">;
  /** Started. */
  readonly register: AccessRegister;
  readonly keyUses: Pick<BulkNotes<number>, "note">;
  /** Null: there is no outside identity provider. */
  readonly outside: OutsideTokens | null;
  readonly identities: Pick<BulkNotes<OutsideIdentity>, "note" | "flush">;
  readonly apiKeys: Pick<ApiKeyStore, "list" | "get" | "create" | "change" | "revoke" | "rotate">;
  readonly jobs: Pick<JobStore, "many">;
  readonly quarantine: Pick<QuarantineStore, "ofJob">;
  readonly deadLetters: DeadLetterDesk;
  /** Read in the background. */
  readonly systemNames: Pick<SystemNames, "idsOf">;
  readonly systems: Pick<
    SystemStore,
    "list" | "get" | "unknown" | "register" | "change" | "archive" | "restore"
  >;
  readonly sensors: Pick<
    SensorStore,
    "list" | "get" | "readingSpan" | "register" | "change" | "archive" | "restore"
  >;
  readonly mappings: Pick<MappingStore, "list" | "get" | "set" | "remove">;
  /** Of the service, for systems without their own. */
  readonly alertLimits: AlertLimits;
  readonly alerts: Pick<AlertStore, "limits" | "setLimits" | "acknowledge">;
  readonly ranges: Pick<SensorRangeStore, "versions" | "set">;
  /** The same that the ingest threads judge by. */
  readonly units: UnitRegistry;
  /** Over a pool of their own. */
  readonly queries: Queries;
  /** Absent or null: there is no read replica. */
  readonly replica?: Pick<ReplicaWatch, "health"> | null;
  readonly webhooks: Pick<WebhookStore, "get" | "page" | "create" | "change" | "remove" | "rotate">;
  readonly deliveries: Pick<DeliveryLog, "page" | "get" | "test" | "redeliver">;
  /** Where webhooks may lead. */
  readonly webhookTargets: Pick<Targets, "find">;
  readonly review: Pick<ReviewDesk, "dryRun" | "decide" | "enqueue" | "tasks">;
  readonly database: Pick<Database, "ping">;
  /** The ingest threads of this process; empty when it runs none. */
  readonly workers: () => readonly WorkerSummary[];
  readonly stop: StopSignals;
  /** Replaces the built-in checker, in tests. */
  readonly passwords?: PasswordChecker;
}

/** `ApiDeps` with what `createApp` derives from them once. */
export interface RouteDeps extends ApiDeps {
  /** Whom requests come from. */
  readonly tokens: Credentials;
  readonly passwords: PasswordChecker;
  readonly jobWatch: JobWatch;
  /** Of all lists together. */
  readonly exports: Exports;
  /** Of server-sent events. */
  readonly streams: Pick<Places, "take">;
}
