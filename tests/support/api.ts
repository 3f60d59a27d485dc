/** The API on real Redis and Postgres, served on a free port, with a proxy before each of the two. */
import { Registry } from "prom-client";
import { createApp } from "../../src/api/app.ts";
import type { App } from "../../src/api/app-env.ts";
import { AccessRegister } from "../../src/api/auth/access-register.ts";
import { AccessTokens } from "../../src/api/auth/access-tokens.ts";
import { BulkNotes } from "../../src/api/auth/bulk-notes.ts";
import type { OutsideIdentity, OutsideTokens } from "../../src/api/auth/outside-tokens.ts";
import { hashPassword, type PasswordChecker } from "../../src/api/auth/passwords.ts";
import { recount } from "../../src/api/auth/recount.ts";
import { DeadLetterDesk } from "../../src/api/dead-letter-desk.ts";
import type { StopSignals, WorkerSummary } from "../../src/api/deps.ts";
import { OverviewHistory } from "../../src/api/overview-history.ts";
import { type RunningServer, startServer } from "../../src/api/server.ts";
import { SystemNames } from "../../src/api/system-names.ts";
import type { Config } from "../../src/config/variables.ts";
import { loadConfig } from "../../src/config.ts";
import { createUnitRegistry, type UnitDefinition } from "../../src/contract/units.ts";
import { Networks } from "../../src/notify/networks.ts";
import { type Resolve, Targets } from "../../src/notify/target.ts";
import { type Clock, systemClock } from "../../src/ops/clock.ts";
import { createLogger } from "../../src/ops/log.ts";
import { NO_TRACER, type Tracer } from "../../src/ops/trace.ts";
import { openDesk } from "../../src/review/open-desk.ts";
import { reviewMetrics } from "../../src/review/review-metrics.ts";
import { AccessStore } from "../../src/store/access.ts";
import { AlertStore } from "../../src/store/alerts.ts";
import { ApiKeyStore } from "../../src/store/api-keys.ts";
import { DeadLetterRecord } from "../../src/store/dead-letter-record.ts";
import { JobStore } from "../../src/store/jobs.ts";
import { MappingStore } from "../../src/store/mappings.ts";
import { Database } from "../../src/store/pool.ts";
import { QuarantineStore } from "../../src/store/quarantine.ts";
import { createQueries } from "../../src/store/queries/queries.ts";
import { Reader } from "../../src/store/queries/reader.ts";
import { SensorRangeStore } from "../../src/store/sensor-ranges.ts";
import { SensorStore } from "../../src/store/sensors.ts";
import { SystemStore } from "../../src/store/systems.ts";
import { type Role, UserStore } from "../../src/store/users.ts";
import { DeliveryLog } from "../../src/store/webhooks/deliveries.ts";
import { WebhookStore } from "../../src/store/webhooks/webhooks.ts";
import { Allowances } from "../../src/stream/allowance.ts";
import { ready, requestClient, subscriberClient } from "../../src/stream/connection.ts";
import { DeadLetters } from "../../src/stream/dead-letters.ts";
import { inspectKeeping } from "../../src/stream/durability.ts";
import { StreamHealth } from "../../src/stream/health.ts";
import { IdempotencyStore } from "../../src/stream/idempotency.ts";
import { JobSignals } from "../../src/stream/job-signals.ts";
import { JobBoard } from "../../src/stream/jobs.ts";
import { streamKey } from "../../src/stream/keys.ts";
import { Producer } from "../../src/stream/producer.ts";
import type { ScriptedRedis } from "../../src/stream/scripts.ts";
import { WorkerBoard } from "../../src/stream/worker-board.ts";
import { AnswerCheck } from "./contract/answers.ts";
import type { OpenApiDocument } from "./contract/document.ts";
import { createProxy, type TcpProxy } from "./proxy.ts";
import { createTestDatabase, createTestRedis } from "./test-services.ts";

/** Life of an idempotency claim, ms. */
const CLAIM_TTL_MS = 60_000;

export interface TestUser {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly token: string;
}

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

/** Redis and Postgres of one suite; several APIs may run on them. */
export class ApiBench {
  /** Each ends one served API with all that it opened. */
  readonly #closers: (() => Promise<void>)[] = [];

  private constructor(
    /** Straight to the services, past the proxies. */
    readonly redis: ScriptedRedis,
    readonly database: Database,
    readonly redisProxy: TcpProxy,
    readonly postgresProxy: TcpProxy,
    private readonly urls: { redis: string; postgres: string },
    /** Past the proxies, for other programs on the same services. */
    readonly straight: { redis: string; postgres: string },
    private readonly drop: () => Promise<void>,
  ) {}

