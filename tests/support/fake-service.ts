/**
 * The service's HTTP contract in one process, for tests of the programs that feed it: login, ingest with
 * idempotency, jobs, quarantine pages. Readings are judged by the project's own rules; storage is a Map.
 * Answers can be scripted per route: a status, a lost connection before or after the work, or silence.
 */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { ReadingColumns } from "../../src/contract/columns.ts";
import { type JobRecord, toJobView } from "../../src/contract/job.ts";
import type { Refusal } from "../../src/contract/refusal.ts";
import { checkReadings, DEFAULT_MAX_FUTURE_MS, DEFAULT_MAX_PAST_YEARS } from "../../src/contract/rules.ts";
import { createUnitRegistry } from "../../src/contract/units.ts";

export type Route = "login" | "ingest" | "job" | "quarantine";
/** `drop`: the connection ends before the work is done; `drop-after`: after it; `hang`: no answer ever. */
export type Scripted =
  | "drop"
  | "drop-after"
  | "hang"
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown };

interface FakeJob {
  record: JobRecord;
  refusals: Refusal[];
  polls_left: number;
}

export interface FakeSettings {
  readonly systems: readonly string[];
  readonly users: Record<string, string>;
  /** s */
  readonly expires_in: number;
  /** How often a job is still `processing` when it is asked for. */
  readonly polls_until_done: number;
  /** Largest page of the quarantine. */
  readonly page: number;
}

const DEFAULTS: FakeSettings = {
  systems: ["550e8400-e29b-41d4-a716-446655440000"],
  users: Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`feeder-${i + 1}`, "password"])),
  expires_in: 3600,
  polls_until_done: 1,
  page: 1000,
};

const RULES = {
  units: createUnitRegistry(),
  maxFuture_ms: DEFAULT_MAX_FUTURE_MS,
  maxPast_years: DEFAULT_MAX_PAST_YEARS,
};

export class FakeService {
  /** Stored readings: `sensor|timestamp_us` to the value in the canonical unit. */
  readonly stored = new Map<string, number>();
  readonly jobs = new Map<string, FakeJob>();
  /** Every request in order of arrival. */
  readonly requests: { route: Route; headers: IncomingMessage["headers"]; body: string }[] = [];
  readonly settings: FakeSettings;
  /** Changes what a finished job says, to play a service that counts wrongly. */
  tamper: (record: JobRecord) => JobRecord = (record) => record;
  /** Sent with every answer of ingest. */
  limitHeaders: Record<string, string> = {};
  /** Ingest answers with the finished job when it is asked to wait (RFC 7240). */
  answersWhenDone = false;
  url = "";
  #hanging: (() => void)[] = [];
  readonly #server: Server;
  readonly #scripts = new Map<Route, Scripted[]>();
  readonly #systems: Set<string>;
  readonly #tokens = new Map<string, number>();
  readonly #keys = new Map<string, { job_id: string; fingerprint: string }>();

