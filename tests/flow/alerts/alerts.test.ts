/** Alerts: raised, kept up to date and resolved by the shares of a system's batches, on record, and listed. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Registry } from "prom-client";
import type { AlertView } from "../../../src/contract/alert.ts";
import { Maintenance, PATIENCE } from "../../../src/ingest/maintenance.ts";
import { maintenanceMetrics } from "../../../src/ingest/maintenance-metrics.ts";
import { systemClock } from "../../../src/ops/clock.ts";
import type { DedicatedSession } from "../../../src/store/dedicated-session.ts";
import { judgeQuarantine } from "../../../src/store/quarantine-alerts.ts";
import { endedJob, judgingSession, RULE } from "../../support/alerts.ts";
import { ApiBench, type TestApi, type TestUser } from "../../support/api.ts";
import { auditOf } from "../../support/audit.ts";
import { QUIET_LOG } from "../../support/hourly.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, linkedPages, newSystem } from "../../support/registry.ts";
import { until } from "../../support/until.ts";

let bench: ApiBench;
let api: TestApi;
let admin: TestUser;
let session: DedicatedSession;
let system: { id: string; name: string };
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  admin = await api.tokenFor("admin");
  session = await judgingSession(bench.database.url);
});
beforeEach(async () => {
  system = await newSystem(api, admin.token);
});
afterEach(async () => {
  await bench.database.sql`TRUNCATE diagnostics_ingestion_job, diagnostics_quarantine_alert`;
});
afterAll(async () => {
  await session.close();
  await bench.close();
});

const job = (inserted: number, quarantined: number, more: object = {}) =>
  endedJob(bench.database, system.id, inserted, quarantined, more);
const judge = (rule = RULE) => judgeQuarantine(session, rule);
const list = async (query = "") =>
  (await bodyOf<{ items: AlertView[] }>(await api.call(admin.token, "GET", `/api/v1/alerts${query}`))).items;

describe("an alert", () => {
  test("is raised once, follows the share, and is resolved when it falls, each on record", async () => {
    await job(900, 100);
    expect(await judge()).toEqual({ open: 1, raised: 1, resolved: 0 });
    expect(await judge()).toEqual({ open: 1, raised: 0, resolved: 0 });
    const [raised] = await list();
    expect(raised).toMatchObject({
      system_id: system.id,
      system_name: system.name,
      resolved_at: null,
      share: 0.1,
      peak_share: 0.1,
      limit: 0.05,
      window_s: 3600,
      min_readings: 1_000,
      back_since: null,
      readings: 1_000,
      quarantined: 100,
    });
    await job(0, 1_000);
    await judge();
    expect(await list()).toMatchObject([
      { id: raised!.id, share: 0.55, peak_share: 0.55, quarantined: 1_100 },
    ]);
    await job(20_000, 0);
    expect(await judge()).toEqual({ open: 0, raised: 0, resolved: 1 });
    expect(await list()).toEqual([]);
    const [resolved] = await list(`?state=resolved&system_id=${system.id.toUpperCase()}`);
    expect(resolved).toMatchObject({ id: raised!.id, share: 0.05, peak_share: 0.55, readings: 22_000 });
    expect(resolved!.resolved_at).toBeString();
    expect(await auditOf(api, admin.token, "alert", String(raised!.id))).toMatchObject([
      { actor: null, actor_name: "service", action: "alert.resolve", after: { share: 0.05 } },
      {
        actor: null,
        actor_name: "service",
        action: "alert.raise",
        after: { system_id: system.id, share: 0.1 },
      },
    ]);
  });

  test("is resolved when no readings come any more", async () => {
    await job(900, 100);
    await judge();
    await bench.database.sql`UPDATE diagnostics_ingestion_job SET created_at = now() - interval '61 min'`;
    expect(await judge()).toEqual({ open: 0, raised: 0, resolved: 1 });
    expect(await list("?state=any")).toMatchObject([{ share: 0, readings: 0 }]);
  });

  test.each([
    ["few readings", 499, 500, {}],
    ["a share that just reaches the limit", 950, 50, {}],
    ["batches of long ago", 0, 1_000, { created_at: new Date(Date.now() - 3_700_000) }],
    ["batches of a review", 0, 1_000, { review_task_id: crypto.randomUUID() }],
    ["batches in the queue", 0, 1_000, { status: "queued" }],
  ])("is not raised for %s", async (_, inserted, quarantined, more) => {
    await job(inserted, quarantined, more);
    expect(await judge()).toEqual({ open: 0, raised: 0, resolved: 0 });
  });

  test("is raised by the maintenance, about unregistered systems too, and counted", async () => {
    await job(0, 1_000, { status: "failed", system_id: crypto.randomUUID() });
    const registry = new Registry();
    const actor = new Maintenance(
      {
        database_url: bench.database.url,
        session_name: "alerts",
        interval_ms: 50,
        retention_days: 1_825,
        patience: PATIENCE,
        alerts: RULE,
      },
      systemClock,
      QUIET_LOG,
      maintenanceMetrics(registry),
    );
    actor.start();
    try {
      const raised = await until("an alert", async () => (await list())[0]);
      expect(raised).toMatchObject({ system_name: null, share: 1 });
      const text = () => registry.metrics();
      await until("its metrics", async () => (await text()).includes("hydraulic_quarantine_alerts_open 1"));
      expect(await text()).toContain("hydraulic_quarantine_alerts_total 1");
    } finally {
      await actor.stop(30_000);
    }
  });
});

describe("an alert of a share that comes and goes", () => {
  const QUIET = { ...RULE, quiet_s: 300 };
  const expectOpen = async (isBack: boolean) => {
    expect(await judge(QUIET)).toEqual({ open: 1, raised: 0, resolved: 0 });
    expect((await list())[0]?.back_since).toEqual(isBack ? expect.any(String) : null);
  };

  test("stays one alert until the share has been back for a while", async () => {
    await job(900, 100);
    expect(await judge(QUIET)).toEqual({ open: 1, raised: 1, resolved: 0 });
    await job(1_000, 0);
    await expectOpen(true);
    const [back] = await list();
    await job(0, 100);
    await expectOpen(false);
    await job(2_000, 0);
    await expectOpen(true);
    expect((await list())[0]?.back_since).not.toBe(back!.back_since);
    await bench.database.sql`UPDATE diagnostics_quarantine_alert SET back_since = now() - interval '200 s'`;
    await expectOpen(true);
    await bench.database.sql`UPDATE diagnostics_quarantine_alert SET back_since = now() - interval '301 s'`;
    expect(await judge(QUIET)).toEqual({ open: 0, raised: 0, resolved: 1 });
  });

  test("is over at once when nothing is left that it could be about", async () => {
    await job(900, 100);
    await judge(QUIET);
    await bench.database.sql`UPDATE diagnostics_ingestion_job SET created_at = now() - interval '61 min'`;
    expect(await judge(QUIET)).toEqual({ open: 0, raised: 0, resolved: 1 });
  });
});

describe("the list of alerts", () => {
  test("comes in pages, newest first", async () => {
    const names: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      system = await newSystem(api, admin.token);
      names.unshift(system.name);
      await job(0, 2_000);
      await judge();
    }
    const seen = await linkedPages<AlertView>(api, admin.token, "/api/v1/alerts?limit=2");
    expect(seen.map((a) => a.system_name)).toEqual(names);
  });

  test.each(["state=x", "system_id=x", "limit=0", "after=x", "status=open"])(
    "is refused for %s",
    async (query) => {
      const response = await api.call(admin.token, "GET", `/api/v1/alerts?${query}`);
      const { errors } = await expectProblem(response, "invalid-request");
      expect(errors?.[0]?.pointer).toBe(`/${query.split("=")[0]}`);
    },
  );

  test("is not for producers", async () => {
    const { token } = await api.tokenFor("producer");
    await expectProblem(await api.call(token, "GET", "/api/v1/alerts"), "forbidden");
  });
});
