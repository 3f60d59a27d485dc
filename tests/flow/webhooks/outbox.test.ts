/** The end of a job and the change of an alert note their deliveries themselves: together with them, or not at all. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { FormatRegistry } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AlertSchema } from "../../../src/contract/alert.ts";
import { type JobRecord, toJobView } from "../../../src/contract/job.ts";
import { isUuid, newJobId } from "../../../src/contract/job-id.ts";
import type { WebhookEvent } from "../../../src/contract/webhook-events.ts";
import type { DedicatedSession } from "../../../src/store/dedicated-session.ts";
import { judgeQuarantine } from "../../../src/store/quarantine-alerts.ts";
import { DeliveryLog } from "../../../src/store/webhooks/deliveries.ts";
import { Writer } from "../../../src/store/writer/writer.ts";
import { judgingSession } from "../../support/alerts.ts";
import { IngestBench, RECEIVED_MS, reading, SYSTEM } from "../../support/ingest-bench.ts";
import { reopenJob } from "../../support/replay.ts";
import { makeUser, makeWebhook } from "../../support/webhooks.ts";
import { groupOf, type JudgedBatch } from "../../support/write-oracle.ts";

FormatRegistry.Set("uuid", isUuid);
FormatRegistry.Set("date-time", (text) => !Number.isNaN(Date.parse(text)));
const URL = "https://hook.example/";
let bench: IngestBench;
let writer: Writer;
let session: DedicatedSession;
beforeAll(async () => {
  bench = await IngestBench.create();
  const application_name = "test-writer";
  const url = bench.databaseUrl;
  writer = new Writer({ url, application_name, deadline_ms: 20_000 }, () => RECEIVED_MS + 1_000);
  session = await judgingSession(url);
});
afterEach(async () => {
  await bench.clear();
  await bench.database
    .sql`TRUNCATE diagnostics_webhook, diagnostics_webhook_delivery, diagnostics_quarantine_alert`;
});
afterAll(async () => {
  await session.close();
  await writer.close();
  await bench.close();
});

interface Noted {
  webhook_id: string;
  event: WebhookEvent;
  subject_id: string;
  snapshot: Record<string, unknown>;
  state: string;
}
const noted = async (webhook_id?: string): Promise<Noted[]> => [
  ...(await bench.database.sql<Noted[]>`
    SELECT webhook_id, event, subject_id, snapshot, state FROM diagnostics_webhook_delivery
    WHERE ${webhook_id ?? null}::uuid IS NULL OR webhook_id = ${webhook_id ?? null} ORDER BY id`),
];
const batch = (second: number): JudgedBatch => ({
  job_id: newJobId(0),
  readings: [{ sensor: 1, second, value: 100, unit: "bar" }],
});
/** A group whose jobs belong to a user. */
function groupFor(user_id: string, batches: readonly JudgedBatch[], error_message: string | null = null) {
  const group = groupOf(batches);
  const jobs = group.jobs.map((job) => ({ ...job, error_message, meta: { ...job.meta, user_id } }));
  return { ...group, jobs };
}

