/** What an API is made of, on real Redis and Postgres: everything that `createApp` is given. */
import { Registry } from "prom-client";
import { AccessRegister } from "../../src/api/auth/access-register.ts";
import { BulkNotes } from "../../src/api/auth/bulk-notes.ts";
import type { OutsideIdentity, OutsideTokens } from "../../src/api/auth/outside-tokens.ts";
import type { PasswordChecker } from "../../src/api/auth/passwords.ts";
import { DeadLetterDesk } from "../../src/api/dead-letter-desk.ts";
import type { ApiDeps, StopSignals, WorkerSummary } from "../../src/api/deps.ts";
import { OverviewHistory } from "../../src/api/overview-history.ts";
import { SystemNames } from "../../src/api/system-names.ts";
import { streamBounds } from "../../src/commands/environment.ts";
import { storesOf } from "../../src/commands/stores.ts";
import type { Config } from "../../src/config/variables.ts";
import { createUnitRegistry, type UnitDefinition } from "../../src/contract/units.ts";
import { Networks } from "../../src/notify/networks.ts";
import { type Resolve, Targets } from "../../src/notify/target.ts";
import { type Clock, systemClock } from "../../src/ops/clock.ts";
import type { Logger } from "../../src/ops/log.ts";
import { NO_TRACER, type Tracer } from "../../src/ops/trace.ts";
import { openDesk } from "../../src/review/open-desk.ts";
import { reviewMetrics } from "../../src/review/review-metrics.ts";
import { AccessStore } from "../../src/store/access.ts";
import { ApiKeyStore } from "../../src/store/api-keys.ts";
import { DeadLetterRecord } from "../../src/store/dead-letter-record.ts";
import { Database } from "../../src/store/pool.ts";
import { createQueries } from "../../src/store/queries/queries.ts";
import { Reader } from "../../src/store/queries/reader.ts";
import { Allowances } from "../../src/stream/allowance.ts";
import { ready, requestClient, subscriberClient } from "../../src/stream/connection.ts";
import { DeadLetters } from "../../src/stream/dead-letters.ts";
import { inspectKeeping } from "../../src/stream/durability.ts";
import { StreamHealth } from "../../src/stream/health.ts";
import { IdempotencyStore } from "../../src/stream/idempotency.ts";
import { JobSignals } from "../../src/stream/job-signals.ts";
import { JobBoard } from "../../src/stream/jobs.ts";
import { Producer } from "../../src/stream/producer.ts";
import { WorkerBoard } from "../../src/stream/worker-board.ts";

/** Life of an idempotency claim, ms. */
const CLAIM_TTL_MS = 60_000;

export interface ApiOptions {
  readonly config?: Partial<Config>;
  readonly clock?: Clock;
  /** Default: none. */
  readonly tracer?: Tracer;
  readonly passwords?: PasswordChecker;
  readonly workers?: readonly WorkerSummary[];
  /** Between two writes of what requests left behind. */
  readonly notes_every_ms?: number;
  readonly outside?: OutsideTokens;
  /** Addresses of webhooks' host names; default: those of the system. */
  readonly resolve?: Resolve;
  /** Beside the built-in ones. */
  readonly units?: readonly UnitDefinition[];
}

/** Fired by hand. */
export type StopSteps = Readonly<Record<keyof StopSignals, AbortController>>;
export type OpenedApi = Awaited<ReturnType<typeof openApi>>;

/** Everything is started, and `close` ends it. */
export async function openApi(
  urls: { readonly redis: string; readonly postgres: string },
  config: Config,
  options: ApiOptions,
  log: Logger,
) {
  const clock = options.clock ?? systemClock;
  const metrics = new Registry();
  const database = new Database({ url: urls.postgres, size: 2, query_deadline_ms: 10_000 });
  const { QUERY_POOL_SIZE: size, QUERY_DEADLINE_MS: deadline_ms } = config;
  const reader = new Reader({ url: urls.postgres, size, deadline_ms });
  const units = createUnitRegistry(options.units);
  const rules = { units, registration: "auto" } as const;
  const review = openDesk(database, "test:desk", rules, reviewMetrics(metrics), clock);
  const stores = storesOf(database);
  const systemNames = new SystemNames({ systems: stores.systems, clock, log });
  await systemNames.start();
  const { redis, stream } = await openStream(urls.redis, config, clock, log);
  const access = await openAccess(database, options, clock, log);
  const stop: StopSteps = {
    wanted: new AbortController(),
    closing: new AbortController(),
    hurry: new AbortController(),
  };
  const deps = {
    config,
    clock,
    log,
    metrics,
    tracer: options.tracer ?? NO_TRACER,
    ...stream,
    stop: { wanted: stop.wanted.signal, closing: stop.closing.signal, hurry: stop.hurry.signal },
    ...stores,
    ...access,
    deadLetters: new DeadLetterDesk(
      new DeadLetters(redis, config.STREAM_PARTITIONS),
      new DeadLetterRecord(database),
    ),
    systemNames,
    alertLimits: { share: 0.05, window_s: 3_600, min_readings: 1_000 },
    units,
    queries: createQueries(reader),
    review: review.desk,
    webhookTargets: new Targets(new Networks(config.WEBHOOK_ALLOWED_NETWORKS), options.resolve),
    database,
    workers: () => options.workers ?? [],
    ...(options.passwords ? { passwords: options.passwords } : {}),
  } satisfies ApiDeps;
  const close = async () => {
    await review.close();
    await access.register.stop();
    await systemNames.stop();
    await access.keyUses.stop();
    await access.identities.stop();
    redis.disconnect();
    stream.jobSignals.close();
    await database.close(1);
    await reader.close(1_000);
  };
  return { deps, stop, close };
}

async function openStream(url: string, config: Config, clock: Clock, log: Logger) {
  const redis = requestClient(url);
  await ready(redis, 30_000);
  const bounds = streamBounds(config);
  const streamHealth = new StreamHealth(redis, bounds);
  const workerBoard = new WorkerBoard(redis);
  const stream = {
    producer: new Producer(redis, bounds),
    recentBatches: { note: () => undefined },
    idempotency: new IdempotencyStore(redis, bounds.partitions, CLAIM_TTL_MS),
    jobBoard: new JobBoard(redis),
    jobSignals: new JobSignals(subscriberClient(url)),
    streamHealth,
    keeping: () => inspectKeeping(redis),
    workerBoard,
    overviewHistory: new OverviewHistory({ streamHealth, workerBoard, clock, log }),
    allowances: new Allowances(redis, clock),
  };
  return { redis, stream };
}

async function openAccess(database: Database, options: ApiOptions, clock: Clock, log: Logger) {
  const accessStore = new AccessStore(database);
  const register = new AccessRegister({ store: accessStore, clock, log });
  await register.start();
  const every_ms = options.notes_every_ms;
  const keyUses = new BulkNotes<number>({
    what: "uses",
    write: (uses) => accessStore.noteUses(uses),
    log,
    every_ms,
  });
  const identities = new BulkNotes<OutsideIdentity>({
    what: "identities",
    write: (notes) => accessStore.noteIdentities(notes),
    log,
    every_ms,
  });
  keyUses.start();
  identities.start();
  const outside = options.outside ?? null;
  return { accessStore, register, keyUses, identities, outside, apiKeys: new ApiKeyStore(database) };
}
