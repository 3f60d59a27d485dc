/** Totals and incidents stay those of plain statements over the readings while writers and reviewers go on and the leader adds them up. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Maintenance, PATIENCE } from "../../../src/ingest/maintenance.ts";
import { systemClock } from "../../../src/ops/clock.ts";
import { DedicatedSession } from "../../../src/store/dedicated-session.ts";
import { migrate } from "../../../src/store/migrate.ts";
import { Database, type Sql } from "../../../src/store/pool.ts";
import { foldQuarantineChanges } from "../../../src/store/quarantine-upkeep.ts";
import { CountingReport, connect, QUIET_LOG } from "../../support/hourly.ts";
import { createTestDatabase, MIGRATIONS, type TestService } from "../../support/test-services.ts";
import { until } from "../../support/until.ts";
import { chance, insertRefusals, randomRefusals, sumsAndTruth } from "./quarantined.ts";

let service: TestService;
let sql: Sql;
beforeEach(async () => {
  service = await createTestDatabase();
  sql = connect(service.url, 6);
});
afterEach(async () => {
  await sql.end();
  await service.drop();
});

const changes = async () =>
  (await sql<{ n: number }[]>`SELECT count(*)::int AS n FROM diagnostics_quarantine_change`)[0]!.n;

async function expectTruth(): Promise<void> {
  const { totals, incidents } = await sumsAndTruth(sql);
  expect(totals[0]).toEqual(totals[1]);
  expect(incidents[0]).toEqual(incidents[1]);
}

test("sums are right at every moment under writers, reviewers and two who add up", async () => {
  const sessions = await Promise.all(
    [1, 2].map(() =>
      DedicatedSession.open({ url: service.url, application_name: "fold", statement_deadline_ms: 10_000 }),
    ),
  );
  let working = true;
  const writer = async (seed: number) => {
    for (let i = 0; i < 15; i += 1) await insertRefusals(sql, randomRefusals(100, seed * 100 + i));
  };
  const reviewer = async (seed: number) => {
    const random = chance(seed);
    const statuses = ["pending", "approved", "rejected", "fixed"];
    for (let i = 0; i < 40; i += 1) {
      await sql`UPDATE diagnostics_quarantined_reading SET review_status = ${statuses[Math.floor(random() * 4)]!}
        WHERE id IN (SELECT id FROM diagnostics_quarantined_reading WHERE id % 41 = ${i} ORDER BY id FOR UPDATE)`;
    }
  };
  const folder = async (session: DedicatedSession) => {
    while (working) await foldQuarantineChanges(session);
  };
  const onlooker = async () => {
    while (working) await expectTruth();
  };
  const folders = sessions.map(folder);
  const watching = onlooker();
  await Promise.all([writer(1), writer(2), reviewer(3), reviewer(4)]).finally(() => {
    working = false;
  });
  await Promise.all([...folders, watching]);
  for (const session of sessions) {
    await foldQuarantineChanges(session);
    await session.close();
  }
  expect(await changes()).toBe(0);
  await expectTruth();
});

test("a step that is undone changes nothing", async () => {
  await insertRefusals(sql, randomRefusals(200, 5));
  const session = await DedicatedSession.open({
    url: service.url,
    application_name: "fold",
    statement_deadline_ms: 10_000,
  });
  const before = await changes();
  const undone = foldQuarantineChanges({
    query: (text, values) => session.query(text, values),
    transaction: <T>(work: () => Promise<T>) =>
      session.transaction(async (): Promise<T> => {
        expect((await work()) as unknown).toEqual([{ rows: before }]);
        throw new Error("cut off");
      }),
  });
  await expect(undone).rejects.toThrow("cut off");
  expect(await changes()).toBe(before);
  await expectTruth();
  await session.close();
});

test("the leader of the maintenance adds them up", async () => {
  await insertRefusals(sql, randomRefusals(200, 6));
  const actor = new Maintenance(
    {
      database_url: service.url,
      session_name: "upkeep",
      interval_ms: 20,
      retention_days: 1_825,
      patience: PATIENCE,
      alerts: null,
    },
    systemClock,
    QUIET_LOG,
    new CountingReport(),
  );
  actor.start();
  await until("an empty log", async () => (await changes()) === 0);
  await actor.stop(2_000);
  await expectTruth();
});

test("readings of before there were incidents are in them after the migration, with what came since", async () => {
  const folder = await mkdtemp(join(tmpdir(), "migrations-"));
  for (const name of await readdir(MIGRATIONS))
    if (name < "0005") await cp(join(MIGRATIONS, name), join(folder, name));
  const old = await createTestDatabase(false, folder);
  const before = connect(old.url, 2);
  const database = new Database({ url: old.url, size: 1, query_deadline_ms: 60_000 });
  try {
    await insertRefusals(before, randomRefusals(1_000, 8));
    await migrate(database, { directory: MIGRATIONS, chunk_interval_days: 7 });
    await insertRefusals(before, randomRefusals(300, 9));
    const { totals, incidents } = await sumsAndTruth(before);
    expect(totals[0]).toEqual(totals[1]);
    expect(incidents[0]).toEqual(incidents[1]);
  } finally {
    await Promise.all([before.end(), database.close()]);
    await old.drop();
    await rm(folder, { recursive: true, force: true });
  }
});
