/** A suite of the console in a real browser on a running service, with what producers and reviewers do beside it. */
import { afterAll, beforeAll } from "bun:test";
import type { Page } from "playwright-core";
import type { DeadLetterView } from "../../src/contract/oversight.ts";
import type { QuarantineCounts, QuarantinedReading } from "../../src/contract/quarantine-review.ts";
import { choosePort } from "../../src/services/free-port.ts";
import { inChromium, signIn, type Theme, type Visit, visit, WIDE } from "./console-browser.ts";
import { type Program, runProgram } from "./fault/program.ts";
import { Stack } from "./stack.ts";
import { until } from "./until.ts";

/** The system of a development start, and the password of its users. */
export const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
export const PASSWORD = "password";
export const sensorId = (n: number) => `550e8400-e29b-41d4-a716-4466554a${n.toString(16).padStart(4, "0")}`;
const GOOD_BAR = 125;
/** The same in psi; a gateway that calls it bar sends it. */
export const MISLABELLED = 1813;

class ConsoleService {
  #program: Program | undefined;
  readonly #tokens = new Map<string, string>();

  private constructor(
    readonly stack: Stack,
    private readonly port: string,
  ) {}

  static async create(): Promise<ConsoleService> {
    // Log-ins and batches of a test come faster than people's.
    const stack = await Stack.create({
      LOGIN_ATTEMPTS_PER_MINUTE: "1000",
      RATE_LIMIT_REQUESTS_PER_MINUTE: "1000",
      WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8",
    });
    const service = new ConsoleService(stack, String(await choosePort(undefined, [])));
    await service.start();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#program = await this.stack.start("all", { PORT: this.port });
  }

  /** As an operator does. */
  async stop(): Promise<void> {
    this.#program?.signal("SIGTERM");
    await this.#program?.end(30_000);
  }

  async createUser(username: string, role: string): Promise<void> {
    const made = await runProgram(
      ["create-user", username, "--role", role],
      this.stack.environment(),
      `${PASSWORD}\n`,
    );
    if (made.code !== 0) throw new Error(`create-user ended with ${made.code}: ${made.stderr}`);
  }

  /** An answer of the API to a user. @throws {Error} when it is none of 2xx */
  async api<T>(path: string, options: { user?: string; method?: string; body?: unknown } = {}): Promise<T> {
    const { user = "admin", method = "GET", body } = options;
    const headers = {
      Authorization: `Bearer ${await this.#token(user)}`,
      "Content-Type": "application/json",
    };
    const response = await fetch(this.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async #token(username: string): Promise<string> {
    const known = this.#tokens.get(username);
    if (known) return known;
    const response = await fetch(`${this.url}/api/v1/auth/login`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username, password: PASSWORD }),
    });
    const { access_token } = (await response.json()) as { access_token: string };
    this.#tokens.set(username, access_token);
    return access_token;
  }

  /** Readings of a sensor, one a second up to now, the last of them mislabelled. @returns the job */
  async send(sensor_id: string, readings: number, faults: number, user = "admin"): Promise<string> {
    const from_ms = Date.now() - readings * 1_000;
    const batch = Array.from({ length: readings }, (_, i) => ({
      sensor_id,
      timestamp: new Date(from_ms + i * 1_000).toISOString(),
      value: i < readings - faults ? GOOD_BAR : MISLABELLED,
      unit: "bar",
    }));
    const { job_id } = await this.api<{ job_id: string }>("/api/v1/data/ingest", {
      user,
      method: "POST",
      body: { system_id: SYSTEM, readings: batch },
    });
    await until(
      "the batch is judged",
      async () =>
        (await this.api<{ is_completed: boolean }>(`/api/v1/jobs/${job_id}/`, { user })).is_completed,
    );
    return job_id;
  }

  /** How many readings of a sensor, or of all, are pending. */
  async pending(sensor_id?: string): Promise<number> {
    const path = `/api/v1/quarantine/counts${sensor_id ? `?sensor_id=${sensor_id}` : ""}`;
    return (await this.api<QuarantineCounts>(path)).total.count;
  }

  /** Quarantined readings of a sensor, newest first. */
  async refused(sensor_id: string, status = "any"): Promise<readonly QuarantinedReading[]> {
    const path = `/api/v1/quarantine?sensor_id=${sensor_id}&status=${status}&limit=500`;
    return (await this.api<{ items: QuarantinedReading[] }>(path)).items;
  }

  /** The dead letter of a job, if it has one. */
  async letterOf(job_id: string): Promise<DeadLetterView | undefined> {
    return (await this.api<{ items: DeadLetterView[] }>(`/api/v1/dead-letters?job_id=${job_id}`)).items[0];
  }

  close(): Promise<void> {
    return this.stack.close();
  }
}

export interface ServiceSuite {
  readonly service: () => ConsoleService;
  readonly visit: (theme?: Theme, viewport?: typeof WIDE) => Promise<Visit>;
  /** A new visitor who has signed in and stands at the path below /console. */
  readonly enter: (path: string, username?: string) => Promise<Visit>;
}

export function serviceSuite(name: string, tests: (suite: ServiceSuite) => void): void {
  inChromium(name, (browser) => {
    let service: ConsoleService;
    beforeAll(async () => {
      service = await ConsoleService.create();
    });
    afterAll(() => service?.close(), 60_000);
    const arrive = (theme: Theme = "light", viewport = WIDE) => visit(browser(), theme, viewport);
    tests({
      service: () => service,
      visit: arrive,
      enter: async (path, username = "admin") => {
        const visitor = await arrive();
        await signIn(visitor.page, service.url, { path, username, password: PASSWORD });
        return visitor;
      },
    });
  });
}

/** The dialog of decisions. */
export const decisionOf = (page: Page) => page.getByRole("dialog", { name: "Act on quarantine" });

/** Waits until the overview tells that so many readings wait for review. */
export const waiting = (page: Page, count: number): Promise<void> =>
  page
    .locator(".figure", { hasText: "Waiting for review" })
    .locator(".figure-value")
    .getByText(new RegExp(`^${count} `))
    .waitFor();
