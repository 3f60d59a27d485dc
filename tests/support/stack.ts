/**
 * A whole service under test: databases of its own on the runner's services, proxies on request, any number of
 * programs as child processes, load, and the reckoning at the end.
 */
import { type Batch, BatchSource, randomFrom } from "./fault/batches.ts";
import { Load, type LoadSettings, loginFeeder, postBatch } from "./fault/load.ts";
import { type Program, startService } from "./fault/program.ts";
import { Reckoning } from "./fault/reckoning.ts";
import { createProxy, type TcpProxy } from "./proxy.ts";
import { createTestDatabase, createTestRedis } from "./test-services.ts";
import { until } from "./until.ts";

/**
 * Claims fast enough for tests, and patience with threads and bodies that get the processor late; for twice the time
 * of a body, the Idempotency-Keys of an API that died are held. Everything else as it is in real life.
 */
const FAST: Readonly<Record<string, string>> = {
  APP_ENV: "development",
  LOG_FORMAT: "json",
  CLAIM_IDLE_MS: "1000",
  BODY_TIMEOUT_MS: "5000",
  WORKER_HEARTBEAT_TIMEOUT_MS: "8000",
  WORKER_THREADS: "1",
};

export interface ServiceUrls {
  readonly database: string;
  readonly redis: string;
}

/** Readings of one batch under load. */
const READINGS = 100;

export class Stack {
  readonly programs: Program[] = [];
  readonly reckoning: Reckoning;
  #api: Program | null = null;
  readonly #closing: (() => Promise<unknown>)[] = [];

  /** @param through what the programs connect to, when that is not the services themselves */
  constructor(
    readonly urls: ServiceUrls,
    private readonly through: ServiceUrls = urls,
    private readonly settings: Readonly<Record<string, string>> = {},
  ) {
    this.reckoning = new Reckoning(urls.database, urls.redis, Number(settings.STREAM_PARTITIONS ?? 1));
  }

  /** Empty databases on the runner's services. */
  static async create(settings: Readonly<Record<string, string>> = {}): Promise<Stack> {
    const [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
    const stack = new Stack({ database: database.url, redis: redis.url }, undefined, settings);
    stack.#closing.push(database.drop, redis.drop);
    return stack;
  }

  /** The same with its stream in Redis at `redis`, which nobody else uses. */
  static async createOn(redis: string, settings: Readonly<Record<string, string>>): Promise<Stack> {
    const database = await createTestDatabase();
    const stack = new Stack({ database: database.url, redis }, undefined, settings);
    stack.#closing.push(database.drop);
    return stack;
  }

  /** The same with a proxy before each service. */
  static async createProxied(
    settings: Readonly<Record<string, string>> = {},
  ): Promise<{ stack: Stack; postgres: TcpProxy; redis: TcpProxy }> {
    const [database, redisDb] = await Promise.all([createTestDatabase(), createTestRedis()]);
    const [postgres, redis] = await Promise.all([createProxy(database.url), createProxy(redisDb.url)]);
    const through = { database: postgres.through(database.url), redis: redis.through(redisDb.url) };
    const stack = new Stack({ database: database.url, redis: redisDb.url }, through, settings);
    stack.#closing.push(database.drop, redisDb.drop, postgres.close, redis.close);
    return { stack, postgres, redis };
  }

  /** Settings of a program on this stack. */
  environment(settings: Readonly<Record<string, string>> = {}): Record<string, string> {
    const { database, redis } = this.through;
    return { ...FAST, DATABASE_URL: database, REDIS_URL: redis, ...this.settings, ...settings };
  }

  /** Start a program and wait until it is ready. */
  async start(
    role: "all" | "api" | "worker",
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Program> {
    const program = await startService(role, this.environment(settings));
    this.programs.push(program);
    await program.ready();
    if (role !== "worker") this.#api = program;
    return program;
  }

  /** The newest API. */
  get url(): string {
    if (!this.#api) throw new Error("no API was started");
    return this.#api.url;
  }

  login(): Promise<string> {
    return loginFeeder(this.url);
  }

  /** Load from several producers, at a moderate rate. */
  async load(seed: number, settings: Partial<LoadSettings> = {}, readings = READINGS): Promise<Load> {
    const source = new BatchSource(randomFrom(seed), readings);
    return new Load({
      url: () => this.url,
      token: settings.token ?? (await this.login()),
      next: () => source.next(),
      lanes: 6,
      rate: 60,
      ...settings,
    });
  }

  /** All that was accepted is finished, exactly once. */
  async settle(load: Pick<Load, "accepted">, deadline_ms = 60_000): Promise<void> {
    await this.reckoning.drained(deadline_ms, () => this.tail());
    await this.reckoning.expectExactly(load.accepted);
  }

  /**
   * Send the batches of lost jobs again, as their producers are told to.
   * @returns what the tables must hold when all is finished
   */
  async sendLostAgain(
    { accepted }: Pick<Load, "accepted">,
    lost: ReadonlySet<string>,
  ): Promise<Map<string, Batch>> {
    const token = await this.login();
    const expected = new Map([...accepted].filter(([id]) => !lost.has(id)));
    for (const id of lost) {
      const batch = accepted.get(id);
      if (!batch) throw new Error(`${id} is said to be lost and was never accepted`);
      const response = await until("it is taken", () => this.#sendAgain(token, batch), 60_000);
      expected.set(((await response.json()) as { job_id: string }).job_id, batch);
    }
    return expected;
  }

  /**
   * @returns undefined while the key is held by the request that was cut off, or the service is not ready, after the wait
   *   that the answer asks for
   */
  async #sendAgain(token: string, batch: Batch): Promise<Response | undefined> {
    const response = await postBatch(this.url, token, batch);
    if (response.status === 202) return response;
    const { type } = (await response.json()) as { type: string };
    if (response.status !== 503 && !type.endsWith("/idempotency-in-flight"))
      throw new Error(`answered ${response.status} ${type} to a batch that was sent again`);
    await Bun.sleep(Number(response.headers.get("Retry-After")) * 1_000);
    return undefined;
  }

  tail(): string {
    return this.programs.map((p) => `--- ${p.pid} ${p.alive ? "alive" : "ended"}\n${p.tail(25)}`).join("\n");
  }

  /** Kill what still runs and remove everything. */
  async close(): Promise<void> {
    for (const program of this.programs) if (program.alive) await program.kill();
    await this.reckoning.close();
    for (const close of this.#closing) await close();
  }
}
