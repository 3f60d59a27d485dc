import { createApp } from "../../src/api/app.ts";
import type { App } from "../../src/api/app-env.ts";
import type { AccessRegister } from "../../src/api/auth/access-register.ts";
import { AccessTokens } from "../../src/api/auth/access-tokens.ts";
import { hashPassword } from "../../src/api/auth/passwords.ts";
import { recount } from "../../src/api/auth/recount.ts";
import type { OverviewHistory } from "../../src/api/overview-history.ts";
import { type RunningServer, startServer } from "../../src/api/server.ts";
import type { SystemNames } from "../../src/api/system-names.ts";
import type { Config } from "../../src/config/variables.ts";
import { loadConfig } from "../../src/config.ts";
import { createLogger } from "../../src/ops/log.ts";
import { Database } from "../../src/store/pool.ts";
import { type Role, UserStore } from "../../src/store/users.ts";
import { ready, requestClient } from "../../src/stream/connection.ts";
import { streamKey } from "../../src/stream/keys.ts";
import type { ScriptedRedis } from "../../src/stream/scripts.ts";
import { type ApiOptions, type OpenedApi, openApi, type StopSteps } from "./api-parts.ts";
import { AnswerCheck } from "./contract/answers.ts";
import type { OpenApiDocument } from "./contract/document.ts";
import { createProxy, type TcpProxy } from "./proxy.ts";
import { createTestDatabase, createTestRedis } from "./test-services.ts";

export interface TestUser {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly token: string;
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
    const lines: string[] = [];
    const into = { write: (line: string) => lines.push(line) > 0 } as unknown as NodeJS.WritableStream;
    const log = createLogger({ level: "debug", format: "json" }, into);
    const { deps, stop, close } = await openApi(this.urls, config, options, log);
    const app = createApp(deps);
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
      await close();
    });
    return new TestApi(app, server, config, lines, this.database, stop, deps);
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

const GENEROUS = 1_000_000;

/** One served API. */
export class TestApi {
  /** What this API knows of users. */
  readonly register: AccessRegister;
  /** Looks every 2 s by itself. */
  readonly systemNames: SystemNames;
  /** Looks when it is told to. */
  readonly history: OverviewHistory;
  readonly #tokens: AccessTokens;
  #check: Promise<AnswerCheck> | undefined;

  constructor(
    readonly app: App,
    readonly server: RunningServer,
    readonly config: Config,
    /** Log lines so far, JSON. */
    readonly logLines: readonly string[],
    private readonly database: Database,
    readonly stop: StopSteps,
    { clock, register, systemNames, overviewHistory }: OpenedApi["deps"],
  ) {
    this.register = register;
    this.systemNames = systemNames;
    this.history = overviewHistory;
    this.#tokens = new AccessTokens(
      {
        secret: config.JWT_SECRET_KEY,
        algorithm: config.JWT_ALGORITHM,
        lifetime_s: config.JWT_ACCESS_TOKEN_EXPIRE_MINUTES * 60,
        session_s: config.SESSION_MAX_HOURS * 3_600,
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
