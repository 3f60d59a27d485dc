/** What a run stands on: a stack of its own, the credentials of a hostile client, and what it knows of the service. */
import { join } from "node:path";
import { decodeJwt } from "jose";
import { AccessTokens } from "../../src/api/auth/access-tokens.ts";
import { Database } from "../../src/store/pool.ts";
import { SystemStore } from "../../src/store/systems.ts";
import { CpuMeter } from "../bench/cpu.ts";
import { addAdmin } from "../bench/own-database.ts";
import { SECRET, type Service, startService } from "../bench/service.ts";
import { BENCH_DIR, openStack, type Stack, USERS } from "../bench/stack.ts";
import { type HostileRoute, routesOf } from "./routes.ts";

const ADMIN = "hostile-admin";
const QUERY_DEADLINE_MS = 60_000;
export const LOG_PATH = join(BENCH_DIR, "hostile.log");
/** Slow bodies are waited for this long: as long as by default, a run would be waiting most of its time. */
const BODY_TIMEOUT_MS = "3000";
const DAY_MS = 86_400_000;

export interface Ground {
  readonly routes: readonly HostileRoute[];
  /** Whose system is named in hostile batches: nothing may ever be stored of it. */
  readonly victim: string;
  /** Whose batches are odd and good: each reading is accounted for. */
  readonly odd: string;
  readonly admin: string;
  readonly producer: string;
  readonly key: string;
  /** Of the admin, from the day before yesterday. */
  readonly expired: string;
}

export interface Run {
  readonly stack: Stack;
  readonly service: Service;
  readonly meter: CpuMeter;
  readonly ground: Ground;
  close(): Promise<void>;
}

/** @throws {UsageError} @throws {ServicesError} @throws {Error} when the service does not start */
export async function openRun(): Promise<Run> {
  const stack = await openStack();
  const closing: (() => Promise<void>)[] = [() => stack.close()];
  const close = async () => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    const systems = await prepare(stack);
    const service = await startService(stack, undefined, {
      role: "all",
      logPath: LOG_PATH,
      users: [...USERS, ADMIN],
      settings: { BODY_TIMEOUT_MS },
    });
    closing.push(() => service.stop());
    const meter = await CpuMeter.of(service.pid, stack.sql, stack.redis);
    return { stack, service, meter, ground: { ...systems, ...(await knowledgeOf(service)) }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function prepare({ databaseUrl }: Stack): Promise<Pick<Ground, "victim" | "odd">> {
  const database = new Database({ url: databaseUrl, size: 1, query_deadline_ms: QUERY_DEADLINE_MS });
  try {
    await addAdmin(database, ADMIN);
    const [victim, odd] = [crypto.randomUUID(), crypto.randomUUID()];
    const systems = new SystemStore(database);
    await systems.create(victim, "Victim of the hostile run");
    await systems.create(odd, "Sender of odd batches");
    return { victim, odd };
  } finally {
    await database.close();
  }
}

async function knowledgeOf(service: Service): Promise<Omit<Ground, "victim" | "odd">> {
  const url = `http://${service.host}:${service.port}`;
  const [producer, admin] = [service.tokens[0]!, service.tokens.at(-1)!];
  const document = await (await fetch(`${url}/openapi.json`)).json();
  const made = await fetch(`${url}/api/v1/keys`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${admin}` },
    body: JSON.stringify({ name: "hostile", scopes: ["ingest", "read", "write"] }),
  });
  const { secret: key } = (await made.json()) as { secret?: string };
  if (key === undefined) throw new Error(`no key was made: ${made.status}`);
  return { routes: routesOf(document), admin, producer, key, expired: await expiredToken(admin) };
}

async function expiredToken(token: string): Promise<string> {
  const { sub = "", username = "", ver = 0 } = decodeJwt<{ username: string; ver: number }>(token);
  const past = { now_ms: () => Date.now() - 2 * DAY_MS, monotonic_ms: () => performance.now() };
  const tokens = new AccessTokens(
    { secret: SECRET, algorithm: "HS256", lifetime_s: 3_600, session_s: 3_600 },
    past,
  );
  return (await tokens.issue({ id: sub, username, role: "admin", token_version: ver })).access_token;
}
