/** Secrets are changed as docs/operate.md says, under load: nothing is lost, nobody is signed out, and the old ones end. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Redis } from "ioredis";
import postgres from "postgres";
import type { Load } from "../support/fault/load.ts";
import type { Program } from "../support/fault/program.ts";
import { Stack } from "../support/stack.ts";
import {
  createTestDatabase,
  createTestRedis,
  serverAsksForPasswords,
  type TestService,
  WRONG_PASSWORD,
} from "../support/test-services.ts";
import { until } from "../support/until.ts";

const TEST_MS = 180_000;
const NAME = `rotated_${crypto.randomUUID().slice(0, 8)}`;
const OLD = { password: "old-password-of-both", key: "old-key-that-signs-tokens-0123456789" };
const NEW = { password: "new-password-of-both", key: "new-key-that-signs-tokens-9876543210" };

/** Not on a given server that trusts whoever comes from this machine (pg_hba.conf). */
const asksForPasswords = await serverAsksForPasswords();
const TRUSTED = asksForPasswords
  ? ""
  : " (that the old one of PostgreSQL ends is left out: this server asks for no password)";

let database: TestService;
let redis: TestService;
let sql: postgres.Sql;
let acl: Redis;
let stack: Stack;

/** The address with a user of its own, who has this password. */
function as(url: string, password: string): string {
  const address = new URL(url);
  address.username = NAME;
  address.password = password;
  return address.href;
}
const settings = ({ password }: typeof OLD) => ({
  DATABASE_URL: as(database.url, password),
  REDIS_URL: as(redis.url, password),
});
const asks = async (token: string) =>
  (await fetch(`${stack.url}/api/v1/jobs`, { headers: { Authorization: `Bearer ${token}` } })).status;
const canConnect = async (password: string) => {
  const session = postgres(as(database.url, password), { max: 1 });
  const answer = await session`SELECT 1`.then(
    () => true,
    (error) => error.code,
  );
  await session.end();
  return answer;
};

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), createTestRedis()]);
  sql = postgres(database.url, { max: 1 });
  acl = new Redis(redis.url);
  await sql.unsafe(`CREATE ROLE ${NAME} SUPERUSER LOGIN PASSWORD '${OLD.password}'`);
  await acl.call("ACL", "SETUSER", NAME, "on", `>${OLD.password}`, "~*", "&*", "+@all");
  stack = new Stack({ database: database.url, redis: redis.url });
}, TEST_MS);
afterAll(async () => {
  await stack.close();
  await acl.call("ACL", "DELUSER", NAME);
  await acl.quit();
  await sql.unsafe(`REASSIGN OWNED BY ${NAME} TO CURRENT_USER`);
  await sql.unsafe(`DROP OWNED BY ${NAME}`);
  await sql.unsafe(`DROP ROLE ${NAME}`);
  await sql.end();
  await Promise.all([database.drop(), redis.drop()]);
}, TEST_MS);

async function replace(old: Program, role: "api" | "worker", more: Record<string, string>): Promise<Program> {
  const next = await stack.start(role, { ...settings(NEW), ...more });
  old.signal("SIGTERM");
  await old.ended;
  return next;
}

test(
  `passwords of PostgreSQL and Redis and the key of tokens, one process after the other${TRUSTED}`,
  async () => {
    const worker = await stack.start("worker", settings(OLD));
    const api = await stack.start("api", { ...settings(OLD), JWT_SECRET_KEY: OLD.key });
    const token = await stack.login();
    const load: Load = await stack.load(21, { token, rate: 20 });
    const more = (count: number) => {
      const from = load.accepted.size;
      return until("more is accepted", () => load.accepted.size >= from + count, 60_000);
    };
    await more(5);

    await sql.unsafe(`ALTER ROLE ${NAME} PASSWORD '${NEW.password}'`);
    await acl.call("ACL", "SETUSER", NAME, `>${NEW.password}`);
    const withOld = asksForPasswords ? WRONG_PASSWORD : true;
    expect([await canConnect(OLD.password), await canConnect(NEW.password)]).toEqual([withOld, true]);
    // What is open goes on.
    await more(5);

    await replace(worker, "worker", {});
    await more(5);
    const both = { JWT_SECRET_KEY: NEW.key, JWT_ACCEPTED_KEY: OLD.key };
    const second = await replace(api, "api", both);
    await acl.call("ACL", "SETUSER", NAME, `<${OLD.password}`);
    await more(5);
    await load.stop();
    await stack.settle(load);
    expect(load.count(401)).toBe(0);

    const fresh = await stack.login();
    expect([await asks(token), await asks(fresh)]).toEqual([200, 200]);
    await replace(second, "api", { JWT_SECRET_KEY: NEW.key });
    expect([await asks(token), await asks(fresh)]).toEqual([401, 200]);
  },
  TEST_MS,
);
