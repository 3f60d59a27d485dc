/** The service under test: a process of its own, started as anyone would start it, with every feature on. */
import { mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../../src/commands/environment.ts";
import { choosePort } from "../../src/services/free-port.ts";
import { BENCH_DIR, PASSWORD, type Stack, USERS } from "./stack.ts";

const HOST = "127.0.0.1";
const READY_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 30_000;
/** What `start` says last; a worker has no port to ask. */
const WORKER_READY = '"msg":"ready"';
/** Signs the tokens of the service; the hostile run makes expired ones with it. */
export const SECRET = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64");

export interface Service {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Access tokens, one for each user. */
  readonly tokens: readonly string[];
  /** Text of `/metrics`. */
  metrics(): Promise<string>;
  stop(): Promise<void>;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
}

/** What is started, where its log goes and who logs in. */
export interface ServiceKind {
  readonly role: "all" | "api";
  readonly logPath: string;
  readonly users: readonly string[];
  /** Variables beside those of every service here. */
  readonly settings?: Readonly<Record<string, string>>;
}

const WHOLE: ServiceKind = { role: "all", logPath: join(BENCH_DIR, "service.log"), users: USERS };

/** What every process of the service is started with. */
const environmentOf = ({ databaseUrl, redisUrl }: Pick<Stack, "databaseUrl" | "redisUrl">) => ({
  ...process.env,
  APP_ENV: "production",
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
  STREAM_PARTITIONS: "1",
  LOG_FORMAT: "json",
});

/** Whatever ends the benchmark, nothing that it started goes on. */
const running = new Set<Bun.Subprocess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

function started(child: Bun.Subprocess): void {
  running.add(child);
  child.exited.finally(() => running.delete(child));
}

/** SIGTERM, and SIGKILL after the deadline. */
async function end(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  await child.exited;
  clearTimeout(timer);
}

/** A process that only works. */
export interface WorkerProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * @param threads of it; without, as many as it takes by itself
 * @throws {Error} when it does not get ready; its log says why
 */
export async function startWorker(
  stack: Pick<Stack, "databaseUrl" | "redisUrl">,
  threads?: number,
): Promise<WorkerProcess> {
  const logPath = join(BENCH_DIR, "worker.log");
  const log = openLog(logPath);
  const env = {
    ...environmentOf(stack),
    ...(threads === undefined ? {} : { WORKER_THREADS: String(threads) }),
  };
  const argv = [process.execPath, "src/main.ts", "start", "worker"];
  const child = Bun.spawn(argv, { cwd: ROOT, stdio: ["ignore", log, log], env });
  started(child);
  const until_ms = performance.now() + READY_DEADLINE_MS;
  while (!(await Bun.file(logPath).text()).includes(WORKER_READY)) {
    if (child.exitCode !== null || performance.now() > until_ms) {
      await end(child);
      throw new Error(`the worker is not ready; its log is ${logPath}`);
    }
    await Bun.sleep(50);
  }
  return { pid: child.pid, stop: () => end(child) };
}

/** @param profile folder for a CPU profile @throws {Error} when it does not get ready; its log says why */
export async function startService(
  stack: Pick<Stack, "databaseUrl" | "redisUrl">,
  profile: string | undefined,
  { role, logPath, users, settings }: ServiceKind = WHOLE,
): Promise<Service> {
  const port = await choosePort(undefined, []);
  const log = openLog(logPath);
  const profiling = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile];
  const child = Bun.spawn([process.execPath, ...profiling, "src/main.ts", "start", role], {
    cwd: ROOT,
    stdio: ["ignore", log, log],
    env: {
      ...environmentOf(stack),
      HOST,
      PORT: String(port),
      JWT_SECRET_KEY: SECRET,
      ...settings,
    },
  });
  started(child);
  const url = `http://${HOST}:${port}`;
  const stop = () => end(child);
  const kill = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  try {
    await untilReady(url, () => child.exitCode !== null, logPath);
    const tokens = await Promise.all(users.map((user) => login(url, user)));
    const metrics = async () => (await fetch(`${url}/metrics`)).text();
    return { host: HOST, port, pid: child.pid, tokens, metrics, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A new log. With services that are given, nothing else has made its folder. */
function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, "w");
}

async function untilReady(url: string, ended: () => boolean, logPath: string): Promise<void> {
  const end = performance.now() + READY_DEADLINE_MS;
  while (performance.now() < end && !ended()) {
    if (await isReady(url)) return;
    await Bun.sleep(50);
  }
  throw new Error(`the service is not ready; its log is ${logPath}`);
}

/** No answer at all counts as not ready: the port is not open yet. */
async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function login(url: string, username: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password: PASSWORD }),
  });
  if (!answer.ok) throw new Error(`login of ${username}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { access_token: string }).access_token;
}
