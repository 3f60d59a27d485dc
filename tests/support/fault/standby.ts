/** A real streaming replica of a suite's PostgreSQL: taken by pg_basebackup, a hot standby that follows by its log. */
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { type Account, chooseAccount, makeOwnedFolder } from "../../../src/services/account.ts";
import { CLEAN_ENV, runCommand } from "../../../src/services/command.ts";
import type { PostgresSpec } from "../../../src/services/postgres-cluster.ts";
import { startPostgres, stopPostgres } from "../../../src/services/postgres-instance.ts";
import { isAlive } from "../../../src/services/process-control.ts";
import { until } from "../until.ts";
import type { PrivateServices } from "./private-services.ts";

const BACKUP_MS = 60_000;

export class Standby {
  #pid = 0;
  #port: number | undefined;

  private constructor(
    private readonly services: PrivateServices,
    private readonly spec: PostgresSpec,
  ) {}

  /** Copies the primary and starts the copy. */
  static async of(services: PrivateServices): Promise<Standby> {
    const account = await chooseAccount(services.dataDir);
    const primary = postgres(services.databaseUrl, { max: 1 });
    try {
      const [bin] = await primary<{ setting: string }[]>`SELECT setting FROM pg_config WHERE name = 'BINDIR'`;
      await appendFile(
        join(services.dataDir, "postgres/pg_hba.conf"),
        "host replication all 127.0.0.1/32 scram-sha-256\n",
      );
      await primary`SELECT pg_reload_conf()`;
      const spec = {
        binDir: bin!.setting,
        cluster: join(services.dataDir, "standby"),
        logPath: join(services.dataDir, "run/standby.log"),
        secret: new URL(services.databaseUrl).password,
        account,
      };
      await copy(account, spec, services.databaseUrl);
      const standby = new Standby(services, spec);
      await standby.start();
      return standby;
    } finally {
      await primary.end();
    }
  }

  async start(): Promise<void> {
    const running = await startPostgres(this.spec, this.#port);
    this.#pid = running.pid;
    this.#port = running.port;
  }

  /** A database of the standby. */
  url(name: string): string {
    const url = new URL(this.services.databaseUrl);
    url.port = String(this.#port);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** One statement, as the superuser. */
  async ask<R extends object>(statement: string): Promise<R[]> {
    const sql = postgres(this.url("postgres"), { max: 1, onnotice: () => undefined });
    try {
      return [...(await sql.unsafe<R[]>(statement))];
    } finally {
      await sql.end({ timeout: 1 });
    }
  }

  /** What comes from the primary is kept and not applied, until `resume`. */
  async pause(): Promise<void> {
    await this.ask("SELECT pg_wal_replay_pause()");
    await until("replay is paused", async () => {
      const [row] = await this.ask<{ state: string }>("SELECT pg_get_wal_replay_pause_state() AS state");
      return row?.state === "paused";
    });
  }

  async resume(): Promise<void> {
    await this.ask("SELECT pg_wal_replay_resume()");
  }

  /** Ends at once, as a machine does that loses power. */
  async crash(): Promise<void> {
    process.kill(this.#pid, "SIGQUIT");
    await until("the standby has ended", () => !isAlive(this.#pid));
  }

  /** It becomes a primary. */
  async promote(): Promise<void> {
    await this.ask("SELECT pg_promote()");
  }

  async close(): Promise<void> {
    if (isAlive(this.#pid)) await stopPostgres(this.spec, this.#pid);
  }
}

async function copy(account: Account, spec: PostgresSpec, url: string): Promise<void> {
  await makeOwnedFolder(account, spec.cluster);
  const options = [
    "-D",
    spec.cluster,
    "-d",
    url,
    "--write-recovery-conf",
    "--wal-method=stream",
    "--checkpoint=fast",
  ];
  const argv = [...account.prefix, join(spec.binDir, "pg_basebackup"), ...options];
  const made = await runCommand(argv, { deadlineMs: BACKUP_MS, env: CLEAN_ENV, cwd: "/" });
  if (made.code !== 0) throw new Error(`pg_basebackup failed: ${made.stderr || made.stdout}`);
}
