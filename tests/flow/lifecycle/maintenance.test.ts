/** The maintenance actor: one leads, hours become clean, old readings go together with their hours. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Registry } from "prom-client";
import { Maintenance, type MaintenanceReport } from "../../../src/ingest/maintenance.ts";
import { maintenanceMetrics } from "../../../src/ingest/maintenance-metrics.ts";
import { systemClock } from "../../../src/ops/clock.ts";
import type { Sql } from "../../../src/store/pool.ts";
import type { Patience } from "../../../src/store/rollup.ts";
import {
  CountingReport,
  connect,
  DAY_MS,
  differences,
  dirtyHours,
  HOUR_MS,
  QUIET_LOG,
  registerSensors,
  serverEdition,
  storeReadings,
} from "../../support/hourly.ts";
import { createTestDatabase, type TestService } from "../../support/test-services.ts";
import { until } from "../../support/until.ts";

const edition = await serverEdition();
const TODAY_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const AT_ONCE: Patience = { quiet_ms: 0, longest_ms: 0, ended_only: false };
let service: TestService;
let sql: Sql;
const actors: Maintenance[] = [];

beforeEach(async () => {
  service = await createTestDatabase();
  sql = connect(service.url, 4);
  await registerSensors(sql, 2, 2);
});
afterEach(async () => {
  for (const actor of actors.splice(0)) await actor.stop(2_000);
  await sql.end();
  await service.drop();
});

interface Options {
  readonly retention_days?: number;
  readonly patience?: Patience;
  readonly name?: string;
  readonly report?: MaintenanceReport;
}

function hire(options: Options = {}): { actor: Maintenance; report: CountingReport } {
  const report = new CountingReport();
  const { retention_days = 1_825, patience = AT_ONCE, name = "upkeep" } = options;
  const actor = new Maintenance(
    {
      database_url: service.url,
      session_name: name,
      interval_ms: 20,
      retention_days,
      alerts: null,
      patience: { apache: patience, community: patience },
    },
    systemClock,
    QUIET_LOG,
    options.report ?? report,
  );
  actor.start();
  actors.push(actor);
  return { actor, report };
}

/**
 * One reading a minute of each sensor, from midnight so many days ago: chunks begin at midnight, so these are in one. By
 * the day of the start, because a test may run across midnight.
 */
async function storeMinutes(days_ago: number, minutes: number): Promise<void> {
  const begin_ms = TODAY_MS - days_ago * DAY_MS;
  const rows = Array.from({ length: minutes * 4 }, (_, i) => ({
    system: 1 + (i % 2),
    sensor: 1 + ((i >> 1) % 2),
    time_ms: begin_ms + (i >> 2) * 60_000,
    value: (i * 37) % 101,
  }));
  await storeReadings(sql, rows);
}

const hoursShown = async () =>
  (await sql<{ n: number }[]>`SELECT count(*)::int AS n FROM diagnostics_sensordata_hourly`)[0]!.n;
const isClean = () => until("every hour is clean", async () => (await dirtyHours(sql)) === 0);

