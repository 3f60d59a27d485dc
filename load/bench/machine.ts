/** What a result was measured on: figures of two machines are not to be compared. */
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { ROOT } from "../../src/commands/environment.ts";
import type { Stack } from "./stack.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly kernel: string;
  readonly bun: string;
  readonly postgres: string;
  readonly timescaledb: string;
  readonly redis: string;
  /** Of this project; `+` when files were changed since. */
  readonly commit: string;
  /** Processes that wanted to run in the minute before the benchmark (getloadavg(3)): above 0.5, others disturb it. */
  readonly load_before: number;
}

const LOAD_BEFORE = Math.round((loadavg()[0] ?? 0) * 100) / 100;

export async function describeMachine({ sql, redis }: Pick<Stack, "sql" | "redis">): Promise<Machine> {
  const [server] = await sql<{ version: string; timescaledb: string; license: string }[]>`
    SELECT current_setting('server_version') AS version, current_setting('timescaledb.license', true) AS license,
      (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb`;
  const info = await redis.info("server");
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    bun: Bun.version,
    postgres: server?.version ?? "unknown",
    timescaledb: `${server?.timescaledb} (${server?.license})`,
    redis: /^(?:valkey|redis)_version:(\S+)/m.exec(info)?.[1] ?? "unknown",
    commit: commit(),
    load_before: LOAD_BEFORE,
  };
}

function commit(): string {
  const git = (...args: string[]) =>
    Bun.spawnSync(["git", ...args], { cwd: ROOT })
      .stdout.toString()
      .trim();
  const hash = git("rev-parse", "--short", "HEAD");
  return hash === "" ? "unknown" : `${hash}${git("status", "--porcelain", "src", "sql") === "" ? "" : "+"}`;
}
