/** Everything that runs: two servers, two APIs, two workers, a supervisor for each, and a proxy on every link. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { hashPassword } from "../../src/api/auth/passwords.ts";
import { ROOT } from "../../src/commands/environment.ts";
import { choosePort } from "../../src/services/free-port.ts";
import { privateSpecs } from "../../src/services/private-specs.ts";
import { dataPaths, prepareFolders } from "../../src/services/state-file.ts";
import { terminalProgress } from "../../src/services/terminal-progress.ts";
import { Database } from "../../src/store/pool.ts";
import { SystemStore } from "../../src/store/systems.ts";
import { UserStore } from "../../src/store/users.ts";
import { createProxy, type TcpProxy } from "../../tests/support/proxy.ts";
import { until } from "../../tests/support/until.ts";
import { migrateOwn } from "../bench/own-database.ts";
import { PASSWORD } from "../bench/stack.ts";
import { login } from "../run/access.ts";
import { SYSTEM_ID } from "./batches.ts";
import { type Disks, disksOf } from "./disks.ts";
import { END_WITH_US } from "./end-with-us.ts";
import { APIS, LINKS, type LinkName, type ProgramName, type ServerName, WORKERS } from "./kinds.ts";
import { GRACE_MS, Program } from "./programs.ts";
import { REVIEW_SYSTEM_ID } from "./review-plan.ts";
import { PostgresServer, RedisServer } from "./servers.ts";
import { Supervised } from "./supervised.ts";

export type UnitName = ProgramName | ServerName;

const USERNAME = "faults";
const REVIEWER = "faults-reviewer";
const UNLIMITED = 1_000_000_000;
const QUERY_DEADLINE_MS = 60_000;
const FIRST_READY_MS = 120_000;
const SERVER_GRACE_MS = 30_000;
/** The data is small, and the disk too. */
const POSTGRES_SETTINGS = { max_wal_size: "192MB", min_wal_size: "32MB", shared_buffers: "128MB" };

export interface Stack {
  readonly disks: Disks;
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly programs: Readonly<Record<ProgramName, Program>>;
  readonly units: Readonly<Record<UnitName, Supervised>>;
  readonly links: Readonly<Record<LinkName, TcpProxy>>;
  /** Of a producer. */
  readonly token: string;
  /** Of a reviewer. */
  readonly reviewer: string;
  /** Stop in the order of the flow; once, however often it is asked for. @returns programs whose exit code was not 0 */
  close(): Promise<string[]>;
}

/**
 * @param folder of this run alone, for data and logs
 * @throws {ServicesError} @throws {Error} when something does not get ready
 */
export async function openStack(folder: string): Promise<Stack> {
  const closing: (() => Promise<unknown> | undefined)[] = [];
  try {
    return await build(folder, closing);
  } catch (error) {
    for (const close of closing.toReversed()) await close();
    throw error;
  }
}

async function build(folder: string, closing: (() => Promise<unknown> | undefined)[]): Promise<Stack> {
  const disks = disksOf(folder);
  const servers = await openServers(folder, disks);
  const { redis, postgres, supervised } = servers;
  for (const name of ["redis", "postgres"] as const) {
    supervised[name].start();
    closing.push(() => closeServer(name, supervised[name]));
  }
  await ready([supervised.redis, supervised.postgres]);
  await prepareDatabase(postgres);
  const ports = Object.fromEntries(
    await Promise.all([...APIS, ...WORKERS].map(async (name) => [name, await choosePort(undefined, [])])),
  ) as Record<ProgramName, number>;
  const links = await openLinks(ports, servers);
  closing.push(() => closeLinks(links));
  const programs = openPrograms(folder, ports, servers, links);
  const units = { ...supervised } as Record<UnitName, Supervised>;
  for (const [name, program] of Object.entries(programs) as [ProgramName, Program][]) {
    units[name] = new Supervised(name, program);
    units[name].start();
    closing.push(() => units[name].close("SIGTERM", GRACE_MS * 2));
  }
  await ready(Object.values(units));
  const url = `http://127.0.0.1:${ports["api-1"]}`;
  const token = await login(url, { username: USERNAME, password: PASSWORD });
  const reviewer = await login(url, { username: REVIEWER, password: PASSWORD });
  let closed: Promise<string[]> | undefined;
  const close = () => {
    closed ??= closeAll({ redis, postgres, units, links });
    return closed;
  };
  return { disks, redis, postgres, programs, units, links, token, reviewer, close };
}

interface Servers {
  readonly redis: RedisServer;
  readonly postgres: PostgresServer;
  readonly supervised: Readonly<Record<ServerName, Supervised>>;
}

