/** The check of `bun run load` against a real service: right as long as tables and answers are, then never again. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { WrongDataError } from "../../../load/bench/tables.ts";
import { Bodies } from "../../../load/k6/bodies.ts";
import { MAX_BATCHES, type RunShape, sensorId } from "../../../load/k6/rig.ts";
import { checkRun } from "../../../load/run/check.ts";
import { secondOf } from "../../../load/run/expected.ts";
import type { Held } from "../../../load/run/held.ts";
import { HeldApi } from "../../../load/run/held-api.ts";
import { HeldTables } from "../../../load/run/held-tables.ts";
import type { SentBatch } from "../../../load/run/record.ts";
import { DEMO_SYSTEM_ID } from "../../../src/contract/demo.ts";
import { Stack } from "../../support/stack.ts";

const RIGS = 2;
/** With a batch of an unregistered system. */
const BATCHES = 9;
const shape: RunShape = {
  run: 4_000_000_000,
  start_s: Math.floor(Date.now() / 1000) - MAX_BATCHES,
  system_id: DEMO_SYSTEM_ID,
  batch: 400,
  faults: true,
};
const bodies = new Bodies(shape);

let stack: Stack;
let token: string;
let views: readonly Held[];
const sent: SentBatch[] = [];

async function send(rig: number, n: number): Promise<SentBatch> {
  const answer = await fetch(`${stack.url}/api/v1/data/ingest`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: bodies.body(rig, n),
  });
  const { job_id } = (await answer.json()) as { job_id: string };
  return { rig, n, status: answer.status, at_ms: Date.now(), took_ms: 1, job_id };
}

beforeAll(async () => {
  stack = await Stack.create();
  await stack.start("all");
  token = await stack.login();
  const { sql, redis } = stack.reckoning;
  views = [new HeldTables(sql, redis, shape), new HeldApi({ url: stack.url, tokens: [token] }, shape)];
  const places = Array.from({ length: RIGS * BATCHES }, (_, i) => [i % RIGS, Math.floor(i / RIGS)] as const);
  sent.push(...(await Promise.all(places.map(([rig, n]) => send(rig, n)))));
  expect(sent.every(({ status }) => status === 202)).toBe(true);
});
afterAll(() => stack.close());

/** What each view says: right, or what is wrong. */
const verdicts = (all = sent) =>
  Promise.all(
    views.map((held) =>
      checkRun(held, shape, all).then(
        () => "right",
        (error: unknown) => {
          if (!(error instanceof WrongDataError)) throw error;
          return error.message;
        },
      ),
    ),
  );

const SENSOR = sensorId(shape.run, 1, 4);
const at = (n: number, ms: number) => new Date(secondOf(shape, n) + ms);
const table = () => stack.reckoning.sql`diagnostics_sensordata`;

test("every reading, duplicate and quarantined reading of every kind is accounted for, in tables and answers", async () => {
  const found = await Promise.all(views.map((held) => checkRun(held, shape, sent)));
  for (const one of found)
    expect(one).toMatchObject({ jobs: RIGS * BATCHES, sensors: RIGS * 20, unknown: 0 });
  expect(found[0]?.held.filter(({ status }) => status === "failed")).toHaveLength(RIGS);
});