  static async create(): Promise<ApiBench> {
    const [redis, postgres] = await Promise.all([createTestRedis(), createTestDatabase()]);
    const [redisProxy, postgresProxy] = await Promise.all([
      createProxy(redis.url),
      createProxy(postgres.url),
    ]);
    const client = requestClient(redis.url);
    await ready(client, 30_000);
    const database = new Database({ url: postgres.url, size: 2, query_deadline_ms: 10_000 });
    const urls = { redis: redisProxy.through(redis.url), postgres: postgresProxy.through(postgres.url) };
    const straight = { redis: redis.url, postgres: postgres.url };
    return new ApiBench(client, database, redisProxy, postgresProxy, urls, straight, async () => {
      await Promise.all([redis.drop(), postgres.drop()]);
    });
  }

  /** Serve an API on these services. */
  async start(options: ApiOptions = {}): Promise<TestApi> {
    const config = { ...loadConfig({}), ...options.config };
    const clock = options.clock ?? systemClock;
    const lines: string[] = [];
    const into = { write: (line: string) => lines.push(line) > 0 } as unknown as NodeJS.WritableStream;
    const log = createLogger({ level: "debug", format: "json" }, into);
    const redis = requestClient(this.urls.redis);
    await ready(redis, 30_000);
    const database = new Database({ url: this.urls.postgres, size: 2, query_deadline_ms: 10_000 });
    const reader = new Reader({
      url: this.urls.postgres,
      size: config.QUERY_POOL_SIZE,
      deadline_ms: config.QUERY_DEADLINE_MS,
    });
    const jobSignals = new JobSignals(subscriberClient(this.urls.redis));
    const stop: StopSteps = {
      wanted: new AbortController(),
      closing: new AbortController(),
      hurry: new AbortController(),
    };
    const bounds = {
      partitions: config.STREAM_PARTITIONS,
      max_entries: config.BACKLOG_MAX_ENTRIES,
      max_bytes: config.BACKLOG_MAX_BYTES,
      idempotency_ttl_s: config.IDEMPOTENCY_TTL_HOURS * 3600,
    };
    const streamHealth = new StreamHealth(redis, bounds);
    const workerBoard = new WorkerBoard(redis);
    const overviewHistory = new OverviewHistory({ streamHealth, workerBoard, clock, log });
    const metrics = new Registry();
    const review = openDesk(
      database,
      "test:desk",
      { units: createUnitRegistry(options.units), registration: "auto" },
      reviewMetrics(metrics),
      clock,
    );
    const accessStore = new AccessStore(database);
    const systems = new SystemStore(database);
    const systemNames = new SystemNames({ systems, clock, log });
    await systemNames.start();
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
    const app = createApp({
      config,
      clock,
      log,
      metrics,
      tracer: options.tracer ?? NO_TRACER,
      producer: new Producer(redis, bounds),
      recentBatches: { note: () => undefined },
      idempotency: new IdempotencyStore(redis, bounds.partitions, CLAIM_TTL_MS),
      jobBoard: new JobBoard(redis),
      jobSignals,
      workerBoard,
      stop: { wanted: stop.wanted.signal, closing: stop.closing.signal, hurry: stop.hurry.signal },
      streamHealth,
      overviewHistory,
      keeping: () => inspectKeeping(redis),
      allowances: new Allowances(redis, clock),
      users: new UserStore(database),
      accessStore,
      register,
      keyUses,
      identities,
      outside: options.outside ?? null,
      apiKeys: new ApiKeyStore(database),
      jobs: new JobStore(database),
      quarantine: new QuarantineStore(database),
      deadLetters: new DeadLetterDesk(
        new DeadLetters(redis, bounds.partitions),
        new DeadLetterRecord(database),
      ),
      systems,
      systemNames,
      sensors: new SensorStore(database),
      mappings: new MappingStore(database),
      alertLimits: { share: 0.05, window_s: 3_600, min_readings: 1_000 },
      alerts: new AlertStore(database),
      ranges: new SensorRangeStore(database),
      units: createUnitRegistry(options.units),
      queries: createQueries(reader),
      review: review.desk,
      webhooks: new WebhookStore(database),
      deliveries: new DeliveryLog(database),
      webhookTargets: new Targets(new Networks(config.WEBHOOK_ALLOWED_NETWORKS), options.resolve),
      database,
      workers: () => options.workers ?? [],
      ...(options.passwords ? { passwords: options.passwords } : {}),
    });
    const server = startServer(app, {
      hostname: "127.0.0.1",
      port: 0,
      trusted_proxies: config.TRUSTED_PROXIES,
      body_timeout_ms: config.BODY_TIMEOUT_MS,
      query_deadline_ms: config.QUERY_DEADLINE_MS,
      log,
    });
    this.#closers.push(async () => {
      stop.closing.abort();
      await server.stop(1_000);
      await review.close();
      await register.stop();
      await systemNames.stop();
      await keyUses.stop();
      await identities.stop();
      redis.disconnect();
      jobSignals.close();
      await database.close(1);
      await reader.close(1_000);
    });
    return new TestApi(
      app,
      server,
      config,
      clock,
      lines,
      this.database,
      stop,
      register,
      systemNames,
      overviewHistory,
    );
  }

  /** Batches in the stream. */
  async streamLength(): Promise<number> {
    return this.redis.xlen(streamKey(0));
  }

  async close(): Promise<void> {
    this.redisProxy.resume();
    this.postgresProxy.resume();
    for (const close of this.#closers) await close();
    await Promise.all([this.redisProxy.close(), this.postgresProxy.close()]);
    this.redis.disconnect();
    await this.database.close(1);
    await this.drop();
  }
}

