/** A PostgreSQL of one suite alone: frozen, and with a small disk for the database where that can be mounted. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { signal } from "../../../load/faults/effect.ts";
import { type Account, chooseAccount } from "../../../src/services/account.ts";
import { findEmbedded } from "../../../src/services/embedded/bundle.ts";
import { ensureRuntime } from "../../../src/services/embedded/install-runtime.ts";
import { findLocalPostgres } from "../../../src/services/local-binaries.ts";
import type { PostgresSpec } from "../../../src/services/postgres-cluster.ts";
import { postgresUrl, startPostgres, stopPostgres } from "../../../src/services/postgres-instance.ts";
import { emptyDiskOf, fillDiskOf, type ServersDisk, serversDisk } from "./small-disk.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SECRET = "own-postgres";
/** An empty database takes 20 MB of it. */
const DISK_MIB = 64;

/** Folder of the server's programs. @throws {Error} on a machine that has PostgreSQL only in containers */
async function postgresPrograms(): Promise<string> {
  const local = await findLocalPostgres(undefined);
  if ("found" in local) return local.found.binDir;
  const embedded = await findEmbedded();
  if (!("found" in embedded)) throw new Error("no PostgreSQL with TimescaleDB on this machine");
  const silent = { step: () => undefined, amount: () => undefined };
  const quiet = { info: () => undefined, warn: () => undefined };
  const runtime = join(ROOT, ".data/runtime");
  return (await ensureRuntime(runtime, embedded.found.architecture, silent, quiet)).postgresBinDir;
}

export class OwnPostgres {
  private constructor(
    private readonly folder: string,
    private readonly spec: PostgresSpec,
    private readonly pid: number,
    private readonly port: number,
    readonly disk: ServersDisk,
  ) {}

  static async start(): Promise<OwnPostgres> {
    await mkdir(join(ROOT, ".data"), { recursive: true });
    const folder = await mkdtemp(join(ROOT, ".data/test-postgres-"));
    await mkdir(join(folder, "run"));
    const account = await chooseAccount(folder);
    const disk = await serversDisk({
      path: join(folder, "disk"),
      mebibytes: DISK_MIB,
      ...(account.owner ? { owner: account.owner } : {}),
    });
    const within: Account =
      "missing" in disk ? account : { ...account, prefix: [...disk.prefix, ...account.prefix] };
    const spec = {
      binDir: await postgresPrograms(),
      cluster: join(folder, "postgres"),
      logPath: join(folder, "run/postgres.log"),
      secret: SECRET,
      account: within,
    };
    const { pid, port } = await startPostgres(spec, undefined);
    return new OwnPostgres(folder, spec, pid, port, disk);
  }

  /** As superuser. */
  adminUrl(database: string): string {
    return postgresUrl(this.port, SECRET, database);
  }

  /** For the test itself, as superuser. */
  admin(database: string): postgres.Sql {
    return postgres(this.adminUrl(database), { max: 3, onnotice: () => undefined });
  }

  /** A database on the small disk, if there is one, and a role that owns it and is no superuser. @returns its URL */
  async createDatabase(name: string): Promise<string> {
    const admin = this.admin("postgres");
    try {
      await admin.unsafe(`CREATE ROLE ${name} LOGIN PASSWORD '${SECRET}'`);
      let tablespace = "";
      if (!("missing" in this.disk)) {
        await admin.unsafe(`CREATE TABLESPACE ${name} OWNER ${name} LOCATION '${this.disk.path}'`);
        tablespace = `TABLESPACE ${name}`;
      }
      await admin.unsafe(`CREATE DATABASE ${name} OWNER ${name} ${tablespace}`);
    } finally {
      await admin.end();
    }
    const url = new URL(postgresUrl(this.port, SECRET, name));
    url.username = name;
    return url.href;
  }

  /** Nothing of it runs until `thaw`; connections stay open, new ones get no answer. */
  freeze(): void {
    this.#signal("SIGSTOP");
  }

  thaw(): void {
    this.#signal("SIGCONT");
  }

  fillDisk(): void {
    fillDiskOf(this.pid, this.disk);
  }

  async emptyDisk(): Promise<void> {
    await emptyDiskOf(this.pid, this.disk);
  }

  async close(): Promise<void> {
    this.thaw();
    await stopPostgres(this.spec, this.pid);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The postmaster first: one that stands still starts no others while they are looked for. */
  #signal(name: NodeJS.Signals): void {
    signal(this.pid, name);
    for (const pid of readdirSync("/proc")) {
      if (/^\d+$/.test(pid) && parentOf(pid) === this.pid) signal(Number(pid), name);
    }
  }
}

/** proc(5), stat: state and parent follow the name. */
function parentOf(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null; // gone between the two looks
  }
}