describe("the end of a job", () => {
  test("is noted for its user's webhooks with the job as it is then, and for nobody without one", async () => {
    const owner = await makeUser(bench.database, "producer");
    await writer.commit(groupFor(owner, [batch(0)]));
    expect(await noted()).toEqual([]);
    const mine = await makeWebhook(bench.database, URL, { owner });
    const other = await makeWebhook(bench.database, URL);
    const batches = [batch(1), batch(2)];
    const { jobs } = await writer.commit(groupFor(owner, batches));
    const rows = await noted();
    expect(rows.map(({ webhook_id, event, state }) => [webhook_id, event, state])).toEqual([
      [mine.id, "job.completed", "pending"],
      [mine.id, "job.completed", "pending"],
    ]);
    const bySubject = new Map(rows.map((row) => [row.subject_id, row.snapshot]));
    for (const job of jobs) {
      expect(toJobView(bySubject.get(job.job_id) as unknown as JobRecord)).toEqual(toJobView(job));
    }
    expect(await new DeliveryLog(bench.database).page(other.id, ANY, ALL)).toEqual([]);
  });

  test("is noted for admins who ask for everybody's, within the systems that each user reaches", async () => {
    const owner = await makeUser(bench.database, "producer");
    const all = await makeWebhook(bench.database, URL, { scope: "all" });
    const elsewhere = [crypto.randomUUID()];
    const limited = await makeWebhook(bench.database, URL, {
      scope: "all",
      owner: await makeUser(bench.database, "admin", elsewhere),
    });
    const here = await makeWebhook(bench.database, URL, {
      scope: "all",
      owner: await makeUser(bench.database, "admin", [...elsewhere, SYSTEM]),
    });
    await writer.commit(groupFor(owner, [batch(0)]));
    expect(new Set((await noted()).map(({ webhook_id }) => webhook_id))).toEqual(new Set([all.id, here.id]));
    expect(await noted(limited.id)).toEqual([]);
  });

  test("is noted by what the webhook asks for, unless it is disabled or full", async () => {
    const owner = await makeUser(bench.database, "producer");
    const failing = await makeWebhook(bench.database, URL, { owner, events: ["job.failed"] });
    await makeWebhook(bench.database, URL, { owner, disabled_at: new Date(), disabled_reason: "user" });
    await makeWebhook(bench.database, URL, { owner, overflow_since: new Date() });
    await writer.commit(groupFor(owner, [batch(0)]));
    expect(await noted()).toEqual([]);
    await writer.commit(groupFor(owner, [batch(1)], "the system is not registered"));
    expect(await noted()).toMatchObject([
      {
        webhook_id: failing.id,
        event: "job.failed",
        snapshot: { error_message: "the system is not registered" },
      },
    ]);
  });

  test("that is rolled back is not noted", async () => {
    const owner = await makeUser(bench.database, "producer");
    await makeWebhook(bench.database, URL, { owner });
    const beside = () => Promise.reject(new Error("no"));
    const after = { ...groupFor(owner, [batch(0)]), beside };
    await expect(writer.commit(after)).rejects.toThrow("no");
    const twice = batch(1);
    await writer.commit(groupFor(owner, [twice]));
    await expect(writer.commit(groupFor(owner, [twice]))).rejects.toThrow();
    expect(await noted()).toHaveLength(1);
  });

  test("of a review's job is not noted: it is no news of a producer's batch", async () => {
    const owner = await makeUser(bench.database, "reviewer");
    await makeWebhook(bench.database, URL, { scope: "all" });
    const group = groupFor(owner, [batch(0)]);
    const jobs = group.jobs.map((job) => ({ ...job, review_task_id: crypto.randomUUID() }));
    await writer.commit({ ...group, jobs });
    expect(await noted()).toEqual([]);
  });

  test("without data is noted once, and again when its replay ends", async () => {
    const owner = await makeUser(bench.database, "producer");
    const { id } = await makeWebhook(bench.database, URL, { owner });
    const meta = { ...bench.meta(1), user_id: owner };
    const failed = await bench.jobs.fail(meta, "no way", RECEIVED_MS + 9, "w", "0/1-1");
    await bench.jobs.fail(meta, "again", RECEIVED_MS + 99, "w", "0/1-1");
    const rows = await noted(id);
    expect(rows).toMatchObject([{ event: "job.failed", subject_id: meta.job_id }]);
    expect(toJobView(rows[0]!.snapshot as unknown as JobRecord)).toEqual(toJobView(failed));
    await reopenJob(bench.database, meta.job_id);
    await writer.commit(groupFor(owner, [{ ...batch(0), job_id: meta.job_id }]));
    expect((await noted(id)).map(({ event }) => event)).toEqual(["job.failed", "job.completed"]);
    expect((await noted(id))[0]!.snapshot).toMatchObject({ status: "failed", error_message: "no way" });
  });

  test("reaches the outbox through a whole pipeline", async () => {
    const { id } = await makeWebhook(bench.database, URL, { scope: "all" });
    const good = await bench.offer([reading(1, 0)]);
    const lost = await bench.offer([reading(1, 1)], crypto.randomUUID());
    await bench.work("w");
    const events = new Map((await noted(id)).map(({ subject_id, event }) => [subject_id, event]));
    expect(events).toEqual(
      new Map([
        [good, "job.completed"],
        [lost, "job.failed"],
      ]),
    );
  });
});
const ALL = { reach: null, user_id: null };
const ANY = { state: null, event: null, after: null, limit: 10 };

describe("an alert", () => {
  const RULE = { share: 0.05, window_s: 3_600, min_readings: 10, quiet_s: 0 };
  const job = (inserted: number, quarantined: number) => bench.database.sql`
    INSERT INTO diagnostics_ingestion_job
      (id, system_id, created_by, status, total_readings, inserted_readings, quarantined_readings, created_at)
    VALUES (${crypto.randomUUID()}, ${SYSTEM}, ${crypto.randomUUID()}, 'completed', ${inserted + quarantined}, ${inserted},
      ${quarantined}, now())`;

  test("is noted when it is raised and when it is resolved, for admins' webhooks that ask for it", async () => {
    const events = ["alert.raised", "alert.resolved"] as const;
    const { id } = await makeWebhook(bench.database, URL, { scope: "all", events });
    await makeWebhook(bench.database, URL, { scope: "own", events });
    await job(80, 20);
    await judgeQuarantine(session, RULE);
    await judgeQuarantine(session, RULE);
    await job(10_000, 0);
    await judgeQuarantine(session, RULE);
    const rows = await noted();
    expect(rows.map(({ webhook_id, event }) => [webhook_id, event])).toEqual([
      [id, "alert.raised"],
      [id, "alert.resolved"],
    ]);
    const [raised, resolved] = rows.map(({ snapshot }) => snapshot);
    expect(raised).toMatchObject({
      system_id: SYSTEM,
      system_name: "bench",
      resolved_at: null,
      share: 0.2,
      limit: 0.05,
      readings: 100,
      quarantined: 20,
    });
    expect(resolved).toMatchObject({ id: raised!.id, peak_share: 0.2, readings: 10_100 });
    for (const { snapshot } of rows) expect([...Value.Errors(AlertSchema, snapshot)]).toEqual([]);
    expect(resolved!.resolved_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{6}Z$/);
  });
});
