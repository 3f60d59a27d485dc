/** The workers of an own stack as a process of their own. */
import { openSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../src/commands/environment.ts";
import { BENCH_DIR, type Stack } from "../bench/stack.ts";

const LOG = join(BENCH_DIR, "worker.log");
const READY_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 30_000;
/** What `start` says last; a worker has no port to ask. */
const READY = '"msg":"ready"';

export interface Worker {
  readonly pid: number;
  stop(): Promise<void>;
}

/** @throws {Error} when it does not get ready; its log says why */
export async function startWorker({ databaseUrl, redisUrl }: Stack): Promise<Worker> {
  const log = openSync(LOG, "w");
  const child = Bun.spawn([process.execPath, "src/main.ts", "start", "worker"], {
    cwd: ROOT,
    stdio: ["ignore", log, log],
    env: {
      ...process.env,
      APP_ENV: "production",
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      STREAM_PARTITIONS: "1",
      LOG_FORMAT: "json",
    },
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
    await child.exited;
    clearTimeout(timer);
  };
  const end = performance.now() + READY_DEADLINE_MS;
  while (!(await Bun.file(LOG).text()).includes(READY)) {
    if (performance.now() > end || child.exitCode !== null) {
      await stop();
      throw new Error(`the worker is not ready; its log is ${LOG}`);
    }
    await Bun.sleep(50);
  }
  return { pid: child.pid, stop };
}
