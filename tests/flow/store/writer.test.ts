/** One transaction per group on real TimescaleDB: exact counts, exact tables, once, and only guilty rows refused. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Committed } from "../../../src/store/writer/group.ts";
import { AlreadyEndedError } from "../../../src/store/writer/jobs.ts";
import { Writer } from "../../../src/store/writer/writer.ts";
import { IngestBench, RECEIVED_MS, reading, START_MS, sensor } from "../../support/ingest-bench.ts";
import { until } from "../../support/until.ts";
import {
  batchesOf,
  groupOf,
  type Judged,
  type JudgedBatch,
  type Table,
  writeSlowly,
} from "../../support/write-oracle.ts";

const SEED = 20_261_124;

let bench: IngestBench;
let writer: Writer;
const newWriter = (application_name: string) =>
  new Writer({ url: bench.databaseUrl, application_name, deadline_ms: 20_000 }, () => RECEIVED_MS + 1_000);
beforeAll(async () => {
  bench = await IngestBench.create();
  writer = newWriter("test-writer");
});
afterEach(() => bench.clear());
afterAll(async () => {
  await writer.close();
  await bench.close();
});

async function tableNow(): Promise<Table> {
  const rows = await bench.rows();
  return new Map(
    rows.map((row) => {
      const second = (row.timestamp.getTime() - START_MS) / 1000;
      return [
        `${Number.parseInt(row.sensor_id.slice(24), 16)}|${second}`,
        { value: row.value, unit: row.unit },
      ];
    }),
  );
}
const sorted = (table: Table) => [...table].sort(([a], [b]) => (a < b ? -1 : 1));
const good = (sensorNumber: number, second: number, value = 100, unit = "bar"): Judged => ({
  sensor: sensorNumber,
  second,
  value,
  unit,
});

/** Commit, and hold jobs, hypertable, quarantine and the answer against the oracle. */
async function commitAndCompare(batches: readonly JudgedBatch[], table: Table) {
  const expected = writeSlowly(batches, table);
  const committed = await writer.commit(groupOf(batches));
  for (const [i, { job_id }] of batches.entries()) {
    const { status, ...counts } = await bench.counts(job_id);
    expect({ status, counts }).toEqual({ status: "completed", counts: expected.counts[i]! });
    expect(await bench.jobs.get(job_id)).toEqual(committed.jobs[i]!);
  }
  expect(sorted(await tableNow())).toEqual(sorted(table));
  const mine = new Set(batches.map(({ job_id }) => job_id));
  const quarantine = (await bench.quarantine()).filter(({ job_id }) => mine.has(job_id));
  expect(
    quarantine.map(({ job_id, ordinal, reason, reason_details: details, raw }) => ({
      job_id,
      ordinal,
      reason,
      details,
      raw,
    })),
  ).toEqual(expected.quarantine);
  return committed;
}

/** Few keys and few values: repeats and conflicts are common, within and across batches and with what is stored. */
const judged = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      sensor: fc.integer({ min: 1, max: 3 }),
      second: fc.integer({ min: 0, max: 4 }),
      value: fc.constantFrom(1, 2),
      unit: fc.constantFrom("bar", "bar", "rpm"),
    }),
  },
  { weight: 1, arbitrary: fc.constant(null) },
);
const groupArbitrary = fc.array(fc.array(judged, { minLength: 0, maxLength: 12 }), {
  minLength: 1,
  maxLength: 4,
});

