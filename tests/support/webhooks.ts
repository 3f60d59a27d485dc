/** Webhooks of a test: made in the database, told by a dispatcher in this process. */
import { afterAll, afterEach, beforeAll } from "bun:test";
import { Registry } from "prom-client";
import type { Role } from "../../src/contract/roles.ts";
import type { DeliveredEvent, WebhookEvent } from "../../src/contract/webhook-events.ts";
import { Dispatcher, type DispatcherSettings } from "../../src/notify/dispatcher.ts";
import { Networks } from "../../src/notify/networks.ts";
import { notifyMetrics } from "../../src/notify/notify-metrics.ts";
import { newSecret } from "../../src/notify/signature.ts";
import { type Resolve, Targets } from "../../src/notify/target.ts";
import { systemClock } from "../../src/ops/clock.ts";
import { createLogger } from "../../src/ops/log.ts";
import { Database } from "../../src/store/pool.ts";
import { UserStore } from "../../src/store/users.ts";
import { WebhookStore } from "../../src/store/webhooks/webhooks.ts";
import { type Receiver, startReceiver } from "./receiver.ts";
import { createTestDatabase, type TestService } from "./test-services.ts";
import { until } from "./until.ts";

export interface TestWebhook {
  readonly id: string;
  readonly secret: string;
  readonly owner: string;
}

export interface DispatcherOptions extends Partial<DispatcherSettings> {
  readonly allowed?: readonly string[];
  readonly resolve?: Resolve;
}

export interface RunningDispatcher {
  readonly dispatcher: Dispatcher;
  /** Log lines so far, JSON. */
  readonly lines: readonly string[];
  /** The value of a metric, by its name and labels as they are printed. */
  metric(name: string): Promise<number>;
  /** Resolves when the metric has this value: what is written down is counted after that. */
  counts(name: string, value: number): Promise<unknown>;
  /** Resolves when a log line has these words. */
  says(words: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** A dispatcher that tries quickly, and into loopback unless told otherwise. */
function startDispatcher(
  database_url: string,
  { allowed = ["127.0.0.0/8"], resolve, ...settings }: DispatcherOptions = {},
): RunningDispatcher {
  const lines: string[] = [];
  const into = { write: (line: string) => lines.push(line) > 0 } as unknown as NodeJS.WritableStream;
  const metrics = new Registry();
  const dispatcher = new Dispatcher(
    {
      database_url,
      session_name: "test:webhooks",
      user_agent: "hydraulic-ingest/test",
      interval_ms: 20,
      timeout_ms: 60_000,
      retry_delays_ms: [20, 20, 20],
      ...settings,
    },
    new Targets(new Networks(allowed), resolve),
    systemClock,
    createLogger({ level: "debug", format: "json" }, into),
    notifyMetrics(metrics),
  );
  dispatcher.start();
  const metric = async (name: string) => {
    const line = (await metrics.metrics()).split("\n").find((text) => text.startsWith(`${name} `));
    return Number(line?.slice(name.length));
  };
  return {
    dispatcher,
    lines,
    metric,
    counts: (name, value) => until(`${name} is ${value}`, async () => (await metric(name)) === value),
    says: (words) => until(`the log says ${words}`, () => lines.some((line) => line.includes(words))),
    stop: () => dispatcher.stop(5_000),
  };
}

/** A database of its own for the suite; receivers and dispatchers that end with each test, and tables that are empty then. */
export function webhookScene() {
  let service: TestService;
  let database: Database;
  const receivers: Receiver[] = [];
  const running: RunningDispatcher[] = [];
  beforeAll(async () => {
    service = await createTestDatabase(false);
    database = new Database({ url: service.url, size: 3, query_deadline_ms: 10_000 });
  });
  afterEach(async () => {
    for (const dispatcher of running.splice(0)) await dispatcher.stop();
    for (const receiver of receivers.splice(0)) await receiver.close();
    await database.sql`TRUNCATE diagnostics_webhook, diagnostics_webhook_delivery, diagnostics_user CASCADE`;
  });
  afterAll(async () => {
    await database.close(1);
    await service.drop();
  });
  return {
    get database() {
      return database;
    },
    async receiver(...args: Parameters<typeof startReceiver>): Promise<Receiver> {
      const started = await startReceiver(...args);
      receivers.push(started);
      return started;
    },
    dispatch(options: DispatcherOptions = {}): RunningDispatcher {
      const started = startDispatcher(service.url, options);
      running.push(started);
      return started;
    },
    async webhookOf(id: string) {
      return (await new WebhookStore(database).get(id))!.webhook;
    },
  };
}

/** A user without a password. */
export function makeUser(database: Database, role: Role, systems: readonly string[] | null = null) {
  return new UserStore(database).create({
    username: `${role}-${crypto.randomUUID().slice(0, 8)}`,
    role,
    password_hash: "",
    requests_per_minute: null,
    readings_per_minute: null,
    systems,
  });
}

/** A webhook as it would be made over HTTP; the address is not checked. */
export async function makeWebhook(
  database: Database,
  url: string,
  {
    owner,
    events = ["job.completed", "job.failed"],
    scope = "own",
    ...more
  }: {
    readonly owner?: string;
    readonly events?: readonly WebhookEvent[];
    readonly scope?: "own" | "all";
    readonly [column: string]: unknown;
  } = {},
): Promise<TestWebhook> {
  const { sql } = database;
  const webhook = {
    id: Bun.randomUUIDv7(),
    secret: newSecret(),
    owner: owner ?? (await makeUser(database, scope === "all" ? "admin" : "producer")),
  };
  const row = { id: webhook.id, secret: webhook.secret, created_by: webhook.owner, url, scope, ...more };
  await sql`INSERT INTO diagnostics_webhook ${sql({ ...row, events: sql.array([...events], 1009) } as never)}`;
  return webhook;
}

/** Note deliveries as the end of a job of the webhook's user does, and tell their ids. */
export async function note(
  { sql }: Database,
  webhook_id: string,
  count = 1,
  event: DeliveredEvent = "job.completed",
  more: Readonly<Record<string, unknown>> = {},
): Promise<string[]> {
  const [owner] = await sql`SELECT created_by FROM diagnostics_webhook WHERE id = ${webhook_id}`;
  const rows = Array.from({ length: count }, () => ({
    webhook_id,
    event,
    subject_id: crypto.randomUUID(),
    snapshot: { ...SNAPSHOT, ...owner },
    ...more,
  }));
  const made = await sql<{ id: string }[]>`
    INSERT INTO diagnostics_webhook_delivery ${sql(rows as never)} RETURNING id::text`;
  return made.map(({ id }) => id);
}

/** A job of somebody. */
export const SNAPSHOT = {
  job_id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a00",
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  created_by: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a10",
  status: "completed",
  total_readings: 2,
  inserted_readings: 2,
  duplicate_readings: 0,
  quarantined_readings: 0,
  created_at_ms: 1_762_555_802_000,
  started_at_ms: 1_762_555_802_010,
  completed_at_ms: 1_762_555_802_031,
  error_message: null,
};
