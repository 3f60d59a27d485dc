/**
 * Keeps what the program of a commit writes: every table, and everything that waits in Redis. Run in a checkout of that
 * commit, against an empty database and an empty Redis:
 *
 *   DATABASE_URL=… REDIS_URL=… bun …/tests/support/upgrade/keep-fixture.ts …/tests/support/upgrade/kept/0014-what.json
 *
 * Works with every program since the first one: what it cannot do yet is left out.
 */
import { Redis } from "ioredis";
import postgres from "postgres";
import type { Kept, KeptEntry } from "./kept.ts";

const [out = ""] = Bun.argv.slice(2);
const { DATABASE_URL = "", REDIS_URL = "" } = process.env;
const PORT = "18421";
const URL_ = `http://127.0.0.1:${PORT}`;
const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const sensor = (n: number) => `550e8400-e29b-41d4-a716-44665544000${n}`;
const HOUR_MS = 3_600_000;
const begin_ms = Date.now() - HOUR_MS;

const own = async (path: string) => import(`${process.cwd()}/src/${path}`).catch(() => null);
const sql = postgres(DATABASE_URL, { max: 1, onnotice: () => undefined });
const redis = new Redis(REDIS_URL);

const reading = (n: number, second: number, more: object = {}) => ({
  sensor_id: sensor(n),
  timestamp: new Date(begin_ms + second * 1000).toISOString(),
  value: 100 + (second % 50),
  unit: "bar",
  ...more,
});
const batch = (readings: readonly object[]) => JSON.stringify({ system_id: SYSTEM, readings });

