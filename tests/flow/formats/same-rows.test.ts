/** One batch in every format and every coding leaves the same rows, the same quarantine and the same counters. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import type { JobRecord } from "../../../src/contract/job.ts";
import { isTerminal } from "../../../src/contract/job.ts";
import { uuidV5 } from "../../../src/contract/name-uuid.ts";
import { seriesName } from "../../../src/contract/series.ts";
import { formatTimestamp } from "../../../src/contract/timestamp.ts";
import { SystemStore } from "../../../src/store/systems.ts";
import { JobBoard } from "../../../src/stream/jobs.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import {
  CODINGS,
  type PlainReading,
  WRITERS,
  type WrittenBatch,
  writeLines,
} from "../../support/format-writers.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { type RunningPipeline, startPipeline } from "../../support/running-pipeline.ts";
import { until } from "../../support/until.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const RECEIVED_MS = Date.UTC(2026, 0, 12);
let bench: ApiBench;
let api: TestApi;
let pipeline: RunningPipeline;
let token: string;
beforeAll(async () => {
  bench = await ApiBench.create();
  // All batches are received at the same moment: details of a refusal name it.
  api = await bench.start({ clock: new ManualClock(RECEIVED_MS), config: { BODY_TIMEOUT_MS: 60_000 } });
  ({ token } = await api.tokenFor("producer"));
  await new SystemStore(bench.database).create(SYSTEM, "rig");
  const { postgres, redis } = bench.straight;
  pipeline = startPipeline("test:formats", { database_url: postgres, redis_url: redis });
});
afterAll(async () => {
  await pipeline.drain();
  await bench.close();
});

/** A reading of the n-th sensor of a batch, by its id or its name; every sending has sensors of its own. */
type Model = PlainReading & { readonly n: number; readonly by: "id" | "ID" | "name" };
const sometimes = <T>(most: fc.Arbitrary<T>, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: most }, { weight: 1, arbitrary: other });
const at = (s: number) => new Date(RECEIVED_MS - 3_600_000 + s * 1000).toISOString();
const text = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }).map((t) => `#${t}`);
const model: fc.Arbitrary<Model> = fc.record(
  {
    n: fc.integer({ min: 0, max: 3 }),
    by: fc.constantFrom("id", "ID", "name"),
    timestamp: sometimes<string>(
      fc.integer({ min: 0, max: 8 }).map(at),
      fc.oneof(
        text,
        fc.constantFrom("2026-02-30T00:00:00Z", "2019-01-01T00:00:00Z", "2027-01-01T00:00:00+01:00"),
      ),
    ),
    value: sometimes<number | string>(
      fc.oneof(fc.constantFrom(0, 100, 250.5, 699.9999), fc.double({ min: 1e-3, max: 700, noNaN: true })),
      fc.oneof(text, fc.constantFrom(900, -40, 1e300, 5e-324)),
    ),
    unit: sometimes(
      fc.constantFrom("bar", "bar", "kPa"),
      fc.oneof(text, fc.constantFrom("°F", "celsius", "psi")),
    ),
    quality: sometimes<number | string>(
      fc.constantFrom(50, 72.5, 95, 100),
      fc.oneof(text, fc.constantFrom(49.9, 101, -1)),
    ),
  },
  { requiredKeys: ["n", "by", "timestamp", "value"] },
);

/** A reading of the n-th field of a batch, with all that line protocol can say of one. */
type LineModel = Omit<PlainReading, "timestamp"> & { readonly n: number; readonly at_us: number };
const tagText = text.map((t) => t.replaceAll("\\", "/"));
const lineModel: fc.Arbitrary<LineModel> = fc.record(
  {
    n: fc.integer({ min: 0, max: 3 }),
    at_us: sometimes<number>(
      fc.integer({ min: 0, max: 8 }).map((s) => (RECEIVED_MS - 3_600_000 + s * 1000) * 1000 + s),
      fc.constantFrom(RECEIVED_MS * 1000 + 400_000_000, Date.UTC(2019, 0, 1) * 1000),
    ),
    value: sometimes<number | string>(
      fc.oneof(fc.constantFrom(0, 100, 250.5), fc.double({ min: 1e-3, max: 700, noNaN: true })),
      fc.oneof(text, fc.constantFrom(900, -40, 1e300, 5e-324)),
    ),
    unit: sometimes<string>(
      fc.constantFrom("bar", "bar", "kPa"),
      fc.oneof(tagText, fc.constantFrom("°F", "celsius")),
    ),
    quality: sometimes<number>(fc.constantFrom(50, 72.5, 95, 100), fc.constantFrom(49.9, 101, -1)),
  },
  { requiredKeys: ["n", "at_us", "value"] },
);

/** Of each sending in turn, so that every one has sensors of its own. */
let sendings = 0;
const numbers = [0, 1, 2, 3];

/** A batch ready to be sent, and what stands for its sensors in what is told of it. */
interface Sending {
  readonly written: WrittenBatch;
  readonly ids: readonly string[];
  readonly names: readonly string[];
}

/** The batch with ids and plain names. A name and an id of the same number are two sensors. */
function plainly(batch: readonly Model[], format: string): Sending {
  const first = sendings++ * 4;
  const ids = numbers.map((n) => `550e8400-e29b-41d4-a716-${(first + n + 1).toString(16).padStart(12, "0")}`);
  const names = numbers.map((n) => `pump ${first + n}, left`);
  const readings = batch.map(({ n, by, ...reading }) => ({
    ...(by === "name" ? { sensor: names[n]! } : { sensor_id: by === "ID" ? ids[n]!.toUpperCase() : ids[n]! }),
    ...reading,
  }));
  const written = WRITERS[format]!(SYSTEM, readings);
  return { written, names, ids: [...ids, ...names.map((name) => uuidV5(SYSTEM, name))] };
}

