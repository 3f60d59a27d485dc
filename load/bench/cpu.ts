/** Processor time, from Linux's /proc (proc(5)); null where it cannot be known (other systems, containers). */
import { readdirSync, readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import type postgres from "postgres";

/** Seconds of processor time. */
export interface CpuTimes {
  /** API and ingest threads. */
  readonly service: number | null;
  /** All processes of the server, those that ended included. */
  readonly postgres: number | null;
  readonly redis: number | null;
  /** This process: the load generator. */
  readonly generator: number;
}

/** USER_HZ, which is 100 on every architecture that Bun runs on. */
const TICKS_PER_S = 100;

export interface Stat {
  readonly ppid: number;
  /** Seconds: own time, and time of children that ended. */
  readonly own: number;
  readonly children: number;
}

export function statOf(pid: number | string): Stat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    // Ended meanwhile, or there is no /proc.
    return null;
  }
  // The second field, the name in parentheses, may hold spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const seconds = (from: number) => (Number(fields[from]) + Number(fields[from + 1])) / TICKS_PER_S;
  return { ppid: Number(fields[1]), own: seconds(11), children: seconds(13) };
}

export class CpuMeter {
  private constructor(
    private readonly servicePid: number,
    private readonly postmaster: number | null,
    private readonly redis: Redis,
  ) {}

  static async of(servicePid: number, sql: postgres.Sql, redis: Redis): Promise<CpuMeter> {
    const [row] = await sql<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    const backend = statOf(row?.pid ?? 0);
    return new CpuMeter(servicePid, backend && isPostgres(row?.pid ?? 0) ? backend.ppid : null, redis);
  }

  async read(): Promise<CpuTimes> {
    const { user, system } = process.cpuUsage();
    const info = await this.redis.info("cpu");
    const redis = ["used_cpu_sys", "used_cpu_user", "used_cpu_sys_children", "used_cpu_user_children"].map(
      (name) => Number(new RegExp(`^${name}:([0-9.]+)`, "m").exec(info)?.[1] ?? Number.NaN),
    );
    const sum = redis.reduce((a, b) => a + b, 0);
    return {
      service: statOf(this.servicePid)?.own ?? null,
      postgres: this.#postgres(),
      redis: Number.isNaN(sum) ? null : sum,
      generator: (user + system) / 1e6,
    };
  }

  #postgres(): number | null {
    const { postmaster } = this;
    const head = postmaster === null ? null : statOf(postmaster);
    if (!head) return null;
    const children = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(statOf)
      .filter((stat) => stat?.ppid === postmaster);
    return children.reduce((sum, stat) => sum + (stat?.own ?? 0), head.own + head.children);
  }
}

/**
 * A pid from a server in a container is another process here. A backend's title begins with "postgres:"; that of the
 * embedded bundle stands behind the name of its loader.
 */
function isPostgres(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("postgres:");
}

/** Seconds between two readings, rounded to hundredths. */
export function spent(before: CpuTimes, after: CpuTimes): CpuTimes {
  const difference = (a: number | null, b: number | null) =>
    a === null || b === null ? null : Math.round((b - a) * 100) / 100;
  return {
    service: difference(before.service, after.service),
    postgres: difference(before.postgres, after.postgres),
    redis: difference(before.redis, after.redis),
    generator: difference(before.generator, after.generator) ?? 0,
  };
}