describe("any group", () => {
  test("is counted and stored exactly as one reading after another would be; the same group again changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(groupArbitrary, { minLength: 1, maxLength: 3 }), async (groups) => {
        await bench.clear();
        const table: Table = new Map();
        for (const readings of groups) {
          const batches = batchesOf(readings);
          await commitAndCompare(batches, table);
          const again = await writer.commit(groupOf(batches)).catch((error: unknown) => error);
          expect(again).toBeInstanceOf(AlreadyEndedError);
          expect((again as AlreadyEndedError).job_ids.toSorted()).toEqual(
            batches.map(({ job_id }) => job_id).sort(),
          );
          expect(sorted(await tableNow())).toEqual(sorted(table));
        }
      }),
      { numRuns: 80, seed: SEED },
    );
  });

  test("of which one job has ended already is not written at all", async () => {
    const [ended, fresh] = batchesOf([[good(1, 0)], [good(2, 0)]]) as [JudgedBatch, JudgedBatch];
    await writer.commit(groupOf([ended]));
    const outcome = await writer.commit(groupOf([ended, fresh])).catch((error: unknown) => error);
    expect((outcome as AlreadyEndedError).job_ids).toEqual([ended.job_id]);
    expect((await tableNow()).size).toBe(1);
    expect(await bench.jobs.get(fresh.job_id)).toBeNull();
  });

  test("spread over many chunks is stored whole", async () => {
    const readings = Array.from({ length: 100 }, (_, i) => good(1 + (i % 2), -i * 86_400));
    await commitAndCompare(batchesOf([readings, readings.toReversed()]), new Map());
  });
});