async function openServers(folder: string, disks: Disks): Promise<Servers> {
  const paths = {
    ...dataPaths(folder),
    cluster: join(disks.postgres, "cluster"),
    redis: join(disks.redis, "redis"),
  };
  await prepareFolders(paths);
  // Where initdb is told the password, beside the cluster.
  for (const path of [join(disks.postgres, "run"), disks.redis]) await mkdir(path, { recursive: true });
  const options = {
    dataDir: folder,
    runtimeDir: join(ROOT, ".data/runtime"),
    durability: "everysec",
    log: { info: () => undefined, warn: (fields: object, message: string) => console.error(message, fields) },
    progress: terminalProgress(process.stderr),
  } as const;
  const specs = await privateSpecs(options, paths);
  const bound = <S extends { readonly account: { readonly prefix: readonly string[] } }>(spec: S): S => ({
    ...spec,
    account: { ...spec.account, prefix: [...spec.account.prefix, ...END_WITH_US] },
  });
  const redis = new RedisServer(bound(specs.redis), await choosePort(undefined, []));
  const postgres = new PostgresServer(bound(specs.postgres), await choosePort(undefined, []));
  const supervised = {
    redis: new Supervised("redis", redis),
    postgres: new Supervised("postgres", postgres),
  };
  return { redis, postgres, supervised };
}

async function prepareDatabase({ sql, url }: PostgresServer): Promise<void> {
  for (const [name, value] of Object.entries(POSTGRES_SETTINGS))
    await sql.unsafe(`ALTER SYSTEM SET ${name} = '${value}'`);
  await sql.unsafe("SELECT pg_reload_conf()");
  const database = new Database({ url, size: 2, query_deadline_ms: QUERY_DEADLINE_MS });
  try {
    await migrateOwn(database);
    const systems = new SystemStore(database);
    await systems.create(SYSTEM_ID, "Faults rig");
    await systems.create(REVIEW_SYSTEM_ID, "Faults rig of reviewers");
    const limits = { requests_per_minute: UNLIMITED, readings_per_minute: UNLIMITED };
    const password_hash = await hashPassword(PASSWORD);
    await new UserStore(database).createMissing([
      { username: USERNAME, password_hash, role: "producer", ...limits },
      { username: REVIEWER, password_hash, role: "reviewer", ...limits },
    ]);
  } finally {
    await database.close();
  }
}

async function openLinks(
  ports: Readonly<Record<ProgramName, number>>,
  { redis, postgres }: Servers,
): Promise<Record<LinkName, TcpProxy>> {
  const target = (link: LinkName) => {
    const end = link.slice(link.indexOf(">") + 1);
    if (end === "redis") return redis.url;
    return end === "postgres" ? postgres.url : `http://127.0.0.1:${ports[end as ProgramName]}`;
  };
  const links = await Promise.all(LINKS.map(async (link) => [link, await createProxy(target(link))]));
  return Object.fromEntries(links);
}

function openPrograms(
  logFolder: string,
  ports: Readonly<Record<ProgramName, number>>,
  { redis, postgres }: Servers,
  links: Readonly<Record<LinkName, TcpProxy>>,
): Record<ProgramName, Program> {
  const programs = [...APIS, ...WORKERS].map((name) => {
    const databaseUrl = links[`${name}>postgres`].through(postgres.url);
    const redisUrl = links[`${name}>redis`].through(redis.url);
    const place = { name, port: ports[name], databaseUrl, redisUrl, logFolder, prefix: END_WITH_US };
    return [name, new Program(place)];
  });
  return Object.fromEntries(programs);
}

async function ready(units: readonly Supervised[]): Promise<void> {
  for (const unit of units) await until(`${unit.name} is ready`, () => unit.isReady(), FIRST_READY_MS);
}

const closeServer = (name: ServerName, unit: Supervised) =>
  unit.close(name === "postgres" ? "SIGINT" : "SIGTERM", SERVER_GRACE_MS);

async function closeLinks(links: Readonly<Record<LinkName, TcpProxy>>): Promise<void> {
  await Promise.all(Object.values(links).map((link) => link.close()));
}

async function closeAll({
  redis,
  postgres,
  units,
  links,
}: Pick<Stack, "redis" | "postgres" | "units" | "links">): Promise<string[]> {
  const wrong: string[] = [];
  for (const name of [...APIS, ...WORKERS]) {
    const code = await units[name].close("SIGTERM", GRACE_MS * 2);
    if (code !== 0) wrong.push(`${name} ended with ${code}`);
  }
  await closeLinks(links);
  redis.close();
  await postgres.close();
  for (const name of ["redis", "postgres"] as const) await closeServer(name, units[name]);
  return wrong;
}
