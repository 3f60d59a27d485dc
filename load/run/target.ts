/** The service under load: a stack of its own, or one that runs already. */

import { join } from "node:path";
import type { Redis } from "ioredis";
import { Database } from "../../src/store/pool.ts";
import { CpuMeter } from "../bench/cpu.ts";
import { describeMachine, type Machine } from "../bench/machine.ts";
import { addAdmin } from "../bench/own-database.ts";
import { startService, startWorker } from "../bench/service.ts";
import { BENCH_DIR, openStack, type Stack, SYSTEM_ID, USERS } from "../bench/stack.ts";
import { SERVICE_TABLE } from "../bench/tables.ts";
import type { Plan } from "../k6/plan.ts";
import type { RunShape } from "../k6/rig.ts";
import { login, mayRead } from "./access.ts";
import type { Held } from "./held.ts";
import { HeldApi } from "./held-api.ts";
import { HeldTables } from "./held-tables.ts";
import type { GivenService, LoadOptions } from "./options.ts";

/** Who asks what the console asks. */
const READER = "load-reader";
const QUERY_DEADLINE_MS = 60_000;

/** An own stack: its processes can be measured, and its tables be looked into. */
export interface OwnProcesses {
  /** Of the service. */
  readonly pids: readonly number[];
  readonly meter: CpuMeter;
  readonly machine: Machine;
  readonly redis: Redis;
}

export interface Target {
  readonly plan: Pick<Plan, "url" | "tokens" | "reader_token" | "system_id">;
  /** For people: what is under load. */
  readonly what: string;
  readonly own: OwnProcesses | null;
  held(shape: RunShape): Held;
  /** Stop what was started. @param keep leave the readings of an own stack, to look into them */
  close(keep: boolean): Promise<void>;
}

/** @throws {UsageError} @throws {ServicesError} @throws {Error} when the service does not start or refuses a login */
export function openTarget({ service, worker }: LoadOptions): Promise<Target> {
  return service ? givenTarget(service) : ownTarget(worker);
}

async function ownTarget(withWorker: boolean): Promise<Target> {
  const stack = await openStack();
  const closing: (() => Promise<void>)[] = [() => stack.close()];
  const close = async (keep: boolean) => {
    // A soak leaves gigabytes.
    if (!keep) closing.splice(1, 0, () => forgetReadings(stack));
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    await addReader(stack);
    const service = await startService(stack, undefined, {
      role: withWorker ? "api" : "all",
      logPath: join(BENCH_DIR, "service.log"),
      users: [...USERS, READER],
    });
    closing.push(() => service.stop());
    const pids = [service.pid];
    if (withWorker) {
      const worker = await startWorker(stack);
      closing.push(() => worker.stop());
      pids.push(worker.pid);
    }
    const { sql, redis } = stack;
    const own = {
      pids,
      redis,
      meter: await CpuMeter.of(service.pid, sql, redis),
      machine: await describeMachine(stack),
    };
    const tokens = service.tokens.slice(0, USERS.length);
    const reader_token = service.tokens[USERS.length]!;
    return {
      plan: { url: `http://${service.host}:${service.port}`, tokens, reader_token, system_id: SYSTEM_ID },
      what: withWorker ? "own stack, API and workers apart" : "own stack",
      own,
      held: (shape) => new HeldTables(sql, redis, shape),
      close,
    };
  } catch (error) {
    await close(false);
    throw error;
  }
}

async function forgetReadings({ sql }: Stack): Promise<void> {
  await sql.unsafe(`TRUNCATE ${SERVICE_TABLE}`);
}

async function addReader({ databaseUrl }: Stack): Promise<void> {
  const database = new Database({ url: databaseUrl, size: 1, query_deadline_ms: QUERY_DEADLINE_MS });
  try {
    await addAdmin(database, READER);
  } finally {
    await database.close();
  }
}

async function givenTarget({ url, system_id, users, tokens }: GivenService): Promise<Target> {
  const all = [...tokens];
  for (const user of users) all.push(await login(url, user));
  const reader_token = (await mayRead(url, all[0]!)) ? all[0]! : null;
  const plan = { url, system_id, tokens: all, reader_token };
  return {
    plan,
    what: url,
    own: null,
    held: (shape) => new HeldApi(plan, shape),
    close: async () => undefined,
  };
}