describe(`maintenance on the ${edition} edition`, () => {
  test("one of two leads; when its session ends the other one does", async () => {
    const crew = [hire({ name: "upkeep-1" }), hire({ name: "upkeep-2" })];
    const leaders = () => crew.filter(({ report }) => report.leading).length;
    await until("somebody leads", () => leaders() > 0);
    expect(leaders()).toBe(1);
    const first = crew.findIndex(({ report }) => report.leading);
    await crew[first]!.actor.stop(2_000);
    await until("the other one leads", () => crew[1 - first]!.report.leading);
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = ${`upkeep-${2 - first}`}`;
    await until("it leads again over a new session", () => crew[1 - first]!.report.terms === 2);
    expect(crew[1 - first]!.report.failures).toBe(1);
  });

  test("hours become clean and the view stays the same", async () => {
    await storeMinutes(10, 200);
    expect(await differences(sql)).toEqual([]);
    const { report } = hire();
    await isClean();
    expect(await differences(sql)).toEqual([]);
    expect(await hoursShown()).toBe(16);
    await until("it is reported", () => report.aggregated === 8);
    expect(report.taken).toBe(8);
  });

  test("readings that come years late are shown at once, and also when their hour is clean", async () => {
    hire();
    await storeMinutes(1, 90);
    await isClean();
    await storeMinutes(900, 90);
    expect(await differences(sql)).toEqual([]);
    await isClean();
    await storeMinutes(900, 130);
    expect(await differences(sql)).toEqual([]);
    await isClean();
    expect(await differences(sql)).toEqual([]);
    expect(await hoursShown()).toBe(4 * 5);
  });

  test("the log of an hour that is written all the time stays small", async () => {
    const { report } = hire({ patience: { quiet_ms: 60_000, longest_ms: 60_000, ended_only: true } });
    // Of the next hour, so that the test may run across the end of this one.
    const hour_ms = Math.floor(Date.now() / HOUR_MS + 1) * HOUR_MS;
    for (let i = 0; i < 300; i += 1) {
      await storeReadings(sql, [{ system: 1, sensor: 1, time_ms: hour_ms + i, value: i }]);
    }
    await until("the log is taken", () => report.taken === 300);
    expect(await dirtyHours(sql)).toBe(1);
    expect(report.aggregated).toBe(0);
    expect(await differences(sql)).toEqual([]);
  });

  test("hours wait while readings keep coming, and are aggregated when there is time", async () => {
    const { report } = hire({ patience: { quiet_ms: 5_000, longest_ms: 3_600_000, ended_only: false } });
    await storeMinutes(9, 60);
    for (let i = 0; report.taken <= 10; i += 1) {
      await storeReadings(sql, [{ system: 1, sensor: 1, time_ms: Date.now() - DAY_MS + i, value: i }]);
    }
    expect(report.aggregated).toBe(0);
    await isClean();
    expect(report.aggregated).toBeGreaterThan(2);
    expect(await differences(sql)).toEqual([]);
  });

  test("an hour that never falls quiet is aggregated after the longest wait", async () => {
    const { report } = hire({ patience: { quiet_ms: 60_000, longest_ms: 300, ended_only: false } });
    const hour_ms = Math.floor(Date.now() / HOUR_MS - 5) * HOUR_MS;
    for (let i = 0; report.aggregated < 2; i += 1) {
      await storeReadings(sql, [{ system: 1, sensor: 1, time_ms: hour_ms + i, value: i }]);
    }
    expect(await differences(sql)).toEqual([]);
  });

  test("an hour that is not over is left to the live part while readings keep coming, and never aggregated in vain", async () => {
    const { report } = hire({ patience: { quiet_ms: 60_000, longest_ms: 0, ended_only: false } });
    // Of the next hour, so that the test may run across the end of this one.
    const running_ms = Math.floor(Date.now() / HOUR_MS + 1) * HOUR_MS;
    await storeReadings(sql, [{ system: 1, sensor: 1, time_ms: running_ms, value: 1 }]);
    await until("the running hour is taken", () => report.taken === 1);
    await storeReadings(sql, [{ system: 1, sensor: 1, time_ms: running_ms - 5 * HOUR_MS, value: 2 }]);
    await until("the hour that is over is aggregated", () => report.aggregated === 1);
    expect(await dirtyHours(sql)).toBe(1);
    expect(await differences(sql)).toEqual([]);
  });

  test("retention drops readings and their hours together, and nothing younger", async () => {
    await storeMinutes(60, 120);
    await storeMinutes(5, 120);
    const before = hire();
    await isClean();
    expect(await hoursShown()).toBe(16);
    await before.actor.stop(2_000);
    const { report } = hire({ retention_days: 30 });
    await until("the old chunk is dropped", () => report.chunks === 1);
    expect(await differences(sql)).toEqual([]);
    expect(await hoursShown()).toBe(8);
  });

  test("everything may be older than the limit", async () => {
    await storeMinutes(60, 120);
    await storeMinutes(40, 120);
    const before = hire();
    await isClean();
    await before.actor.stop(2_000);
    const { report } = hire({ retention_days: 30 });
    await until("both chunks are dropped", () => report.chunks === 2);
    await until("no hour is left", async () => (await hoursShown()) === 0);
    await storeMinutes(40, 60);
    expect(await differences(sql)).toEqual([]);
  });

  test("hours of readings that somebody else dropped follow", async () => {
    await storeMinutes(60, 120);
    await storeMinutes(5, 120);
    const before = hire();
    await isClean();
    await before.actor.stop(2_000);
    await sql`SELECT drop_chunks('diagnostics_sensordata', older_than => interval '30 days')`;
    expect(await hoursShown()).toBe(16);
    hire();
    await until("the hours are dropped", async () => (await hoursShown()) === 8);
    expect(await differences(sql)).toEqual([]);
  });

  test("a long reader holds up neither ingest nor the aggregate, only the drop, which comes later", async () => {
    await storeMinutes(60, 60);
    const reader = await sql.reserve();
    await reader`BEGIN`;
    await reader`SELECT count(*) FROM diagnostics_sensordata`;
    const { report } = hire({ retention_days: 30 });
    await until("the leader tries to drop", async () => {
      const waiting = await sql`SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'upkeep' AND wait_event_type = 'Lock'`;
      return waiting.length > 0;
    });
    await storeMinutes(2, 60);
    await until("the new hours are aggregated", () => report.aggregated >= 4);
    expect(report.chunks).toBe(0);
    await reader`ROLLBACK`;
    reader.release();
    await until("the drop follows", () => report.chunks === 1);
    expect(report.failures).toBe(0);
    expect(await differences(sql)).toEqual([]);
  });

  test("a stop does not wait for a step that hangs, and the next leader does the step", async () => {
    const holder = await sql.reserve();
    await holder`BEGIN`;
    await holder`LOCK TABLE diagnostics_rollup_hour IN ACCESS EXCLUSIVE MODE`;
    await storeMinutes(2, 60);
    const { actor } = hire();
    await until("the step hangs", async () => {
      const waiting = await sql`SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'upkeep' AND wait_event_type = 'Lock'`;
      return waiting.length > 0;
    });
    const begin = performance.now();
    await actor.stop(100);
    expect(performance.now() - begin).toBeLessThan(10_000);
    await holder`ROLLBACK`;
    holder.release();
    expect(await dirtyHours(sql)).toBe(2);
    hire({ name: "successor" });
    await isClean();
    expect(await differences(sql)).toEqual([]);
  });

  test("the metrics tell who leads, what waits and what was done", async () => {
    const registry = new Registry();
    hire({
      report: maintenanceMetrics(registry),
      patience: { ...AT_ONCE, quiet_ms: 3_600_000, longest_ms: 3_600_000 },
    });
    await storeMinutes(2, 60);
    const value = async (name: string) => {
      const metric = await registry.getSingleMetric(name)?.get();
      return metric?.values[0]?.value;
    };
    await until("two hours wait", async () => (await value("hydraulic_rollup_dirty_hours")) === 2);
    expect(await value("hydraulic_maintenance_leading")).toBe(1);
    expect(await value("hydraulic_rollup_log_rows_total")).toBe(2);
    expect(await value("hydraulic_rollup_hours_total")).toBe(0);
    await until("the lag grows", async () => ((await value("hydraulic_rollup_lag_seconds")) ?? 0) > 0);
  });
});
