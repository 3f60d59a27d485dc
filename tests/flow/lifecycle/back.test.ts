/**
 * The way back from Community to Apache, statement by statement as docs/operate-editions.md gives it: afterwards nothing
 * of Community is left in the database, every reading is there, and an Apache start takes it. Apache is played by the
 * same server (`as_edition`).
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Database, type Sql } from "../../../src/store/pool.ts";
import { reconcile } from "../../../src/store/reconcile.ts";
import {
  connect,
  DAY_MS,
  differences,
  HOUR_MS,
  registerSensors,
  serverEdition,
  storeReadings,
} from "../../support/hourly.ts";
import { blocksOf } from "../../support/markdown-blocks.ts";
import { createTestDatabase, type TestService } from "../../support/test-services.ts";

const PAGE = new URL("../../../docs/operate-editions.md", import.meta.url);
const SETTINGS = { compress_after_days: 7, retention_days: 1_825 };
const isCommunity = (await serverEdition()) === "community";
const TITLE = isCommunity
  ? "from Community back to Apache"
  : "from Community back to Apache (skipped: the server is the Apache edition, this needs TimescaleDB Community)";

let service: TestService;
let database: Database;
let sql: Sql;
beforeAll(async () => {
  if (!isCommunity) return;
  service = await createTestDatabase();
  database = new Database({ url: service.url, size: 2, query_deadline_ms: 10_000 });
  sql = connect(service.url, 4);
  // What policies would do is done here, and nothing beside it.
  await sql`SELECT _timescaledb_functions.stop_background_workers()`;
  await registerSensors(sql, 2, 3);
});
afterAll(async () => {
  await database?.close();
  await sql?.end();
  await service?.drop();
});

/** A reading every half hour of each sensor for thirty days, `late_ms` off the half hours. */
async function storeMonth(late_ms: number): Promise<void> {
  const begin_ms = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 30 * DAY_MS + late_ms;
  await storeReadings(
    sql,
    Array.from({ length: 48 * 30 * 6 }, (_, i) => ({
      system: 1 + (i % 2),
      sensor: 1 + ((i >> 1) % 3),
      time_ms: begin_ms + Math.floor(i / 6) * (HOUR_MS / 2),
      value: (i * 7919) % 1009,
    })),
  );
}

/** As the maintenance and the policies of Community leave a database: aggregated, compressed, with late readings. */
async function keepAsCommunity(): Promise<void> {
  await storeMonth(0);
  await sql.unsafe("CALL refresh_continuous_aggregate('diagnostics_sensordata_hourly_cagg', NULL, NULL)");
  await sql`DELETE FROM diagnostics_dirty_hour`;
  await sql`SELECT compress_chunk(c) FROM show_chunks('diagnostics_sensordata', older_than => interval '7 days') c`;
  await storeMonth(60_000);
}

const fingerprint = async () =>
  (
    await sql`SELECT count(*)::int AS readings, md5(string_agg(d::text, ',' ORDER BY sensor_id, "timestamp")) AS md5
      FROM diagnostics_sensordata d`
  )[0]!;

/** What only a Community server can have. */
async function ofCommunity() {
  const [row] = await sql`SELECT
    (SELECT count(*)::int FROM timescaledb_information.chunks WHERE is_compressed) AS compressed,
    (SELECT count(*)::int FROM timescaledb_information.hypertables WHERE compression_enabled) AS with_compression,
    (SELECT count(*)::int FROM timescaledb_information.continuous_aggregates) AS aggregates,
    (SELECT count(*)::int FROM timescaledb_information.jobs WHERE job_id >= 1000) AS policies`;
  return row!;
}

describe.skipIf(!isCommunity)(TITLE, () => {
  test("the page's statements leave all readings and nothing of Community, and Apache takes it from there", async () => {
    await keepAsCommunity();
    expect(await ofCommunity()).toMatchObject({ with_compression: 1, aggregates: 1, policies: 4 });
    expect((await ofCommunity()).compressed).toBeGreaterThan(2);
    expect(await differences(sql)).toEqual([]);
    const before = await fingerprint();

    const blocks = blocksOf(await Bun.file(PAGE).text());
    const statements = blocks.find(({ section }) => section === "Back to Apache")!.text.split(/;\n/);
    expect(statements.length).toBeGreaterThan(5);
    for (const statement of statements) await sql.unsafe(statement);
    expect(await ofCommunity()).toEqual({ compressed: 0, with_compression: 0, aggregates: 0, policies: 0 });
    expect(await fingerprint()).toEqual(before);

    const { changes } = await reconcile(database, SETTINGS, "apache");
    expect(changes).toContain("view diagnostics_sensordata_hourly made for the apache edition");
    expect(await differences(sql)).toEqual([]);
    await storeMonth(120_000);
    expect(await differences(sql)).toEqual([]);
  });

  test("and Community takes it again", async () => {
    await reconcile(database, SETTINGS);
    expect(await ofCommunity()).toMatchObject({ with_compression: 1, aggregates: 1, policies: 4 });
    expect(await differences(sql)).toEqual([]);
  });
});