describe("the way into the hypertable", () => {
  test("is direct without stored keys; with one, what is stored is looked up and left out", async () => {
    const table: Table = new Map();
    const repeats = [good(1, 0), good(1, 0), good(1, 0, 7)];
    expect((await commitAndCompare(batchesOf([repeats]), table)).way).toBe("direct");
    expect((await commitAndCompare(batchesOf([[good(1, 0, 8), good(1, 1)]]), table)).way).toBe("sifted");
    // Where keys were repeated, the next group is looked up at once.
    expect((await commitAndCompare(batchesOf([[good(1, 2), good(1, 3)]]), table)).way).toBe("sifted");
    expect((await commitAndCompare(batchesOf([[good(1, 4)]]), table)).way).toBe("direct");
  });

  test("is the staging table when far more is stored between the readings than they are", async () => {
    const table: Table = new Map();
    const crowd = Array.from({ length: 1_100 }, (_, i) => good(1, i));
    await commitAndCompare(batchesOf([crowd]), table);
    const few = [good(1, 0, 8), good(1, 5), good(1, 1_099), good(1, 1_100)];
    expect((await commitAndCompare(batchesOf([few]), table)).way).toBe("staged");
  });

  test("is the staging table when one old reading stands among those of many sensors: each would be looked for in every chunk", async () => {
    const table: Table = new Map();
    await commitAndCompare(batchesOf([[good(1, 0)]]), table);
    const years = -4 * 365 * 86_400;
    const wide = [...Array.from({ length: 10 }, (_, n) => good(1 + n, 0, 8)), good(1, years)];
    expect((await commitAndCompare(batchesOf([wide]), table)).way).toBe("staged");
    const narrow = [good(1, 0, 8), good(1, 30 * 86_400)];
    expect((await commitAndCompare(batchesOf([narrow]), table)).way).toBe("sifted");
  });

  test("is the staging table when somebody stores a looked-up key at the same time; nothing is lost or doubled", async () => {
    const table: Table = new Map();
    await commitAndCompare(batchesOf([[good(1, 0)]]), table);
    await commitAndCompare(batchesOf([[good(1, 0)]]), table);
    const [other] = batchesOf([[good(1, 1, 55)]]) as [JudgedBatch];
    const second = newWriter("another-writer");
    try {
      // The other's transaction has its row in the index and is not committed: the COPY waits for its end.
      let looked: Promise<Committed> | undefined;
      const [mine] = batchesOf([[good(1, 0, 8), good(1, 1)]]) as [JudgedBatch];
      await second.commit({
        ...groupOf([other]),
        beside: async () => {
          looked = writer.commit(groupOf([mine]));
          looked.catch(() => undefined);
          await until("the writer waits for the other's key", async () => {
            const [row] = await bench.database.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM pg_locks
              WHERE NOT granted AND locktype = 'transactionid'`;
            return row!.n > 0;
          });
        },
      });
      expect((await looked!).way).toBe("staged");
      expect((await looked!).jobs[0]).toMatchObject({ inserted_readings: 0, quarantined_readings: 2 });
      expect((await tableNow()).size).toBe(2);
    } finally {
      await second.close();
    }
  });

  test("marks each hour with new rows once, and none when nothing was stored", async () => {
    await writer.commit(groupOf(batchesOf([[good(1, 0), good(2, 10), good(1, 3_600)], [good(3, 20)]])));
    const hours = () =>
      bench.database.sql<{ hour: Date }[]>`SELECT hour FROM diagnostics_dirty_hour ORDER BY hour`;
    expect((await hours()).map(({ hour }) => hour.getTime())).toEqual([START_MS, START_MS + 3_600_000]);
    await writer.commit(groupOf(batchesOf([[good(1, 0), good(2, 10, 5), null]])));
    expect(await hours()).toHaveLength(2);
  });

  test("takes an empty group and a group of refusals only", async () => {
    await commitAndCompare(batchesOf([[]]), new Map());
    await commitAndCompare(batchesOf([[null, null]]), new Map());
  });
});

describe("rows that PostgreSQL itself refuses", () => {
  async function refusing<T>(work: () => Promise<T>): Promise<T> {
    await bench.database.sql`ALTER TABLE diagnostics_sensordata ADD CONSTRAINT not_13 CHECK (value <> 13)`;
    try {
      return await work();
    } finally {
      await bench.database.sql`ALTER TABLE diagnostics_sensordata DROP CONSTRAINT not_13`;
    }
  }

  test("are found by halving, and only they; nothing is written by looking", async () => {
    await refusing(async () => {
      const readings = Array.from({ length: 100 }, (_, i) => good(1, i, [3, 50, 99].includes(i) ? 13 : 1));
      const guilty = await writer.guiltyRows(groupOf(batchesOf([readings])));
      expect([...guilty.keys()].sort((a, b) => a - b)).toEqual([3, 50, 99]);
      expect(guilty.get(3)).toContain("not_13");
      expect(await bench.rows()).toEqual([]);
    });
  });

  test("end in quarantine with the reason, the others are stored, and batches beside them are untouched", async () => {
    await refusing(async () => {
      const mixed = await bench.offer([reading(1, 0, 13), reading(1, 1), reading(1, 2, 13), null]);
      const beside = await bench.offer([reading(2, 0), reading(2, 1)]);
      await bench.work("w");
      expect(await bench.counts(mixed)).toMatchObject({
        inserted: 1,
        duplicate: 0,
        quarantined: 3,
        status: "completed",
      });
      expect(await bench.counts(beside)).toMatchObject({ inserted: 2, quarantined: 0 });
      const rows = (await bench.quarantine()).filter(({ ordinal }) => ordinal !== 3);
      expect(
        rows.map(({ ordinal, reason, value, sensor_id }) => ({ ordinal, reason, value, sensor_id })),
      ).toEqual([
        { ordinal: 0, reason: "parse_error", value: 13, sensor_id: sensor(1) },
        { ordinal: 2, reason: "parse_error", value: 13, sensor_id: sensor(1) },
      ]);
      expect(rows[0]!.reason_details).toContain("the database refuses it");
      expect(rows[0]!.raw).toEqual(reading(1, 0, 13));
    });
  });

  test("a repeat of a refused row is judged by itself, round after round, and is never counted as stored", async () => {
    await refusing(async () => {
      const twins = [13, 13, 13, 13, 13, 5, 5, 6].map((value) => reading(1, 0, value));
      const job_id = await bench.offer(twins);
      await bench.work("w");
      expect(await bench.counts(job_id)).toMatchObject({
        inserted: 1,
        duplicate: 1,
        quarantined: 6,
        status: "completed",
      });
      expect((await bench.rows()).map(({ value }) => value)).toEqual([5]);
      expect((await bench.quarantine()).map(({ ordinal, reason }) => `${ordinal} ${reason}`)).toEqual([
        ...[0, 1, 2, 3, 4].map((n) => `${n} parse_error`),
        "7 duplicate",
      ]);
    });
  });
});
