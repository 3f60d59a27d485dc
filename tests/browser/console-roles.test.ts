/** What each role meets in a real browser against the real service; dead letters; and a service that goes and returns. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Redis } from "ioredis";
import postgres from "postgres";
import { encodeEntry } from "../../src/contract/entry.ts";
import { newJobId } from "../../src/contract/job-id.ts";
import type { AuditEntry } from "../../src/contract/oversight.ts";
import { deadKey } from "../../src/stream/keys.ts";
import { settled } from "../support/console-browser.ts";
import { SYSTEM, sensorId, serviceSuite, waiting } from "../support/console-service.ts";
import { until } from "../support/until.ts";

serviceSuite("roles and dead letters in the console of a running service", ({ service, enter }) => {
  let redis: Redis;
  let sql: postgres.Sql;
  beforeAll(() => {
    redis = new Redis(service().stack.urls.redis);
    sql = postgres(service().stack.urls.database, { max: 1 });
  });
  afterAll(async () => {
    await redis?.quit();
    await sql?.end();
  });

  test("a producer finds their own batches, why readings were refused, and no dead end", async () => {
    const own = await service().send(sensorId(1), 10, 2, "feeder-1");
    const other = await service().send(sensorId(2), 10, 1, "feeder-2");
    const { page, complaints, close } = await enter("", "feeder-1");
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    const links = page.getByRole("navigation", { name: "Pages" }).getByRole("link");
    expect(await links.allTextContents()).toEqual(["Jobs", "Systems", "Webhooks", "API keys"]);
    await page.getByText("1 shown, no more").waitFor();
    await page.locator(`a[href$="/jobs/${own}"]`).click();
    await page.getByText("2 shown, no more").waitFor();
    await page.getByText("above 700 bar").first().waitFor();
    await settled(page);
    expect(await page.getByRole("link", { name: "Review" }).count()).toBe(0);
    await page.getByRole("link", { name: "Demo press" }).click();
    await page.locator(`a[href$="/sensors/${sensorId(1)}"]`).click();
    await page.locator('.chart[aria-label$="8 points"]').waitFor();
    await page.getByText("0 to 700 bar").first().waitFor();
    await settled(page);
    expect(await page.getByRole("button", { name: "Set the range" }).count()).toBe(0);
    expect(await page.getByRole("link", { name: "Quarantine" }).count()).toBe(0);

    for (const path of ["/quarantine", "/dead-letters", "/workers", "/audit"]) {
      await page.goto(`${service().url}/console${path}`);
      await page.getByText(/^This page is for admins/).waitFor();
    }
    await page.getByRole("link", { name: "To the first page" }).click();
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    await page.goto(`${service().url}/console/jobs/${other}`);
    await page.locator(".problem-title").first().waitFor();
    await settled(page);
    expect(await page.getByText("above 700 bar").count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  /** A batch that was given up, as a worker leaves it. */
  async function bury(n: number): Promise<{ job_id: string; letter: string }> {
    const job_id = newJobId(0);
    const [user] = await sql`SELECT id FROM diagnostics_user WHERE username = 'feeder-1'`;
    const timestamp = new Date(Date.now() - 60_000).toISOString();
    const readings = [{ sensor_id: sensorId(n), timestamp, value: 130 + n, unit: "bar" }];
    const received_at_ms = Date.now() - 30_000;
    await sql`INSERT INTO diagnostics_ingestion_job (id, system_id, created_by, status, total_readings, created_at,
        completed_at, error_message)
      VALUES (${job_id}, ${SYSTEM}, ${user?.id}, 'failed', 1, ${new Date(received_at_ms)}, now(), 'poisoned batch')`;
    const meta = {
      job_id,
      system_id: SYSTEM,
      user_id: String(user?.id),
      request_id: "r",
      total_readings: 1,
      received_at_ms,
    };
    const entry = await redis.xadd(
      deadKey(0),
      "*",
      ...["reason", "poisoned batch", "entry", "1-0", "buried_at_ms", String(Date.now())],
      ...encodeEntry(meta, Buffer.from(JSON.stringify({ system_id: SYSTEM, readings }))),
    );
    return { job_id, letter: `0/${entry}` };
  }
  const auditOf = async (letter: string) =>
    (
      await service().api<{ items: AuditEntry[] }>(
        `/api/v1/audit?subject_type=dead_letter&subject_id=${letter}`,
      )
    ).items;

  test("a dead letter is looked at and replayed: its readings are stored, its job ends well", async () => {
    const { job_id, letter } = await bury(5);
    const { page, complaints, close } = await enter("/dead-letters");
    await page.getByRole("link", { name: letter }).click();
    await page.getByText("poisoned batch").waitFor();
    await page.getByRole("region", { name: "Payload" }).getByText(sensorId(5)).waitFor();
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByRole("dialog").getByLabel("Note").fill("the database is mended");
    await page.keyboard.press("Enter");
    await page.getByText("The dead letter was sent again.").waitFor();
    await page.getByText("No dead letters").waitFor();
    await until(
      "the job ends",
      async () => (await service().api<{ status: string }>(`/api/v1/jobs/${job_id}/`)).status === "completed",
    );
    await page.goto(`${service().url}/console/jobs/${job_id}`);
    await page.locator(".page-head").getByText("completed").waitFor();
    expect(await auditOf(letter)).toMatchObject([
      { action: "dead_letter.replay", actor_name: "admin", note: "the database is mended" },
    ]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("a dead letter is discarded only with a reason; its job says that nothing is left to replay", async () => {
    const { job_id, letter } = await bury(6);
    const { page, complaints, close } = await enter(`/jobs/${job_id}`);
    await page.getByText("poisoned batch").waitFor();
    await page.getByRole("button", { name: "Replay" }).waitFor();
    await page.getByRole("link", { name: "Look at the payload" }).click();
    await page.getByRole("button", { name: "Discard" }).click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.getByRole("button", { name: "Discard" }).isDisabled()).toBe(true);
    await dialog.getByLabel("Note (required)").fill("a test of the rig builder");
    await dialog.getByRole("button", { name: "Discard" }).click();
    await page.getByText("The dead letter was discarded.").waitFor();
    expect(await service().letterOf(job_id)).toBeUndefined();
    await page.goto(`${service().url}/console/jobs/${job_id}`);
    await page.getByText("No dead letter holds its payload").waitFor();
    await settled(page);
    expect(await page.getByRole("button", { name: "Replay" }).count()).toBe(0);
    expect(await auditOf(letter)).toMatchObject([
      { action: "dead_letter.discard", note: "a test of the rig builder" },
    ]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("the overview says that the service is away and goes on by itself once it is back; the visitor stays signed in", async () => {
    const { page, complaints, close } = await enter("");
    await page.getByText("Live", { exact: true }).waitFor();
    await service().stop();
    await page.getByText("Connection lost, reconnecting…").waitFor();
    await service().start();
    await page.getByText("Live", { exact: true }).waitFor();
    const before = await service().pending();
    await waiting(page, before);
    await service().send(sensorId(7), 10, 3);
    await waiting(page, before + 3);
    await page.getByRole("link", { name: "Workers", exact: true }).click();
    await page.getByText("running").first().waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
