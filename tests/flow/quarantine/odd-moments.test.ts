/** Times that no list can show, and the sensor that is none: refused readings stay listed, shown and decided about. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { IngestBench, reading, sensor } from "../../support/ingest-bench.ts";
import { expectProblem } from "../../support/problem.ts";

const NIL = "00000000-0000-0000-0000-000000000000";
const WILD = [
  "0000-01-02T00:00:00Z",
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59.999999Z",
  "1969-12-31T23:59:59Z",
];

describe("a reading that is broken and claims a time of another age", () => {
  let ingest: IngestBench;
  beforeAll(async () => {
    ingest = await IngestBench.create();
  });
  afterAll(() => ingest.close());

  test.each(WILD)("is kept without that time, which stays in the reading as sent: %s", async (timestamp) => {
    const job_id = await ingest.offer([{ ...reading(0, 0), timestamp, value: "x" }]);
    await ingest.work("w");
    const [row] = await ingest.database.sql<
      { at: string | null; raw: { timestamp: string }; reason: string }[]
    >`
      SELECT "timestamp"::text AS at, raw, reason FROM diagnostics_quarantined_reading WHERE job_id = ${job_id}`;
    expect(row).toMatchObject({ at: null, raw: { timestamp }, reason: "parse_error" });
  });

  test("of the nil sensor is no reading of a sensor", async () => {
    const job_id = await ingest.offer([{ ...reading(0, 0), sensor_id: NIL }, reading(0, 5)]);
    await ingest.work("w");
    const rows = await ingest.database.sql`
      SELECT sensor_id, reason, reason_details FROM diagnostics_quarantined_reading WHERE job_id = ${job_id}`;
    expect([...rows]).toEqual([
      {
        sensor_id: null,
        reason: "parse_error",
        reason_details: `/sensor_id: expected a UUID (not nil), got the string "${NIL}"`,
      },
    ]);
    expect(sensor(0)).not.toBe(NIL);
  });
});

describe("a cursor with a time of another age", () => {
  let bench: ApiBench;
  let api: TestApi;
  let token: string;
  beforeAll(async () => {
    bench = await ApiBench.create();
    api = await bench.start();
    token = (await api.tokenFor("admin")).token;
  });
  afterAll(() => bench.close());

  const cursor = (...key: string[]) => Buffer.from(JSON.stringify(key)).toString("base64url");
  test.each(
    [...WILD, "2026-01-01T00:00:00+25:00"].flatMap((at) => [
      [`/api/v1/quarantine?after=${cursor(at, "1")}`],
      [`/api/v1/quarantine/actions?after=${cursor(at, randomUUID())}`],
      [`/api/v1/quarantine/incidents?after=${cursor(randomUUID(), sensor(0), "parse_error", at, at)}`],
      [`/api/v1/jobs?after=${cursor(at, randomUUID())}`],
    ]),
  )("is refused by name: %s", async (path) => {
    const problem = await expectProblem(await api.call(token, "GET", path), "invalid-request");
    expect(JSON.stringify(problem)).toContain("after");
  });

  // PostgreSQL knows no offset of 16 hours and more.
  const far = "2026-01-01T00:00:00+23:59";
  const incident = cursor(randomUUID(), sensor(0), "parse_error", far, far);
  test.each([
    `/api/v1/quarantine?after=${cursor(far, "1")}`,
    `/api/v1/quarantine/actions?after=${cursor(far, randomUUID())}`,
    `/api/v1/quarantine/incidents?after=${incident}`,
    `/api/v1/quarantine?incident=${incident}`,
    `/api/v1/quarantine/counts?incident=${incident}`,
    `/api/v1/jobs?after=${cursor(far, randomUUID())}`,
  ])("is understood in any zone: %s", async (path) => {
    expect((await api.call(token, "GET", path)).status).toBe(200);
  });
});