/** The batch in line protocol, or with the names of its fields in another format. */
function byFields(batch: readonly LineModel[], format: string): Sending {
  const measurement = `pump${sendings++}`;
  const keyOf = (n: number) => ({ measurement, tags: { line: `${n}` }, field: "pressure" });
  const names = numbers.map((n) => seriesName(keyOf(n)));
  const readings = batch.map(({ n, at_us, ...reading }) => ({ ...keyOf(n), at_us, ...reading }));
  const plain = batch.map(({ n, at_us, ...reading }) => ({
    sensor: names[n]!,
    timestamp: formatTimestamp(at_us),
    ...reading,
  }));
  const written = format === "line" ? writeLines(SYSTEM, readings) : WRITERS[format]!(SYSTEM, plain);
  return { written, names, ids: names.map((name) => uuidV5(SYSTEM, name)) };
}

/** Send a batch, and tell what became of it with the sensors' numbers in place of their ids and names. */
async function outcome({ written: { path, type, body }, ids, names }: Sending, coding: string) {
  const told = pipeline.told.length;
  const response = await api.fetch(path, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": type, "Content-Encoding": coding },
    body: CODINGS[coding]!(body),
  });
  expect({ answer: await response.text(), ok: response.ok }).toMatchObject({ ok: true });
  const job_id = /^\/api\/v1\/jobs\/(.*)\/$/.exec(response.headers.get("Location") ?? "")![1]!;
  const job = await ended(job_id);
  const { rows, refused } = await stored(job_id, ids);
  const { total_readings, inserted_readings, duplicate_readings, quarantined_readings } = job;
  const counts = { total_readings, inserted_readings, duplicate_readings, quarantined_readings };
  // The job's hash ends a moment before the thread tells of it.
  const report = await until(`the report of job ${job_id}`, () => {
    const reports = pipeline.told.slice(told).flatMap((m) => (m.kind === "committed" ? [m.report] : []));
    return reports.length > 0 && reports;
  });
  const counted = report.map(({ inserted, duplicate, quarantined }) => ({
    inserted,
    duplicate,
    quarantined,
  }));
  const { status, error_message } = job;
  const all = JSON.stringify({ rows, refused, counts, counted, status, error_message });
  const unnamed = names.reduce((text, name, n) => text.replaceAll(name, `name ${n}`), all);
  const plain = ids.reduce(
    (text, id, n) => text.replaceAll(id, `sensor ${n}`).replaceAll(id.toUpperCase(), `SENSOR ${n}`),
    unnamed,
  );
  return JSON.parse(plain) as { readonly refused: readonly { readonly raw: unknown }[] };
}

function ended(job_id: string): Promise<JobRecord> {
  const board = new JobBoard(bench.redis);
  return until(`the end of job ${job_id}`, async () => {
    const job = await board.get(job_id);
    return job !== null && isTerminal(job.status) && job;
  });
}

async function stored(job_id: string, ids: readonly string[]) {
  const { sql } = bench.database;
  const [rows, refused] = await Promise.all([
    sql`SELECT sensor_id, "timestamp"::text, value, system_id, quality, unit FROM diagnostics_sensordata
      WHERE sensor_id = ANY(${[...ids]}::uuid[]) ORDER BY array_position(${[...ids]}::uuid[], sensor_id), "timestamp"`,
    sql`SELECT ordinal, reason, reason_details, sensor_id, "timestamp"::text, value, unit, quality, raw::text, range_version
      FROM diagnostics_quarantined_reading WHERE job_id = ${job_id} ORDER BY ordinal`,
  ]);
  return {
    rows: [...rows],
    refused: [...refused].map((row) => ({ ...row, raw: JSON.parse(row.raw as string) })),
  };
}

test("one batch in every format and every coding leaves the same rows, quarantine and counters", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(model, { minLength: 1, maxLength: 40 }), async (batch) => {
      const expected = await outcome(plainly(batch, "json"), "identity");
      for (const format of Object.keys(WRITERS)) {
        for (const coding of Object.keys(CODINGS)) {
          const found = await outcome(plainly(batch, format), coding);
          expect({ format, coding, outcome: found }).toEqual({ format, coding, outcome: expected });
        }
      }
    }),
    { numRuns: 10 },
  );
}, 300_000);

test("line protocol leaves the same as all others, of what it can say", async () => {
  // What is kept as sent is what differs: a field of a line is not a name.
  const withoutRaw = async (sending: Sending, coding: string) => {
    const { refused, ...rest } = await outcome(sending, coding);
    return { ...rest, refused: refused.map(({ raw: _, ...one }) => one) };
  };
  await fc.assert(
    fc.asyncProperty(fc.array(lineModel, { minLength: 1, maxLength: 40 }), async (batch) => {
      const expected = await withoutRaw(byFields(batch, "json"), "identity");
      for (const [format, coding] of [
        ...Object.keys(WRITERS).map((name) => [name, "identity"] as const),
        ...Object.keys(CODINGS).map((name) => ["line", name] as const),
      ]) {
        const found = await withoutRaw(byFields(batch, format), coding);
        expect({ format, coding, outcome: found }).toEqual({ format, coding, outcome: expected });
      }
    }),
    { numRuns: 15 },
  );
}, 300_000);