describe("noticed, in tables and answers:", () => {
  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const one of undo.splice(0)) await one();
    expect(await verdicts()).toEqual(["right", "right"]);
  });

  test("a lost reading", async () => {
    const { sql } = stack.reckoning;
    const [row] =
      await sql`DELETE FROM ${table()} WHERE sensor_id = ${SENSOR} AND "timestamp" = ${at(3, 0)} RETURNING *`;
    undo.push(() => sql`INSERT INTO ${table()} ${sql(row!)}`);
    for (const verdict of await verdicts()) expect(verdict).toMatch(/^the readings of 1 sensors/);
  });

  test("a reading that is stored twice", async () => {
    const { sql } = stack.reckoning;
    const [second] = [at(3, 1)];
    await sql`INSERT INTO ${table()} SELECT ${second}, value, sensor_id, system_id, quality, unit FROM ${table()}
      WHERE sensor_id = ${SENSOR} AND "timestamp" = ${at(3, 0)}`;
    undo.push(() => sql`DELETE FROM ${table()} WHERE sensor_id = ${SENSOR} AND "timestamp" = ${second}`);
    for (const verdict of await verdicts()) expect(verdict).toMatch(/^the readings of 1 sensors/);
  });

  test.each([
    ["value by a hundredth", "value = value + 0.01", "value = value - 0.01"],
    ["value by less than that", "value = value + 0.001", "value = round(value * 100) / 100"],
    ["quality", "quality = quality - 1", "quality = quality + 1"],
    ["unit", "unit = 'MPa'", "unit = 'bar'"],
    [
      "time by a microsecond",
      `"timestamp" = "timestamp" + interval '1 microsecond'`,
      `"timestamp" = date_trunc('milliseconds', "timestamp")`,
    ],
  ])("an altered reading: its %s", async (_, change, back) => {
    const { sql } = stack.reckoning;
    // A microsecond later is still the same reading.
    const one = sql`sensor_id = ${SENSOR} AND "timestamp" >= ${at(3, 0)} AND "timestamp" < ${at(3, 1)}`;
    const set = (what: string) => sql`UPDATE ${table()} SET ${sql.unsafe(what)} WHERE ${one}`;
    expect((await set(change)).count).toBe(1);
    undo.push(async () => {
      await set(back);
      await sql`UPDATE ${table()} SET value = round((value * 100)::numeric) / 100 WHERE ${one}`;
    });
    for (const verdict of await verdicts()) expect(verdict).toMatch(/^the readings of 1 sensors/);
  });

  test("readings that changed places", async () => {
    const { sql } = stack.reckoning;
    const swap = () => sql`UPDATE ${table()} t SET value = o.value FROM ${table()} o
      WHERE t.sensor_id = ${SENSOR} AND o.sensor_id = ${SENSOR}
        AND (t."timestamp", o."timestamp") IN ((${at(3, 0)}, ${at(4, 0)}), (${at(4, 0)}, ${at(3, 0)}))`;
    expect((await swap()).count).toBe(2);
    undo.push(swap);
    for (const verdict of await verdicts()) expect(verdict).toMatch(/^the readings of 1 sensors/);
  });

  test("a quarantined reading that is lost", async () => {
    const { sql } = stack.reckoning;
    const [row] = await sql`UPDATE diagnostics_quarantined_reading SET reason = 'out_of_range'
      WHERE id = (SELECT min(id) FROM diagnostics_quarantined_reading WHERE reason = 'parse_error') RETURNING id`;
    undo.push(
      () => sql`UPDATE diagnostics_quarantined_reading SET reason = 'parse_error' WHERE id = ${row!.id}`,
    );
    for (const verdict of await verdicts()) expect(verdict).toMatch(/^quarantined readings by reason/);
  });

  test("a batch that was not accepted but is there: all of it may be there, a part may not", async () => {
    const lost = sent.map((batch) =>
      batch.rig === 1 && batch.n === 3 ? { ...batch, status: 0, job_id: null } : batch,
    );
    expect(await verdicts(lost)).toEqual(["right", "right"]);
    const unregistered = sent.map((batch) =>
      batch.n === 7 ? { ...batch, status: 503, job_id: null } : batch,
    );
    expect(await verdicts(unregistered)).toEqual(["right", "right"]);
    const { sql } = stack.reckoning;
    const rows =
      await sql`DELETE FROM ${table()} WHERE sensor_id = ${SENSOR} AND "timestamp" = ${at(3, 0)} RETURNING *`;
    undo.push(() => sql`INSERT INTO ${table()} ${sql(rows[0]!)}`);
    for (const verdict of await verdicts(lost)) expect(verdict).toMatch(/^of a batch without an answer/);
  });
});