  private constructor(settings: Partial<FakeSettings>) {
    this.settings = { ...DEFAULTS, users: { ...DEFAULTS.users }, ...settings };
    this.#systems = new Set(this.settings.systems);
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(settings: Partial<FakeSettings> = {}): Promise<FakeService> {
    const fake = new FakeService(settings);
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    fake.url = `http://127.0.0.1:${(fake.#server.address() as AddressInfo).port}`;
    return fake;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** The next answers of a route, one for each request; afterwards it works again. */
  script(route: Route, ...answers: readonly Scripted[]): void {
    this.#scripts.set(route, [...(this.#scripts.get(route) ?? []), ...answers]);
  }

  /** Requests that hang are worked on now. */
  release(): void {
    for (const go of this.#hanging.splice(0)) go();
  }

  addUser(username: string, password: string): void {
    this.settings.users[username] = password;
  }

  registerSystem(system_id: string): void {
    this.#systems.add(system_id);
  }

  /** Tokens handed out so far are worth nothing any more. */
  revokeTokens(): void {
    this.#tokens.clear();
  }

  count(route: Route): number {
    return this.requests.filter((request) => request.route === route).length;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const sent = Buffer.concat(chunks);
    const body = (request.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent).toString();
    const url = new URL(request.url ?? "/", "http://fake");
    const route = routeOf(request.method ?? "", url.pathname);
    if (route === null) return answer(response, 404, problem("not found"));
    this.requests.push({ route, headers: request.headers, body });
    const scripted = this.#scripts.get(route)?.shift();
    if (scripted === "hang") await new Promise<void>((resolve) => this.#hanging.push(resolve));
    if (scripted === "drop") return void request.socket.destroy();
    if (typeof scripted === "object") {
      return answer(response, scripted.status, scripted.body ?? problem("scripted"), scripted.headers);
    }
    const { status, json, headers } = this.#work(route, url, request, body);
    if (scripted === "drop-after") return void request.socket.destroy();
    answer(response, status, json, headers);
  }

  #work(
    route: Route,
    url: URL,
    request: IncomingMessage,
    body: string,
  ): { status: number; json: unknown; headers?: Record<string, string> } {
    if (route === "login") return this.#login(body);
    const token = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    if ((this.#tokens.get(token) ?? 0) <= Date.now()) return { status: 401, json: problem("no token") };
    if (route === "ingest") return this.#answered(request, this.#ingest(body, request));
    const job = this.jobs.get(url.pathname.split("/")[4] ?? "");
    if (!job) return { status: 404, json: problem("unknown job") };
    return { status: 200, json: route === "job" ? this.#poll(job) : this.#page(job, url.searchParams) };
  }

  #login(body: string) {
    const { username, password } = JSON.parse(body) as { username: string; password: string };
    if (this.settings.users[username] !== password) return { status: 401, json: problem("wrong password") };
    const token = randomUUID();
    this.#tokens.set(token, Date.now() + this.settings.expires_in * 1000);
    const json = { access_token: token, token_type: "bearer", expires_in: this.settings.expires_in };
    return { status: 200, json };
  }

  #answered(
    request: IncomingMessage,
    answer: { status: number; json: unknown; headers?: Record<string, string> },
  ) {
    const headers = { ...answer.headers, ...this.limitHeaders };
    const job = this.jobs.get((answer.json as { job_id?: string }).job_id ?? "");
    if (job && this.answersWhenDone && request.headers.prefer) {
      return { status: 200, json: toJobView(this.tamper(job.record)), headers };
    }
    return { ...answer, headers };
  }

  #ingest(body: string, request: IncomingMessage) {
    const key = String(request.headers["idempotency-key"] ?? "");
    const fingerprint = createHash("sha256").update(body).digest("hex");
    const known = this.#keys.get(key);
    if (known && known.fingerprint !== fingerprint) return { status: 422, json: problem("another payload") };
    if (known) {
      const headers = { "Idempotent-Replayed": "true" };
      return { status: 202, json: { job_id: known.job_id, status: "queued" }, headers };
    }
    const batch = JSON.parse(body) as { system_id: string; readings: unknown[] };
    if (batch.readings.length < 1 || batch.readings.length > 10_000) {
      return { status: 400, json: problem("1 to 10,000 readings") };
    }
    const job_id = this.#process(batch);
    if (key !== "") this.#keys.set(key, { job_id, fingerprint });
    return { status: 202, json: { job_id, status: "queued" } };
  }

  #process({ system_id, readings }: { system_id: string; readings: unknown[] }): string {
    const columns = new ReadingColumns(readings.length);
    const refusals: Refusal[] = [];
    checkReadings(readings, 0, Date.now(), RULES, columns, refusals);
    const known = this.#systems.has(system_id);
    const counts = known
      ? this.#store(columns, refusals)
      : { inserted: 0, duplicate: 0, refusals: readings.map((raw, ordinal) => unregistered(raw, ordinal)) };
    const job_id = randomUUID();
    const record: JobRecord = {
      job_id,
      system_id,
      created_by: "feeder",
      status: known ? "completed" : "failed",
      total_readings: readings.length,
      inserted_readings: counts.inserted,
      duplicate_readings: counts.duplicate,
      quarantined_readings: counts.refusals.length,
      created_at_ms: Date.now(),
      started_at_ms: Date.now(),
      completed_at_ms: Date.now() + 5,
      error_message: known ? null : `system ${system_id} is not registered`,
    };
    counts.refusals.sort((a, b) => a.ordinal - b.ordinal);
    this.jobs.set(job_id, { record, refusals: counts.refusals, polls_left: this.settings.polls_until_done });
    return job_id;
  }

  #store(columns: ReadingColumns, refusals: Refusal[]) {
    let inserted = 0;
    let duplicate = 0;
    for (let row = 0; row < columns.length; row += 1) {
      const key = `${columns.sensors[columns.sensor[row]!]}|${columns.timestamp_us[row]}`;
      const value = columns.value[row]!;
      const stored = this.stored.get(key);
      if (stored === undefined) {
        this.stored.set(key, value);
        inserted += 1;
      } else if (stored === value) duplicate += 1;
      else refusals.push({ ...unregistered(null, columns.ordinal[row]!), reason: "duplicate" });
    }
    return { inserted, duplicate, refusals };
  }

  #poll(job: FakeJob) {
    if (job.polls_left === 0) return toJobView(this.tamper(job.record));
    job.polls_left -= 1;
    return toJobView({ ...job.record, status: "processing", completed_at_ms: null });
  }

  #page({ refusals }: FakeJob, query: URLSearchParams) {
    const after = Number(query.get("after") ?? -1);
    const limit = Math.min(this.settings.page, Number(query.get("limit") ?? this.settings.page));
    const rest = refusals.filter(({ ordinal }) => ordinal > after);
    const items = rest.slice(0, limit).map(({ details, batch: _, ...refusal }) => ({
      ...refusal,
      reason_details: details,
    }));
    const counts: Record<string, number> = {};
    for (const { reason } of refusals) counts[reason] = (counts[reason] ?? 0) + 1;
    return { items, next: rest.length > limit ? items.at(-1)!.ordinal : null, counts };
  }
}

function unregistered(raw: unknown, ordinal: number): Refusal {
  return {
    batch: 0,
    ordinal,
    reason: "system_not_found",
    details: "refused by the fake service",
    raw,
    sensor_id: null,
    timestamp_us: null,
    value: null,
    unit: null,
    quality: null,
    range_version: null,
  };
}

function routeOf(method: string, path: string): Route | null {
  if (method === "POST" && path === "/api/v1/auth/login") return "login";
  if (method === "POST" && path === "/api/v1/data/ingest") return "ingest";
  if (method === "GET" && /^\/api\/v1\/jobs\/[^/]+\/?$/.test(path)) return "job";
  return method === "GET" && /^\/api\/v1\/jobs\/[^/]+\/quarantine$/.test(path) ? "quarantine" : null;
}

function problem(detail: string) {
  return { type: "about:blank", title: "Problem", detail };
}

function answer(
  response: ServerResponse,
  status: number,
  json: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(typeof json === "string" ? json : JSON.stringify(json));
}
