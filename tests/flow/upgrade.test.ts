/**
 * The program of today on what each older one left: its schema with rows in every table, and in Redis batches of each
 * version of the entry, one of them begun, a dead letter, an Idempotency-Key. All of it was written by those programs
 * themselves. Whoever adds a version keeps its state: tests/support/upgrade/keep-fixture.ts says how.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { BODY_VERSIONS, packBody } from "../../src/contract/entry-body.ts";
import { BODY_FORMATS } from "../../src/contract/formats/body-format.ts";
import { login } from "../support/fault/load.ts";
import { Stack } from "../support/stack.ts";
import { MIGRATIONS, type TestService } from "../support/test-services.ts";
import { until } from "../support/until.ts";
import { databaseOf, formsOf, type Kept, keptStates, missingRows, redisOf } from "../support/upgrade/kept.ts";
import { verifyDatabase } from "../support/verify.ts";

const TEST_MS = 180_000;
const states = await keptStates();

describe("a state is kept of", () => {
  test("each migration", async () => {
    const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort();
    const kept = new Set(states.flatMap(({ migrations }) => migrations));
    expect(files.filter((name) => !kept.has(name))).toEqual([]);
  });

  test("each version of the entry, with each format that it carries", () => {
    const forms = BODY_FORMATS.flatMap((format) =>
      [10, 100_000].map((size) => {
        const { version } = packBody(Buffer.alloc(size), format === "json");
        return `${version} ${format}`;
      }),
    );
    const kept = new Set(states.flatMap(formsOf));
    expect([...new Set(forms)].filter((form) => !kept.has(form))).toEqual([]);
    expect(
      BODY_VERSIONS.filter((version) => ![...kept].some((form) => form.startsWith(`${version} `))),
    ).toEqual([]);
  });

  test("a format that is new has a new version of the entry: under an old one it is poison to older workers", () => {
    const formats = Object.groupBy(
      BODY_FORMATS,
      (format) => packBody(Buffer.alloc(10), format === "json").version,
    );
    expect(formats).toEqual({ 1: ["json"], 3: ["ndjson", "csv", "line"] });
  });
});

/** Rows that nothing changes but what people decide. The others are figures, or go on by themselves. */
const STAYING = [
  "diagnostics_alert_limit",
  "diagnostics_audit",
  "diagnostics_ended_token",
  "diagnostics_ingestion_job",
  "diagnostics_quarantined_reading",
  "diagnostics_review_holding",
  "diagnostics_review_task",
  "diagnostics_sensor_mapping",
  "diagnostics_sensor_range",
  "diagnostics_sensordata",
  "diagnostics_system",
  "diagnostics_user",
];

