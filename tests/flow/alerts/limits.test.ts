/** Limits of alerts that a system has of its own, and people who see to an alert. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Registry } from "prom-client";
import type { AlertLimitsState, AlertView } from "../../../src/contract/alert.ts";
import type { AuditEntry } from "../../../src/contract/oversight.ts";
import { Maintenance, PATIENCE } from "../../../src/ingest/maintenance.ts";
import { maintenanceMetrics } from "../../../src/ingest/maintenance-metrics.ts";
import { systemClock } from "../../../src/ops/clock.ts";
import type { DedicatedSession } from "../../../src/store/dedicated-session.ts";
import { judgeQuarantine } from "../../../src/store/quarantine-alerts.ts";
import { endedJob, judgingSession, RULE } from "../../support/alerts.ts";
import { ApiBench, type TestApi, type TestUser } from "../../support/api.ts";
import { QUIET_LOG } from "../../support/hourly.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, newSystem, type TestSystem } from "../../support/registry.ts";
import { until } from "../../support/until.ts";

let bench: ApiBench;
let api: TestApi;
let engineer: TestUser;
let admin: TestUser;
let session: DedicatedSession;
let system: TestSystem;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  engineer = await api.tokenFor("engineer");
  admin = await api.tokenFor("admin");
  session = await judgingSession(bench.database.url);
});
beforeEach(async () => {
  system = await newSystem(api, engineer.token);
});
afterEach(async () => {
  await bench.database
    .sql`TRUNCATE diagnostics_ingestion_job, diagnostics_quarantine_alert, diagnostics_alert_limit`;
});
afterAll(async () => {
  await session.close();
  await bench.close();
});

const pathOf = ({ id }: { id: string }) => `/api/v1/systems/${id}/alert-limits`;
const put = (body: unknown, of = system, token = engineer.token) => api.call(token, "PUT", pathOf(of), body);
const set = async (body: object) => bodyOf<AlertLimitsState>(await put(body));
const get = async () => bodyOf<AlertLimitsState>(await api.call(engineer.token, "GET", pathOf(system)));
const job = (inserted: number, quarantined: number, more: object = {}) =>
  endedJob(bench.database, system.id, inserted, quarantined, more);
const judge = () => judgeQuarantine(session, RULE);
const alerts = async (query = "") =>
  (await bodyOf<{ items: AlertView[] }>(await api.call(admin.token, "GET", `/api/v1/alerts${query}`))).items;
const audit = async (query: string) =>
  (await bodyOf<{ items: AuditEntry[] }>(await api.call(admin.token, "GET", `/api/v1/audit?${query}`))).items;

describe("the limits of a system", () => {
  test("are the service's until it has its own, each by itself, and again afterwards; each change is on record", async () => {
    const { quiet_s: _, ...service } = RULE;
    const none = { share: null, window_s: null, min_readings: null };
    expect(await get()).toEqual({ in_force: service, own: none, author_name: null, updated_at: null });
    const changed = await set({ share: 0.2, window_s: 900 });
    expect(changed).toEqual({
      in_force: { share: 0.2, window_s: 900, min_readings: RULE.min_readings },
      own: { share: 0.2, window_s: 900, min_readings: null },
      author_name: engineer.username,
      updated_at: expect.any(String),
    });
    expect(await get()).toEqual(changed);
    expect(await set({ share: 0.2, window_s: 900, min_readings: null })).toEqual(changed);
    expect(await set({ min_readings: 5 })).toMatchObject({ in_force: { ...service, min_readings: 5 } });
    expect(await set({})).toMatchObject({ in_force: service, own: none });
    const entries = await audit(`subject_type=alert_limit&subject_id=${system.id}`);
    expect(
      entries.map(({ actor_name, action, before, after }) => ({ actor_name, action, before, after })),
    ).toEqual(
      [
        [{ ...none, min_readings: 5 }, none],
        [
          { share: 0.2, window_s: 900, min_readings: null },
          { ...none, min_readings: 5 },
        ],
        [null, { share: 0.2, window_s: 900, min_readings: null }],
      ].map(([before, after]) => ({
        actor_name: engineer.username,
        action: "alert_limit.set",
        before: before ?? null,
        after,
      })),
    );
  });

  test.each([
    ["/share", { share: 1.1 }],
    ["/share", { share: "0.1" }],
    ["/window_s", { window_s: 59 }],
    ["/window_s", { window_s: 86_401 }],
    ["/window_s", { window_s: 90.5 }],
    ["/min_readings", { min_readings: 0 }],
    ["/limit", { limit: 0.1 }],
  ])("are refused with the field %s", async (pointer, body) => {
    const { errors } = await expectProblem(await put(body), "invalid-request");
    expect(errors?.map((e) => e.pointer)).toEqual([pointer]);
    expect((await get()).updated_at).toBeNull();
  });

  test("are those of a system in use", async () => {
    const nobody = { ...system, id: crypto.randomUUID() };
    await expectProblem(await put({ share: 0.1 }, nobody), "system-not-found");
    await expectProblem(await api.call(engineer.token, "GET", pathOf(nobody)), "system-not-found");
    await bodyOf(await api.call(engineer.token, "DELETE", `/api/v1/systems/${system.id}`));
    await expectProblem(await put({ share: 0.1 }), "archived");
    expect((await get()).own.share).toBeNull();
  });

  test("judge it in the place of the service's, and nobody else", async () => {
    const other = await newSystem(api, engineer.token);
    for (const { id } of [system, other]) await endedJob(bench.database, id, 900, 100);
    await set({ share: 0.2 });
    expect(await judge()).toEqual({ open: 1, raised: 1, resolved: 0 });
    expect((await alerts()).map(({ system_id }) => system_id)).toEqual([other.id]);
    await set({ share: 0.08, window_s: 60, min_readings: 1_001 });
    expect(await judge()).toMatchObject({ raised: 0 });
    await job(0, 1);
    expect(await judge()).toMatchObject({ open: 2, raised: 1 });
    expect(await alerts(`?system_id=${system.id}`)).toMatchObject([
      { limit: 0.08, window_s: 60, min_readings: 1_001, readings: 1_001, quarantined: 101 },
    ]);
  });

  test("have a window of their own, shorter or longer", async () => {
    await job(0, 2_000, { created_at: new Date(Date.now() - 2 * 3_600_000) });
    await set({ window_s: 10_800 });
    expect(await judge()).toMatchObject({ raised: 1 });
    await set({ window_s: 60 });
    expect(await judge()).toMatchObject({ open: 0, resolved: 1 });
  });

  test.each([
    ["a higher share", { share: 0.5 }],
    ["more readings", { min_readings: 2_000 }],
    ["none any more", { share: 1 }],
  ])("resolve at once what they would not raise: %s", async (_, limits) => {
    await job(900, 100);
    await judge();
    await set(limits);
    expect(await judgeQuarantine(session, { ...RULE, quiet_s: 300 })).toMatchObject({ open: 0, resolved: 1 });
    expect(await judge()).toMatchObject({ raised: 0 });
  });

  test("count in the running maintenance at once, not at its next look", async () => {
    await job(900, 100);
    const actor = new Maintenance(
      {
        database_url: bench.database.url,
        session_name: "limits",
        interval_ms: 50,
        retention_days: 1_825,
        patience: PATIENCE,
        alerts: RULE,
      },
      systemClock,
      QUIET_LOG,
      maintenanceMetrics(new Registry()),
    );
    actor.start();
    try {
      await until("an alert", async () => (await alerts()).length === 1);
      const begin = performance.now();
      await set({ share: 0.2 });
      await until("it is resolved", async () => (await alerts()).length === 0);
      await set({ share: 0.01 });
      await until("it is raised again", async () => (await alerts()).length === 1);
      expect(performance.now() - begin).toBeLessThan(10_000);
    } finally {
      await actor.stop(30_000);
    }
  });
});

describe("who sees to an alert", () => {
  const acknowledge = (id: number | string, body: object, token = engineer.token) =>
    api.call(token, "POST", `/api/v1/alerts/${id}/acknowledge`, body);

  test("is shown with the note, the last one, and all are on record", async () => {
    await job(900, 100);
    await judge();
    const [{ id } = { id: 0 }] = await alerts();
    expect((await alerts())[0]).toMatchObject({ acknowledged_at: null, acknowledged_by: null });
    expect((await acknowledge(id, {}, admin.token)).status).toBe(204);
    expect((await acknowledge(id, { note: "a gateway in psi" })).status).toBe(204);
    expect((await alerts())[0]).toMatchObject({
      acknowledged_at: expect.any(String),
      acknowledged_by: engineer.username,
      acknowledged_note: "a gateway in psi",
      resolved_at: null,
    });
    await job(20_000, 0);
    await judge();
    expect(await alerts("?state=resolved")).toMatchObject([{ acknowledged_by: engineer.username }]);
    expect(await audit(`action=alert.acknowledge&subject_id=${id}`)).toMatchObject([
      { actor_name: engineer.username, note: "a gateway in psi" },
      { actor_name: admin.username, note: null },
    ]);
  });

  test.each([
    ["0", {}, "invalid-request", "/alert_id"],
    ["x", {}, "invalid-request", "/alert_id"],
    ["1", { note: "" }, "invalid-request", "/note"],
    ["1", { text: "x" }, "invalid-request", "/text"],
    ["999999999999999", {}, "alert-not-found", undefined],
  ] as const)("of alert %s with %j is refused", async (id, body, problem, pointer) => {
    const { errors } = await expectProblem(await acknowledge(id, body), problem);
    expect(errors?.[0]?.pointer).toBe(pointer!);
  });
});
