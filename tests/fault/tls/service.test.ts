/** The whole service over TLS alone: a batch's way, the commands, certificates that are renewed, and one that goes bad. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { seedOf } from "../../support/fault/batches.ts";
import { type Outcome, runProgram } from "../../support/fault/program.ts";
import { TlsServices } from "../../support/fault/tls-services.ts";
import { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

const TEST_MS = 240_000;
const seed = seedOf("tls");
let services: TlsServices;
let database: string;
let settings: Record<string, string>;
let stack: Stack;

beforeAll(async () => {
  services = await TlsServices.start();
}, 180_000);
afterAll(() => services.close(), TEST_MS);

/** A new stack: what the programs are told, and what the reckoning asks. */
async function open(): Promise<void> {
  const fresh = await services.fresh();
  database = fresh.database;
  const { ca, cert, key } = services.redisFiles();
  settings = { REDIS_TLS_CA_FILE: ca, REDIS_TLS_CERT_FILE: cert, REDIS_TLS_KEY_FILE: key };
  stack = new Stack(
    { database: services.databaseUrl(database, "sslmode=require"), redis: fresh.redis },
    { database: services.verified(database), redis: services.redisUrl() },
    settings,
  );
}
afterEach(async () => {
  await stack.close();
  await services.present(services.good());
}, TEST_MS);

const readiness = async () => {
  const response = await fetch(`${stack.url}/readyz`);
  return (await response.json()) as { status: string; reasons: string[] };
};
const becomes = (status: string) =>
  until(`/readyz says ${status}`, async () => (await readiness()).status === status, 60_000);

test(
  "a batch goes in, is stored, and is read back, with every connection encrypted and showing our certificate",
  async () => {
    await open();
    const program = await stack.start("all", { WORKER_THREADS: "2" });
    const load = await stack.load(seed);
    await until("batches are accepted", () => load.accepted.size >= 30);
    const [id, { sensor_id }] = [...load.accepted][0]!;
    const ask = async (path: string) =>
      fetch(`${stack.url}${path}`, { headers: { Authorization: `Bearer ${await stack.login()}` } });
    const job = await until("a job has ended", async () => {
      const found = (await (await ask(`/api/v1/jobs/${id}/`)).json()) as { status: string };
      return found.status === "completed" ? found : undefined;
    });
    expect(job.status).toBe("completed");
    const latest = await ask("/api/v1/systems/550e8400-e29b-41d4-a716-446655440000/latest");
    expect(await latest.text()).toContain(sensor_id);

    const connections = (await services.connections(database)).filter(({ name }) => name !== "postgres.js");
    const kinds = connections.map(({ name }) =>
      name.replace(/.*:(maintenance|reviews|webhooks)$/, "$1").replace(/^.*:\d+:.*$/, "writer"),
    );
    expect([...new Set(kinds)].sort()).toEqual(
      expect.arrayContaining(["hydraulic-ingest", "hydraulic-reader", "reviews", "writer"]),
    );
    for (const { ssl, client_dn } of connections)
      expect({ ssl, client_dn }).toEqual({ ssl: true, client_dn: "/CN=hydraulic-ingest" });
    const clients = (await services.clients()).filter(({ laddr }) =>
      laddr.endsWith(`:${services.redisPort}`),
    );
    expect(clients.length).toBeGreaterThanOrEqual(6);
    await load.stop();
    await stack.settle(load);
    program.signal("SIGTERM");
    expect(await program.end(60_000)).toEqual({ code: 0, signal: null });
  },
  TEST_MS,
);

test(
  "certificates are renewed, the servers' and ours, and the authority changes: connections that are made anew go on",
  async () => {
    await open();
    await stack.start("all");
    const load = await stack.load(seed + 1);
    await until("batches are accepted", () => load.accepted.size >= 20);
    await services.renew();
    await services.cut();
    const before = load.accepted.size;
    await until("batches are accepted again", () => load.accepted.size >= before + 60, 60_000);
    await becomes("ready");
    await load.stop();
    await stack.settle(load);
    expect((await services.connections(database)).every(({ ssl }) => ssl)).toBe(true);
  },
  TEST_MS,
);

test(
  "the servers' certificate expires: batches wait, no job fails, /readyz and the log say it; with a good one all goes on",
  async () => {
    await open();
    const program = await stack.start("all");
    const load = await stack.load(seed + 2);
    await until("batches are accepted", () => load.accepted.size >= 20);
    await services.present(services.expired());
    await services.cut();
    const told = async () => {
      const { status, reasons } = await readiness();
      return status === "unavailable" && reasons.length > 1 && reasons;
    };
    expect(await until("/readyz says that both are away", told, 60_000)).toEqual([
      "Redis is down or takes no writes",
      expect.stringContaining("PostgreSQL is down"),
    ]);
    const said = (word: string) =>
      program.lines.some((line) => line.includes(word) && line.includes("certificate has expired"));
    await until("the log says it of Redis", () => said("Redis connection"));
    await until("the log says it of PostgreSQL", () => said("TLS with localhost"));
    await services.present(services.good());
    await becomes("ready");
    await load.stop();
    await stack.settle(load);
    expect(program.lines.join("\n")).not.toContain(new URL(services.verified(database)).password);
  },
  TEST_MS,
);

const run = (args: string[], more: Record<string, string> = {}): Promise<Outcome> =>
  runProgram(args, stack.environment(more), "", 60_000);

test(
  "migrate, replay and verify need nothing but TLS",
  async () => {
    await open();
    const migrated = await run(["migrate"]);
    const [replayed, verified] = await Promise.all([run(["replay"]), run(["verify"])]);
    expect(migrated).toMatchObject({ code: 0, stderr: "" });
    expect(replayed).toMatchObject({ code: 0, stdout: expect.stringContaining("0 dead letters") });
    expect(verified.stdout).toContain("redis               Redis");
    expect(verified.code).toBe(0);
  },
  TEST_MS,
);

test(
  "a program that cannot have its TLS ends at once with code 1 and says why, without a secret",
  async () => {
    await open();
    const secret = new URL(services.verified(database)).password;
    const stranger = services.path("stranger.pem");
    const cases: [Record<string, string>, string][] = [
      [{ DATABASE_URL: services.verified(database, { sslrootcert: stranger }) }, "TLS with localhost: "],
      [{ DATABASE_URL: services.databaseUrl(database, "") }, "no encryption"],
      [
        { DATABASE_URL: services.databaseUrl(database, "sslmode=verify-full") },
        "DATABASE_URL: sslmode=verify-full needs sslrootcert",
      ],
      [{ REDIS_TLS_CA_FILE: stranger }, "TLS with Redis: "],
    ];
    const outcomes = await Promise.all(cases.map(([more]) => run(["start", "worker"], more)));
    for (const [n, { code, stderr, stdout }] of outcomes.entries()) {
      expect(stderr).toContain(cases[n]![1]);
      expect(code).toBe(1);
      expect(stderr).not.toContain("mistake of the program");
      expect(stdout + stderr).not.toContain(secret);
    }
  },
  TEST_MS,
);