describe.each(states.map((kept) => [kept.commit, kept] as const))(
  "what the program of %s left",
  (_, kept) => {
    const opened: TestService[] = [];
    let stack: Stack;
    afterEach(async () => {
      await stack.close();
      for (const service of opened.splice(0)) await service.drop();
    }, TEST_MS);

    const call = async (token: string, method: string, path: string, more: RequestInit = {}) => {
      const headers = {
        Authorization: `Bearer ${token}`,
        "Content-Type": "application/json",
        ...more.headers,
      };
      const response = await fetch(stack.url + path, { ...more, method, headers });
      const body = (await response.json()) as Record<string, unknown>;
      return { status: response.status, headers: response.headers, body };
    };

    test(
      "is all there and goes on: schema, rows, sums, reviews, keys, and every batch that waited",
      async () => {
        opened.push(await databaseOf(kept), await redisOf(kept));
        stack = new Stack({ database: opened[0]!.url, redis: opened[1]!.url });
        await stack.start("all", { ROLLUP_INTERVAL_MS: "200" });
        const { sql } = stack.reckoning;
        const { left } = kept;
        const [producer, admin] = [await login(stack.url, "feeder-1"), await login(stack.url, "admin")];

        const jobOf = async (id: string) => (await call(producer, "GET", `/api/v1/jobs/${id}/`)).body;
        const stored = { status: "completed", quarantined_readings: 0 };
        for (const { kind, job_id, total } of left.entries.filter((entry) => entry.kind !== "dead")) {
          await until(
            `${kind} has ended\n${stack.tail()}`,
            async () => (await jobOf(job_id)).is_completed === true,
          );
          expect({ kind, ...(await jobOf(job_id)) }).toMatchObject({
            kind,
            ...stored,
            inserted_readings: total,
          });
        }
        const again = { body: left.keyed_body, headers: { "Idempotency-Key": left.key } };
        const repeated = await call(producer, "POST", "/api/v1/data/ingest", again);
        expect(repeated.headers.get("Idempotent-Replayed")).toBe("true");
        expect(repeated.body.job_id).toBe(left.entries.find(({ kind }) => kind === "keyed")!.job_id);

        const dead = left.entries.find(({ kind }) => kind === "dead")!;
        const letters = (await call(admin, "GET", "/api/v1/dead-letters")).body.items as object[];
        expect(letters).toMatchObject([{ job: { job_id: dead.job_id }, reason: "a mistake of old" }]);
        const replay = { body: JSON.stringify({ note: "mended" }) };
        expect((await call(admin, "POST", `/api/v1/jobs/${dead.job_id}/replay`, replay)).status).toBe(200);
        await until(
          "the dead letter's job has ended",
          async () => (await jobOf(dead.job_id)).status === "completed",
        );

        for (const table of STAYING) {
          const missing = await missingRows(sql, table, kept.tables[table] ?? []);
          expect({ table, missing }).toEqual({ table, missing: [] });
        }
        await expectSums(kept, admin);
        if (kept.api_key !== null)
          expect((await call(kept.api_key, "GET", "/api/v1/auth/session")).status).toBe(200);
      },
      TEST_MS,
    );

    /** The ledger, the hourly aggregate and the counts of the quarantine; before a review and after it. */
    async function expectSums({ tables }: Kept, admin: string): Promise<void> {
      const { sql } = stack.reckoning;
      const [wrong] = await sql`
      SELECT count(*)::int AS jobs FROM diagnostics_ingestion_job job WHERE status = 'completed' AND review_task_id IS NULL
        AND quarantined_readings <> (SELECT count(*) FROM diagnostics_quarantined_reading q WHERE q.job_id = job.id)`;
      expect(wrong).toEqual({ jobs: 0 });
      const [hourly] = await sql`
      SELECT (SELECT count(*)::int FROM diagnostics_sensordata) AS readings,
        (SELECT sum(readings_count)::int FROM diagnostics_sensordata_hourly) AS aggregated`;
      expect(hourly!.aggregated).toBe(hourly!.readings);

      const decide = async (body: object) => {
        const task = await call(admin, "POST", "/api/v1/quarantine/actions", { body: JSON.stringify(body) });
        expect(task.body).toMatchObject({ state: "completed", done: 1, failing: {} });
        return task.body as { readonly withdrawn: number };
      };
      const [first, second] = await sql<{ id: number }[]>`
      SELECT id::int FROM diagnostics_quarantined_reading
      WHERE reason = 'out_of_range' AND review_status = 'pending' ORDER BY id`;
      await decide({ action: "fix", selection: { ids: [first!.id] }, change: { scale: 0.1 } });
      await decide({ action: "reject", selection: { ids: [second!.id] } });
      const kept = tables.diagnostics_quarantined_reading ?? [];
      // What an older program stored can be taken back.
      for (const { id, review_status } of kept)
        if (review_status === "fixed")
          expect(await decide({ action: "reopen", selection: { ids: [id] } })).toMatchObject({
            withdrawn: 1,
          });
      const counts = async () => {
        const { statuses } = (await call(admin, "GET", "/api/v1/quarantine/counts")).body as {
          statuses: Record<string, { count: number }>;
        };
        const rows = await sql<{ name: string; n: number }[]>`
        SELECT review_status AS name, count(*)::int AS n FROM diagnostics_quarantined_reading GROUP BY 1`;
        expect(rows.reduce((sum, { n }) => sum + n, 0)).toBe(kept.length);
        return rows.every(({ name, n }) => statuses[name]?.count === n);
      };
      await until("the counts are those of the rows", counts);
      const findings = [...(await verifyDatabase(stack.urls.database)).values()];
      expect(findings.filter(({ verdict }) => verdict === "fail")).toEqual([]);
    }
  },
);
