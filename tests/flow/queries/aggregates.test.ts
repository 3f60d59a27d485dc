/** Series, hourly aggregate, latest values, completeness and gaps, against what plain arithmetic says. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { expectProblem } from "../../support/problem.ts";
import { at, Recording, START_MS } from "./recording.ts";

interface Bucket {
  timestamp: string;
  min: number;
  avg: number;
  max: number;
  count: number;
}
interface Series {
  from: string;
  to: string;
  source: "raw" | "hourly";
  bucket_ms: number;
  points: number;
  series: { sensor: { id: string }; items: Bucket[] }[];
}
interface Hour {
  bucket: string;
  sensor_id: string;
  readings_count: number;
  avg_value: number;
  min_value: number;
  max_value: number;
  stddev_value: number | null;
  last_value: number;
}

let bench: ApiBench;
let api: TestApi;
let recording: Recording;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  recording = await Recording.create(bench, api);
});
afterAll(() => bench.close());

const HOUR_S = 3600;
const range = (from_s: number, to_s: number) => `from=${at(from_s)}&to=${at(to_s)}`;
const ms = (text: string) => Date.parse(text);

describe("a series", () => {
  test("of readings has min, average, max and count of each bucket", async () => {
    const sensor = await recording.sensor("ramp");
    await recording.steady(sensor, 120, 10);
    const path = `series?sensors=${sensor.id}&${range(0, 1200)}&points=20`;
    const answer = await recording.json<Series>(path);
    expect(answer).toMatchObject({ source: "raw", bucket_ms: 60_000, points: 20 });
    const { items } = answer.series[0]!;
    expect(items.map((b) => [ms(b.timestamp) - START_MS, b.min, b.avg, b.max, b.count])).toEqual(
      Array.from({ length: 20 }, (_, i) => [i * 60_000, i * 6, i * 6 + 2.5, i * 6 + 5, 6]),
    );
  });

  test("is widened to whole buckets, so that its edges do not change them", async () => {
    const sensor = await recording.sensor("edges");
    await recording.steady(sensor, 60, 10);
    const answer = await recording.json<Series>(`series?sensors=${sensor.id}&${range(65, 575)}&points=12`);
    expect([ms(answer.from) - START_MS, ms(answer.to) - START_MS]).toEqual([60_000, 600_000]);
    expect(answer.series[0]!.items.every((bucket) => bucket.count === 6)).toBe(true);
  });

  test("of the hourly aggregate weights averages by count and equals that of the readings", async () => {
    const sensor = await recording.sensor("uneven");
    // Many readings in the first hour and few in the second, so that a plain mean of means is wrong.
    const rows = [
      ...Array.from({ length: 300 }, (_, i) => ({ at: at(i * 10), value: i % 7 })),
      ...Array.from({ length: 3 }, (_, i) => ({ at: at(HOUR_S + i * 60), value: 100 + i })),
      { at: at(5 * HOUR_S), value: -5 },
    ];
    await recording.readings(sensor, rows);
    const path = `series?sensors=${sensor.id}&${range(0, 48 * HOUR_S)}&points=24`;
    const hourly = await recording.json<Series>(path);
    const raw = await recording.json<Series>(`${path}&source=raw`);
    expect([hourly.source, raw.source]).toEqual(["hourly", "raw"]);
    expect(hourly.bucket_ms).toBe(2 * HOUR_S * 1000);
    const buckets = ({ series }: Series) => series[0]!.items;
    expect(buckets(hourly).map((b) => ({ ...b, avg: b.avg.toFixed(9) }))).toEqual(
      buckets(raw).map((b) => ({ ...b, avg: b.avg.toFixed(9) })),
    );
    const values = rows.slice(0, 303).map((row) => row.value);
    expect(buckets(hourly)[0]!.avg).toBeCloseTo(values.reduce((a, b) => a + b) / values.length, 9);
  });

  test("of many sensors keeps their order; one without readings is empty, a bucket without readings absent", async () => {
    const [a, b, silent] = [
      await recording.sensor("many-a"),
      await recording.sensor("many-b"),
      await recording.sensor("many-silent"),
    ];
    await recording.readings(a, [
      { at: at(0), value: 1 },
      { at: at(590), value: 2 },
    ]);
    await recording.readings(b, [{ at: at(0), value: 3 }]);
    const query = `sensors=${b.id},${silent.id.toUpperCase()},${a.id},${b.id}&${range(0, 600)}&points=60`;
    const { series } = await recording.json<Series>(`series?${query}`);
    expect(series.map((s) => [s.sensor.id, s.items.map((i) => i.avg)])).toEqual([
      [b.id, [3]],
      [silent.id, []],
      [a.id, [1, 2]],
    ]);
    const csv = (await (await recording.get(`series?${query}&format=csv`)).text()).trimEnd().split("\r\n");
    expect(csv[0]).toBe("sensor_id,timestamp,min,avg,max,count");
    expect(csv.slice(1).map((line) => line.split(",")[0])).toEqual([b.id, a.id, a.id]);
    const columns = (await (await recording.get(`series?${query}&format=columns`)).json()) as {
      series: { columns: { avg: number[] } }[];
    };
    expect(columns.series.map((s) => s.columns.avg)).toEqual([[3], [], [1, 2]]);
  });

  test("comes from the hourly aggregate when there are too many readings, and says so", async () => {
    const sensor = await recording.sensor("fast");
    const { sql } = bench.database;
    await sql`INSERT INTO diagnostics_sensordata SELECT ${new Date(START_MS)}::timestamptz + make_interval(secs => g * 0.1),
      g, ${sensor.id}, ${recording.system_id}, 100, 'bar' FROM generate_series(0, 120000) g`;
    await sql`INSERT INTO diagnostics_dirty_hour SELECT ${recording.system_id}, ${new Date(START_MS)}::timestamptz
      + make_interval(hours => g) FROM generate_series(0, 3) g`;
    const path = `series?sensors=${sensor.id}&${range(0, 4 * HOUR_S)}&points=100`;
    const answer = await recording.json<Series>(path);
    expect(answer).toMatchObject({ source: "hourly", bucket_ms: HOUR_S * 1000 });
    expect(answer.series[0]!.items.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(120_001);
    expect((await recording.json<Series>(`${path}&source=raw`)).bucket_ms).toBe(300_000);
    const short = await recording.json<Series>(`series?sensors=${sensor.id}&${range(0, HOUR_S)}&points=100`);
    expect(short.source).toBe("raw");
  });

  test.each([
    ["sensors", ""],
    ["sensors", "sensors=x"],
    ["sensors", `sensors=${Array.from({ length: 65 }, () => crypto.randomUUID()).join(",")}`],
    ["points", `sensors=${crypto.randomUUID()}&points=11`],
    ["points", `sensors=${crypto.randomUUID()}&points=5001`],
    ["points", `sensors=${Array.from({ length: 64 }, () => crypto.randomUUID()).join(",")}&points=2000`],
    ["source", `sensors=${crypto.randomUUID()}&source=best`],
    ["limit", `sensors=${crypto.randomUUID()}&limit=5`],
  ])("is refused for its %s (%#)", async (name, query) => {
    const { errors } = await expectProblem(await recording.get(`series?${query}`), "invalid-request");
    expect(errors?.[0]?.pointer).toBe(`/${name}`);
  });

  test("of a sensor that is not there names it", async () => {
    const unknown = crypto.randomUUID();
    const { detail } = await expectProblem(
      await recording.get(`series?sensors=${unknown}`),
      "sensor-not-found",
    );
    expect(detail).toContain(unknown);
  });
});

describe("the hourly aggregate", () => {
  test("has the numbers of the readings, of one sensor and of all, in pages", async () => {
    const own = await Recording.create(bench, api);
    const sensors = [await own.sensor("h1"), await own.sensor("h2")].sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const sensor of sensors) await own.steady(sensor, 300, 60);
    const expected = sensors.flatMap(({ id }) =>
      Array.from({ length: 5 }, (_, hour) => [
        id,
        hour * HOUR_S * 1000,
        60,
        hour * 60 + 29.5,
        hour * 60,
        hour * 60 + 59,
      ]),
    );
    const seen: Hour[] = [];
    let link: string | null = `hourly?${range(0, 5 * HOUR_S)}&limit=3`;
    while (link !== null) {
      const page: { items: Hour[]; next: string | null } = await own.json(link);
      seen.push(...page.items);
      link = page.next?.replace("/api/v1", "") ?? null;
    }
    const shape = (h: Hour) => [
      h.sensor_id,
      ms(h.bucket) - START_MS,
      h.readings_count,
      h.avg_value,
      h.min_value,
      h.last_value,
    ];
    expect(seen.map(shape)).toEqual(expected);
    expect(seen[0]!.stddev_value).toBeCloseTo(Math.sqrt((60 * 61) / 12), 9);
    const one = await own.json<{ items: Hour[] }>(`sensors/${sensors[1]!.id}/hourly?${range(0, 5 * HOUR_S)}`);
    expect(one.items.map(shape)).toEqual(expected.slice(5));
    const filtered = await own.json<{ items: Hour[] }>(`hourly?sensors=${sensors[0]!.id}&${range(60, 61)}`);
    expect(filtered.items.map(shape)).toEqual(expected.slice(0, 1));
  });

  test("of one reading has no standard deviation, in any format", async () => {
    const sensor = await recording.sensor("single");
    await recording.readings(sensor, [{ at: at(0), value: 5 }]);
    const path = `sensors/${sensor.id}/hourly?${range(0, 10)}`;
    expect((await recording.json<{ items: Hour[] }>(path)).items[0]!.stddev_value).toBeNull();
    const csv = await (await recording.get(`${path}&format=csv`)).text();
    expect(csv.split("\r\n")[1]).toBe(`2026-06-01T00:00:00Z,${sensor.id},1,5,5,5,,5`);
  });

  test.each([
    ["after", "after=x"],
    ["after", `after=${Buffer.from('["a","b"]').toString("base64url")}`],
    ["limit", "limit=50001"],
  ])("is refused for its %s: %s", async (name, query) => {
    const { errors } = await expectProblem(await recording.get(`hourly?${query}`), "invalid-request");
    expect(errors?.[0]?.pointer).toBe(`/${name}`);
  });
});

describe("the latest readings", () => {
  test("are one of each sensor in use, by name, in pages; null where there is none within the days", async () => {
    const clock = new ManualClock(START_MS + 40 * 86_400_000);
    const later = await bench.start({ clock });
    const own = await Recording.create(bench, later);
    const [old, silent, fresh] = [
      await own.sensor("b old"),
      await own.sensor('c "silent"'),
      await own.sensor("a, fresh"),
    ];
    await own.sensor("archived", { archived: true });
    await own.readings(old, [{ at: at(0), value: 1 }]);
    await own.readings(fresh, [
      { at: at(20 * 86_400), value: 2 },
      { at: at(20 * 86_400 + 0.5), value: 3, quality: 71.5 },
    ]);
    interface Latest {
      items: { sensor_id: string; timestamp: string | null; value: number | null; quality: number | null }[];
      next: string | null;
    }
    const first = await own.json<Latest>("latest?limit=2");
    expect(first.items).toMatchObject([
      {
        sensor_id: fresh.id,
        timestamp: at(20 * 86_400 + 0.5).replace(".500Z", ".5Z"),
        value: 3,
        quality: 71.5,
      },
      { sensor_id: old.id, timestamp: null, value: null, quality: null },
    ]);
    const second = await own.json<Latest>(first.next?.replace("/api/v1", "") ?? "");
    expect(second.items.map((row) => row.sensor_id)).toEqual([silent.id]);
    const wide = await own.json<Latest>("latest?within_days=60");
    expect(wide.items.map((row) => row.value)).toEqual([3, 1, null]);
    const csv = await (await own.get("latest?format=csv")).text();
    expect(csv).toContain(`${silent.id},"c ""silent""",pressure,bar,,,\r\n`);
    expect(csv).toContain(`${fresh.id},"a, fresh",pressure,bar,`);
  });

  test("of an unknown system are a 404, of a system without sensors none", async () => {
    await expectProblem(await recording.get(`/systems/${crypto.randomUUID()}/latest`), "system-not-found");
    const empty = await Recording.create(bench, api);
    expect(await empty.json("latest")).toMatchObject({ items: [], next: null });
  });
});

describe("completeness", () => {
  interface Completeness {
    sensors: {
      sensor: { id: string };
      rate_hz: number | null;
      rate_source: string | null;
      expected: number | null;
      received: number;
      completeness: number | null;
      hours: { hour: string; expected: number | null; received: number; completeness: number | null }[];
    }[];
    next: string | null;
  }

  test("compares each hour with the registered rate, else with the learnt one", async () => {
    const own = await Recording.create(bench, api);
    const known = await own.sensor("a known", { expected_rate_hz: 0.1 });
    const learnt = await own.sensor("b learnt");
    await own.sensor("c nothing");
    await own.steady(known, 540, 10);
    // Three full hours at 1/60 Hz, then an hour with half of it, then none.
    await own.steady(learnt, 180, 60);
    await own.readings(
      learnt,
      Array.from({ length: 30 }, (_, i) => ({ at: at(3 * HOUR_S + i * 60), value: i })),
    );
    const { sensors } = await own.json<Completeness>(`completeness?${range(0, 5 * HOUR_S)}`);
    const [a, b, c] = sensors;
    expect(a).toMatchObject({
      rate_hz: 0.1,
      rate_source: "expected",
      expected: 1800,
      received: 540,
      completeness: 0.3,
    });
    expect(a!.hours.map((h) => h.completeness)).toEqual([1, 0.5, 0, 0, 0]);
    expect(b).toMatchObject({
      rate_hz: 60 / 3600,
      rate_source: "learnt",
      expected: 300,
      received: 210,
      completeness: 0.7,
    });
    expect(b!.hours.map((h) => h.received)).toEqual([60, 60, 60, 30, 0]);
    expect(c).toMatchObject({
      rate_hz: null,
      rate_source: null,
      expected: null,
      received: 0,
      completeness: null,
    });
    const page = await own.json<Completeness>(`completeness?${range(0, HOUR_S)}&limit=2`);
    const rest = await own.json<Completeness>(page.next?.replace("/api/v1", "") ?? "");
    expect([...page.sensors, ...rest.sensors].map((s) => s.sensor.id)).toEqual(own.sensors.map((s) => s.id));
  });

  test.each([
    ["from", range(0, 93 * 86_400)],
    ["limit", `${range(0, 30 * 86_400)}&limit=500`],
    ["sensors", "sensors=1"],
  ])("is refused for its %s: %s", async (name, query) => {
    const { errors } = await expectProblem(await recording.get(`completeness?${query}`), "invalid-request");
    expect(errors?.[0]?.pointer).toBe(`/${name}`);
  });
});

describe("gaps", () => {
  interface Gaps {
    rate_hz: number | null;
    min_gap_s: number;
    gaps: { from: string; to: string; seconds: number }[];
    next: string | null;
  }
  const intervals = ({ gaps }: Gaps) =>
    gaps.map((g) => [(ms(g.from) - START_MS) / 1000, (ms(g.to) - START_MS) / 1000]);

  test("are the times without readings, the edges of the range included, in pages", async () => {
    const sensor = await recording.sensor("holes", { expected_rate_hz: 1 });
    const seconds = [5, 6, 7, 20, 21, 40, 40.5, 90];
    await recording.readings(
      sensor,
      seconds.map((s) => ({ at: at(s), value: s })),
    );
    const path = `sensors/${sensor.id}/gaps?${range(0, 100)}`;
    const all = await recording.json<Gaps>(path);
    expect([all.rate_hz, all.min_gap_s]).toEqual([1, 10]);
    expect(intervals(all)).toEqual([
      [7, 20],
      [21, 40],
      [40.5, 90],
      [90, 100],
    ]);
    expect(all.gaps[2]!.seconds).toBe(49.5);
    const short = await recording.json<Gaps>(`${path}&min_gap_s=2`);
    expect(intervals(short)[0]).toEqual([0, 5]);
    const paged: number[][] = [];
    let link: string | null = `${path}&limit=1`;
    while (link !== null) {
      const page: Gaps = await recording.json(link.replace("/api/v1", ""));
      paged.push(...intervals(page));
      link = page.next;
    }
    expect(paged).toEqual(intervals(all));
  });

  test("of a silent sensor are the whole range, of a range to come none", async () => {
    const sensor = await recording.sensor("mute");
    const silent = await recording.json<Gaps>(`sensors/${sensor.id}/gaps?${range(0, 100)}`);
    expect([silent.min_gap_s, intervals(silent)]).toEqual([60, [[0, 100]]]);
    const future = await recording.json<Gaps>(
      `sensors/${sensor.id}/gaps?from=2100-01-01T00:00:00Z&to=2100-01-02T00:00:00Z`,
    );
    expect(future.gaps).toEqual([]);
  });

  test.each([
    ["min_gap_s", "min_gap_s=0"],
    ["min_gap_s", "min_gap_s=x"],
    ["from", range(0, 32 * 86_400)],
    ["limit", "limit=10001"],
  ])("are refused for their %s: %s", async (name, query) => {
    const sensor = recording.sensors[0]!;
    const { errors } = await expectProblem(
      await recording.get(`sensors/${sensor.id}/gaps?${query}`),
      "invalid-request",
    );
    expect(errors?.[0]?.pointer).toBe(`/${name}`);
  });
});
