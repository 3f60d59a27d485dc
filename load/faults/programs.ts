/** The service's own processes, each with proxies of its own to Redis and PostgreSQL. */
import { appendFileSync, closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../src/commands/environment.ts";
import { APIS, type ProgramName } from "./kinds.ts";
import type { Life } from "./supervised.ts";
import type { ThreadFault, ThreadOrder, ThreadReport } from "./thread-faults.ts";

const HOST = "127.0.0.1";
const PROBE_DEADLINE_MS = 3_000;
const SECRET = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64");

/** Time that an ordered stop of a program may take, ms. */
export const GRACE_MS = 10_000;
export const PARTITIONS = 2;

/** As it is in real life, but for times that a run of many faults cannot wait for. */
const SETTINGS: Readonly<Record<string, string>> = {
  APP_ENV: "production",
  JWT_SECRET_KEY: SECRET,
  JWT_ACCESS_TOKEN_EXPIRE_MINUTES: "43200",
  LOG_FORMAT: "json",
  HOST,
  STREAM_PARTITIONS: String(PARTITIONS),
  CLAIM_IDLE_MS: "1500",
  WORKER_HEARTBEAT_TIMEOUT_MS: "5000",
  BODY_TIMEOUT_MS: "2000",
  WORKER_THREADS: "2",
  SHUTDOWN_GRACE_MS: String(GRACE_MS),
};

export interface ProgramPlace {
  readonly name: ProgramName;
  /** Of the API, or of a worker's probes. */
  readonly port: number;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly logFolder: string;
  /** Put before the program's argv. */
  readonly prefix: readonly string[];
}

/** Only what a program needs of this process, so that no setting of the caller leaks into it. */
export const environmentOf = (databaseUrl: string, redisUrl: string): Record<string, string> => ({
  PATH: process.env.PATH ?? "",
  HOME: process.env.HOME ?? "/tmp",
  ...SETTINGS,
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
});

type Child = Bun.Subprocess<"ignore", number, number>;

export class Program implements Life {
  readonly #isApi: boolean;
  #child: Child | null = null;
  #orders = 0;
  readonly #waiting = new Map<number, (report: ThreadReport) => void>();

  constructor(private readonly place: ProgramPlace) {
    this.#isApi = APIS.some((api) => api === place.name);
  }

  get logPath(): string {
    return join(this.place.logFolder, `${this.place.name}.log`);
  }

  async launch() {
    const { name, port, databaseUrl, redisUrl, prefix } = this.place;
    const log = openSync(this.logPath, "a");
    appendFileSync(log, `--- ${new Date().toISOString()} ${name} begins\n`);
    const preload = this.#isApi ? [] : ["--preload", join(import.meta.dir, "thread-faults.ts")];
    const role = this.#isApi ? "api" : "worker";
    const child: Child = Bun.spawn([...prefix, process.execPath, ...preload, "src/main.ts", "start", role], {
      cwd: ROOT,
      stdio: ["ignore", log, log],
      env: {
        ...environmentOf(databaseUrl, redisUrl),
        [this.#isApi ? "PORT" : "WORKER_OPS_PORT"]: String(port),
      },
      ...(this.#isApi ? {} : { ipc: (report: ThreadReport) => this.#waiting.get(report.id)?.(report) }),
    });
    closeSync(log);
    this.#child = child;
    return { pid: child.pid, code: () => child.exited.then(() => child.exitCode) };
  }

  /** As a load balancer and an orchestrator see it; a worker only with all its threads. */
  async isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`http://${HOST}:${this.place.port}/readyz`, {
        signal: AbortSignal.timeout(PROBE_DEADLINE_MS),
        keepalive: false,
      });
      return answer.ok && ((await answer.json()) as { status: string }).status === "ready";
    } catch {
      return false; // not there, or silent
    }
  }

  /** Something happens to one of the process's threads. @returns what the process saw of it, null when nothing in time */
  async orderThread(
    fault: ThreadFault,
    draw: number,
    hold_ms: number,
    deadline_ms: number,
  ): Promise<ThreadReport["seen"]> {
    this.#orders += 1;
    const order: ThreadOrder = { id: this.#orders, fault, draw, hold_ms };
    const { promise, resolve } = Promise.withResolvers<ThreadReport | null>();
    this.#waiting.set(order.id, resolve);
    const timer = setTimeout(() => resolve(null), deadline_ms);
    this.#child?.send(order);
    const report = await promise;
    clearTimeout(timer);
    this.#waiting.delete(order.id);
    return report?.seen ?? null;
  }
}