/** Fired by hand. */
type StopSteps = Readonly<Record<keyof StopSignals, AbortController>>;

const GENEROUS = 1_000_000;

/** One served API. */
export class TestApi {
  readonly #tokens: AccessTokens;
  #check: Promise<AnswerCheck> | undefined;

  constructor(
    readonly app: App,
    readonly server: RunningServer,
    readonly config: Config,
    clock: Clock,
    /** Log lines so far, JSON. */
    readonly logLines: readonly string[],
    private readonly database: Database,
    readonly stop: StopSteps,
    /** What this API knows of users. */
    readonly register: AccessRegister,
    /** Looks every 2 s by itself. */
    readonly systemNames: SystemNames,
    /** Looks when it is told to. */
    readonly history: OverviewHistory,
  ) {
    this.#tokens = new AccessTokens(
      {
        secret: config.JWT_SECRET_KEY,
        algorithm: config.JWT_ALGORITHM,
        lifetime_s: config.JWT_ACCESS_TOKEN_EXPIRE_MINUTES * 60,
      },
      clock,
    );
  }

  /** Every answer is held against the OpenAPI document. @throws {ContractError} */
  async fetch(path: string, init?: RequestInit): Promise<Response> {
    const response = await fetch(this.server.url + path, init);
    this.#check ??= this.#readDocument();
    await (await this.#check).check(init?.method ?? "GET", path, response);
    return response;
  }

  async #readDocument(): Promise<AnswerCheck> {
    return new AnswerCheck((await (await this.app.request("/openapi.json")).json()) as OpenApiDocument);
  }

  /** A token for a new user whose password nobody knows: enough for everything but logging in. */
  async tokenFor(
    role: Role,
    options: {
      requests_per_minute?: number | null;
      readings_per_minute?: number | null;
      systems?: readonly string[] | null;
    } = {},
  ): Promise<TestUser> {
    const username = `${role}-${crypto.randomUUID().slice(0, 8)}`;
    const id = await new UserStore(this.database).create({
      username,
      role,
      password_hash: "",
      requests_per_minute: GENEROUS,
      readings_per_minute: GENEROUS,
      ...options,
    });
    await recount(this.register);
    return { id, username, password: "", token: await this.tokenOf(id, username, role) };
  }

  /** A token for anybody. */
  async tokenOf(id: string, username: string, role: Role, token_version = 0): Promise<string> {
    return (await this.#tokens.issue({ id, username, role, token_version })).access_token;
  }

  /** A user who can log in. */
  async createUser(
    role: Role,
    { username = `${role}-${crypto.randomUUID()}`, password = "correct horse" } = {},
  ): Promise<Omit<TestUser, "token">> {
    const id = await new UserStore(this.database).create({
      username,
      role,
      password_hash: await hashPassword(password),
      requests_per_minute: null,
      readings_per_minute: null,
    });
    return { id, username, password };
  }

  login(username: unknown, password: unknown): Promise<Response> {
    return this.fetch("/api/v1/auth/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username, password }),
    });
  }

  /** Send a batch; headers may replace the usual ones. */
  ingest(
    token: string,
    body: NonNullable<RequestInit["body"]>,
    headers: Record<string, string> = {},
    query = "",
  ): Promise<Response> {
    return this.fetch(`/api/v1/data/ingest${query}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}`, ...headers },
      body,
    });
  }

  /** Any other request; a body is sent as JSON, a string as it is. */
  call(token: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    return this.fetch(path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  }

  job(token: string, job_id: string): Promise<Response> {
    return this.fetch(`/api/v1/jobs/${job_id}/`, { headers: { Authorization: `Bearer ${token}` } });
  }
}

/** A batch whose envelope is good. */
export function batchOf(readings: number, system_id = "550e8400-e29b-41d4-a716-446655440000") {
  return {
    system_id,
    readings: Array.from({ length: readings }, (_, i) => ({
      sensor_id: "550e8400-e29b-41d4-a716-446655440001",
      timestamp: new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString(),
      value: 100 + (i % 50),
      unit: "bar",
      quality: 95,
    })),
  };
}