/** Null where the program has no such address. */
async function call(
  method: string,
  path: string,
  body?: unknown,
  token = "",
  more: Record<string, string> = {},
) {
  const response = await fetch(URL_ + path, {
    method,
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}`, ...more },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if ([404, 405, 503].includes(response.status)) return null;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? {} : JSON.parse(text);
}

async function until(what: string, probe: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await probe()); await Bun.sleep(50))
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
}

async function ingest(token: string, readings: readonly object[]): Promise<void> {
  const { job_id } = await call("POST", "/api/v1/data/ingest", batch(readings), token);
  await until(
    "a job has ended",
    async () => (await call("GET", `/api/v1/jobs/${job_id}/`, undefined, token)).is_completed,
  );
}

const login = async (username: string) =>
  (await call("POST", "/api/v1/auth/login", { username, password: "password" })).access_token;

/** A life of the program: batches good and bad, and everything that people decide. @returns an API key, if it has any */
async function live(): Promise<string | null> {
  const [producer, admin] = [await login("feeder-1"), await login("admin")];
  await call(
    "POST",
    "/api/v1/webhooks",
    { url: "http://127.0.0.1:9/hook", events: ["job.completed"] },
    producer,
  );
  await ingest(
    producer,
    Array.from({ length: 12 }, (_, i) => reading(1, i)),
  );
  await ingest(producer, [
    ...[0, 1, 2, 3].map((i) => reading(2, i)),
    ...[4, 5, 6, 7].map((i) => reading(2, i, { value: 900 + i })),
    reading(2, 8, { unit: "furlong" }),
    reading(2, 9, { timestamp: "2024-02-30T00:00:00Z" }),
    reading(2, 10, { quality: 10 }),
    { sensor_id: sensor(2), unit: "bar" },
  ]);
  await ingest(producer, [
    reading(1, 0),
    reading(1, 1, { value: 7 }),
    reading(3, 0, { unit: "psi", value: 1000 }),
  ]);
  await call("PUT", `/api/v1/systems/${SYSTEM}/sensors/${sensor(1)}/range`, { min: 0, max: 300 }, admin);
  await call("PUT", `/api/v1/systems/${SYSTEM}/mappings`, { name: "pump", sensor_id: sensor(1) }, admin);
  await call("PUT", `/api/v1/systems/${SYSTEM}/alert-limits`, { share: 0.9 }, admin);
  await call(
    "POST",
    "/api/v1/users",
    { username: "old-reviewer", password: "a password of old", role: "reviewer" },
    admin,
  );
  const key = await call("POST", "/api/v1/keys", { name: "rig", scopes: ["ingest"] }, producer);
  await review(admin);
  await call("POST", "/api/v1/auth/logout", undefined, await login("feeder-2"));
  return key?.secret ?? null;
}

async function review(admin: string): Promise<void> {
  const path = "/api/v1/quarantine/actions";
  const rows = await sql<{ id: number; reason: string }[]>`
    SELECT id::int, reason FROM diagnostics_quarantined_reading ORDER BY id`;
  const of = (reason: string) => rows.filter((row) => row.reason === reason).map(({ id }) => id);
  const [first = 0, second = 0] = of("out_of_range");
  await call(
    "POST",
    path,
    { action: "fix", selection: { ids: [first] }, change: { scale: 0.1 }, note: "scale" },
    admin,
  );
  await call("POST", path, { action: "reject", selection: { ids: [second, ...of("parse_error")] } }, admin);
}

async function run(): Promise<string | null> {
  const child = Bun.spawn([process.execPath, "src/main.ts", "start"], {
    env: {
      ...process.env,
      APP_ENV: "development",
      PORT,
      LOG_FORMAT: "json",
      WORKER_THREADS: "1",
      WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8",
    } as Record<string, string>,
    stdout: Bun.file("/tmp/keep-fixture.log"),
    stderr: "inherit",
  });
  try {
    await until("it serves", () =>
      fetch(`${URL_}/readyz`).then(
        (r) => r.ok,
        () => false,
      ),
    );
    const key = await live();
    await Bun.sleep(3_000); // its maintenance adds up
    return key;
  } finally {
    child.kill("SIGTERM");
    await child.exited;
  }
}

/** The example of W3C Trace Context. */
const TRACE = { trace_id: "0af7651916cd43dd8448eb211c80319c", span_id: "b7ad6b7169203331", flags: 1 };
/** Batches that the program's own producer puts into the stream while no worker runs. */
async function leave(): Promise<Kept["left"]> {
  const { Producer } = await own("stream/producer.ts");
  const { IdempotencyStore } = await own("stream/idempotency.ts");
  const { StreamConsumer } = await own("stream/consumer.ts");
  const { workClient, blockingClient } = await own("stream/connection.ts");
  const { fingerprintOf } = await own("api/idempotency.ts");
  const formats: readonly string[] = (await own("contract/formats/body-format.ts"))?.BODY_FORMATS ?? ["json"];
  const packs = (await own("contract/entry-body.ts")) !== null;
  const work = workClient(REDIS_URL);
  // Programs before there were partitions on several servers read with a plain connection.
  const dedicated = await own("stream/dedicated.ts");
  const reader = dedicated?.openReader(REDIS_URL, work) ?? blockingClient(REDIS_URL);
  const bounds = { partitions: 1, max_entries: 1_000, max_bytes: 1e9, idempotency_ttl_s: 86_400 };
  const producer = new Producer(work, bounds);
  const [user] = await sql<{ id: string }[]>`SELECT id FROM diagnostics_user WHERE username = 'feeder-1'`;
  const user_id = user!.id;
  const entries: KeptEntry[] = [];
  const offer = async (kind: string, body: string, total: number, more: object = {}) => {
    const outcome = await producer.offer({
      system_id: SYSTEM,
      user_id,
      request_id: `kept-${kind}`,
      total_readings: total,
      received_at_ms: Date.now(),
      body: Buffer.from(body),
      format: "json",
      ...more,
    });
    if (outcome.kind !== "accepted") throw new Error(`not accepted: ${JSON.stringify(outcome)}`);
    entries.push({ kind, job_id: outcome.job_id, total });
    return outcome.job_id as string;
  };
  const small = (second: number) => batch([reading(4, second), reading(4, second + 1)]);
  await offer("pending", small(0), 2);
  await offer("dead", small(10), 2);
  const consumer = new StreamConsumer(reader, work, "old:1:0.1", 1, 86_400);
  await consumer.ensureGroups();
  const [, dead] = await consumer.read(2, 100);
  await consumer.begin([entries[0]!.job_id], Date.now());
  const failed = {
    job_id: entries[1]!.job_id,
    system_id: SYSTEM,
    created_by: user_id,
    status: "failed",
    total_readings: 2,
    inserted_readings: 0,
    duplicate_readings: 0,
    quarantined_readings: 0,
    created_at_ms: Date.now(),
    started_at_ms: Date.now(),
    completed_at_ms: Date.now(),
    error_message: "a mistake of old",
  };
  await consumer.bury(dead, "a mistake of old", Date.now(), failed);
  const key = "kept-key";
  const state = await new IdempotencyStore(work, 1, 60_000).begin(user_id, key);
  const keyed = small(20);
  await offer("keyed", keyed, 2, {
    idempotency: { ...state.claim, fingerprint: fingerprintOf(Buffer.from(keyed)) },
  });
  const lines = Array.from({ length: 400 }, (_, i) => reading(5, i));
  if (packs) await offer("large", batch(lines), lines.length);
  const few = [reading(6, 0), reading(6, 1)];
  if (formats.includes("ndjson")) {
    const text = (list: readonly object[]) => list.map((one) => `${JSON.stringify(one)}\n`).join("");
    await offer("ndjson", text(few), 2, { format: "ndjson" });
    await offer(
      "large ndjson",
      text(lines.map((line) => ({ ...line, sensor_id: sensor(7) }))),
      lines.length,
      { format: "ndjson" },
    );
  }
  if (formats.includes("csv")) {
    const rows = [reading(8, 0), reading(8, 1)].map((r) => `${r.sensor_id},${r.timestamp},${r.value},bar`);
    await offer("csv", `sensor_id,timestamp,value,unit\n${rows.join("\n")}\n`, 2, { format: "csv" });
  }
  if (formats.includes("line")) {
    const at_s = Math.floor(begin_ms / 1000);
    await offer("line", `pump,unit=bar pressure=101 ${at_s}\npump,unit=bar pressure=102 ${at_s + 1}\n`, 2, {
      format: "line",
      precision: "s",
    });
  }
  const tracing = await own("ops/trace.ts");
  if (tracing) await offer("traced", small(30), 2, { span: tracing.passing(TRACE) });
  work.disconnect();
  if (dedicated) reader.close();
  else reader.disconnect();
  return { user_id, key, keyed_body: keyed, pending: "old:1:0.1", entries };
}

/** Columns of each table that are stored, not computed. */
async function tables(): Promise<Kept["tables"]> {
  const names = await sql<{ name: string; columns: string[] }[]>`
    SELECT table_name AS name, array_agg(column_name::text ORDER BY ordinal_position) AS columns
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name LIKE 'diagnostics\\_%'
      AND table_name <> 'diagnostics_migration' AND is_generated = 'NEVER'
    GROUP BY table_name ORDER BY table_name`;
  const kept: Record<string, Record<string, unknown>[]> = {};
  for (const { name, columns } of names) {
    const list = columns.map((column) => `"${column}"`).join(", ");
    const [row] = await sql.unsafe(
      `SELECT json_agg(to_json(t))::text AS rows FROM (SELECT ${list} FROM ${name}) t`,
    );
    kept[name] = row!.rows === null ? [] : JSON.parse(row!.rows);
  }
  return kept;
}

async function keys(): Promise<Kept["redis"]> {
  const kept: Kept["redis"][number][] = [];
  for (const key of (await redis.keys("*")).sort()) {
    // Of a moment: who works, what is counted, whether a write succeeds.
    if (/^(workers|partitions|limit:|health:|mirror-lock|rl:)/.test(key)) continue;
    const type = await redis.type(key);
    if (type === "string") kept.push({ key, string: (await redis.get(key))! });
    else if (type === "hash") kept.push({ key, hash: await redis.hgetall(key) });
    else if (type === "stream") {
      const rows = (await redis.xrangeBuffer(key, "-", "+")) as unknown as [Buffer, Buffer[]][];
      kept.push({
        key,
        stream: rows.map(([id, fields]) => [id.toString(), ...fields.map((f) => f.toString("base64"))]),
      });
    } else throw new Error(`${key} is a ${type}`);
  }
  return kept;
}

const api_key = await run();
const left = await leave();
const commit = (await Bun.$`git rev-parse --short HEAD`.text()).trim();
const migrations = (
  await sql<{ name: string }[]>`SELECT name FROM diagnostics_migration ORDER BY version`
).map((m) => m.name);
const kept: Kept = { commit, migrations, api_key, left, tables: await tables(), redis: await keys() };
await Bun.write(out, `${JSON.stringify(kept)}\n`);
console.info(
  out,
  commit,
  migrations.length,
  left.entries.map((e) => e.kind).join(","),
  Object.entries(kept.tables)
    .map(([t, r]) => `${t.slice(12)}:${r.length}`)
    .join(" "),
);
await sql.end();
redis.disconnect();
process.exit(0);
