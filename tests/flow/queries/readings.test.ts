/** Raw readings: every reading on exactly one page, in every format, exact to the microsecond. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { at, Recording, type Sensor, START_MS } from "./recording.ts";

interface Row {
  timestamp: string;
  value: number;
  quality: number;
}
interface Page {
  sensor: { id: string; name: string; quantity: string; unit: string };
  from: string;
  to: string;
  items: Row[];
  next: string | null;
  previous: string | null;
}

let bench: ApiBench;
let api: TestApi;
let recording: Recording;
let sensor: Sensor;
const COUNT = 25;
const RANGE = `from=${at(0)}&to=${at(3600)}`;
const readings = (query: string, headers: Record<string, string> = {}) =>
  recording.get(`sensors/${sensor.id}/readings?${query}`, headers);
const page = (query: string) => recording.json<Page>(`sensors/${sensor.id}/readings?${query}`);
/** Follows a link of an answer. */
const follow = (link: string) => recording.json<Page>(link.replace("/api/v1", ""));

beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  recording = await Recording.create(bench, api);
  sensor = await recording.sensor('pump "A", pressure');
  await recording.steady(sensor, COUNT, 1, (i) => i + 0.1);
});
afterAll(() => bench.close());

/** All pages from an answer on, in the direction of a link. */
async function walk(first: Page, link: "next" | "previous"): Promise<Page[]> {
  const pages = [first];
  for (let last = first; last[link] !== null; pages.push(last)) {
    if (pages.length > COUNT + 1) throw new Error("the pages have no end");
    last = await follow(last[link]);
  }
  return pages;
}
const values = (pages: readonly Page[]) => pages.flatMap((p) => p.items.map((row) => row.value));
const ALL = Array.from({ length: COUNT }, (_, i) => i + 0.1);

describe("pages of readings", () => {
  test.each([
    ["asc", 1],
    ["asc", 4],
    ["asc", 5],
    ["asc", COUNT],
    ["desc", 4],
    ["desc", 5],
  ] as const)(
    "in the order %s of %d readings have each reading once, forwards and back",
    async (order, limit) => {
      const expected = order === "asc" ? ALL : ALL.toReversed();
      const forwards = await walk(await page(`${RANGE}&order=${order}&limit=${limit}`), "next");
      expect(values(forwards)).toEqual(expected);
      const back = await walk(forwards.at(-1)!, "previous");
      expect(values(back.toReversed())).toEqual(expected);
      expect(forwards[0]?.previous).toBeNull();
    },
  );

  test("tell apart readings one microsecond apart, and cut ranges to the microsecond", async () => {
    const close = await recording.sensor("close");
    const stamps = [
      "2026-06-02T00:00:00.000001Z",
      "2026-06-02T00:00:00.000002Z",
      "2026-06-02T00:00:00.000003Z",
    ];
    await recording.readings(
      close,
      stamps.map((stamp, value) => ({ at: stamp, value })),
    );
    const path = `sensors/${close.id}/readings`;
    const first = await recording.json<Page>(`${path}?from=${stamps[0]}&to=2026-06-03T00:00:00Z&limit=1`);
    expect(first.items).toEqual([{ timestamp: stamps[0]!, value: 0, quality: 100 }]);
    const second = await follow(first.next ?? "");
    expect(second.items.map((row) => row.timestamp)).toEqual([stamps[1]!]);
    const cut = await recording.json<Page>(`${path}?from=${stamps[1]}&to=${stamps[2]}`);
    expect(cut.items.map((row) => row.timestamp)).toEqual([stamps[1]!]);
  });

  test("go on exactly while readings arrive between them", async () => {
    const busy = await recording.sensor("busy");
    await recording.steady(busy, 4, 10);
    const path = `sensors/${busy.id}/readings?${RANGE}&limit=2`;
    const first = await recording.json<Page>(path);
    await recording.readings(busy, [
      { at: at(5), value: 100 },
      { at: at(25), value: 200 },
    ]);
    const rest = await walk(first, "next");
    expect(values(rest)).toEqual([0, 1, 2, 200, 3]);
  });

  test("name the sensor, its unit and the range, and link as headers too", async () => {
    const response = await readings(`${RANGE}&limit=10`);
    const body = (await response.json()) as Page;
    expect(body.sensor).toEqual({ id: sensor.id, name: sensor.name, quantity: "pressure", unit: "bar" });
    expect([Date.parse(body.from), Date.parse(body.to)]).toEqual([START_MS, START_MS + 3_600_000]);
    expect(response.headers.get("Link")).toBe(`<${body.next}>; rel="next"`);
  });

  test("reach from 24 hours ago to the end of this minute unless told otherwise", async () => {
    const { from, to } = await page("");
    expect(Date.parse(to) - Date.parse(from)).toBe(86_400_000);
    expect(Date.parse(to) % 60_000).toBe(0);
    expect(Math.abs(Date.parse(to) - Date.now())).toBeLessThan(61_000);
  });
});

describe("the formats of readings", () => {
  const HEADER = "timestamp,value,unit,quality\r\n";
  test("say the same", async () => {
    const rows = (await page(`${RANGE}&limit=100`)).items;
    const columns = (await (await readings(`${RANGE}&limit=100&format=columns`)).json()) as {
      columns: Record<keyof Row, unknown[]>;
    };
    expect(columns.columns).toEqual({
      timestamp: rows.map((row) => row.timestamp),
      value: rows.map((row) => row.value),
      quality: rows.map((row) => row.quality),
    });
    const csv = await (await readings(`${RANGE}&limit=100&format=csv`)).text();
    expect(csv).toBe(HEADER + rows.map((r) => `${r.timestamp},${r.value},bar,${r.quality}\r\n`).join(""));
    const lines = (await (await readings(`${RANGE}&limit=100&format=ndjson`)).text()).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      rows.map((r) => ({ timestamp: r.timestamp, value: r.value, unit: "bar", quality: r.quality })),
    );
  });

  test.each([
    ["application/json", "application/json"],
    ["*/*", "application/json"],
    ["text/html", "application/json"],
    ["application/vnd.hydraulic.columns+json", "application/vnd.hydraulic.columns+json"],
    ["text/csv", "text/csv; charset=utf-8; header=present"],
    ["text/csv;q=0.5, application/json;q=0.1", "text/csv; charset=utf-8; header=present"],
    ["application/x-ndjson", "application/x-ndjson"],
  ])("follow Accept: %s", async (accept, type) => {
    const response = await readings(RANGE, { Accept: accept });
    expect(response.headers.get("Content-Type")).toBe(type);
    expect(response.headers.get("Vary")).toContain("Accept");
  });

  test("of an empty range are empty, and well formed", async () => {
    const empty = `from=${at(-7200)}&to=${at(-3600)}`;
    expect(await page(empty)).toMatchObject({ items: [], next: null, previous: null });
    expect(await (await readings(`${empty}&format=columns`)).json()).toMatchObject({
      columns: { timestamp: [], value: [], quality: [] },
    });
    expect(await (await readings(`${empty}&format=csv`)).text()).toBe(HEADER);
    expect(await (await readings(`${empty}&format=ndjson`)).text()).toBe("");
  });

  test("come with gzip when asked, and only then", async () => {
    const plain = await readings(`${RANGE}&limit=100`);
    expect(plain.headers.get("Content-Encoding")).toBeNull();
    const path = `/api/v1/systems/${recording.system_id}/sensors/${sensor.id}/readings?${RANGE}&limit=100`;
    const packed = await fetch(api.server.url + path, {
      headers: { Authorization: `Bearer ${recording.token}`, "Accept-Encoding": "gzip" },
      decompress: false,
    });
    expect(packed.headers.get("Content-Encoding")).toBe("gzip");
    expect(packed.headers.get("ETag")).toBe(plain.headers.get("ETag"));
    expect(gunzipSync(await packed.arrayBuffer()).toString()).toBe(await plain.text());
  });
});

describe("the tag of an answer", () => {
  test("is known again until a late reading changes the range", async () => {
    const late = await recording.sensor("late");
    await recording.steady(late, 3, 10);
    const path = `sensors/${late.id}/readings?${RANGE}`;
    const first = await recording.get(path);
    const tag = first.headers.get("ETag") ?? "";
    expect(tag).toMatch(/^W\/"/);
    const again = await recording.get(path, { "If-None-Match": `"other", ${tag}` });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect(again.headers.get("ETag")).toBe(tag);
    await recording.readings(late, [{ at: at(5), value: 99 }]);
    const changed = await recording.get(path, { "If-None-Match": tag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get("ETag")).not.toBe(tag);
  });

  test("comes with half a minute of rest when the range is closed, and with none when it is open", async () => {
    expect((await readings(RANGE)).headers.get("Cache-Control")).toBe("private, max-age=30, must-revalidate");
    expect((await readings("")).headers.get("Cache-Control")).toBe("private, no-cache");
  });
});

describe("a request for readings", () => {
  test.each([
    ["from", "from=yesterday"],
    ["from", `from=${at(10)}&to=${at(10)}`],
    ["from", `from=${at(11)}&to=${at(10)}`],
    ["from", `from=2010-01-01T00:00:00Z&to=${at(0)}`],
    ["from", "from=0001-01-01T00:00:00Z&to=1970-01-02T00:00:00Z"],
    ["to", "to=2026-02-30T00:00:00Z"],
    ["to", "to=9999-01-01T00:00:00Z"],
    ["to", "to="],
    ["limit", "limit=0"],
    ["limit", "limit=100001"],
    ["limit", "limit=ten"],
    ["after", "after=2026-01-01T00:00:00Z"],
    ["after", "after=1.5"],
    ["after", "after="],
    ["before", "before=x"],
    ["before", "after=1&before=2"],
    ["order", "order=up"],
    ["format", "format=xml"],
    ["form", "form=csv"],
  ])("is refused for its %s: %s", async (name, query) => {
    const { errors, detail } = await expectProblem(await readings(query ?? ""), "invalid-request");
    expect(errors?.[0]?.pointer).toBe(`/${name}`);
    expect(detail).toContain(name ?? "");
  });

  test("is refused for ids that are no UUIDs", async () => {
    const bad = await recording.get("sensors/x/readings");
    expect((await expectProblem(bad, "invalid-request")).errors?.[0]?.pointer).toBe("/sensor_id");
    const worse = await recording.get(`/systems/x/sensors/${sensor.id}/readings`);
    expect((await expectProblem(worse, "invalid-request")).errors?.[0]?.pointer).toBe("/system_id");
  });

  test("of an unknown system or sensor, or of a sensor of another system, is a 404", async () => {
    const unknown = crypto.randomUUID();
    await expectProblem(
      await recording.get(`/systems/${unknown}/sensors/${sensor.id}/readings`),
      "system-not-found",
    );
    await expectProblem(await recording.get(`sensors/${unknown}/readings`), "sensor-not-found");
    const other = await Recording.create(bench, api);
    await expectProblem(await other.get(`sensors/${sensor.id}/readings`), "sensor-not-found");
  });

  test("takes a token", async () => {
    const response = await api.fetch(`/api/v1/systems/${recording.system_id}/sensors/${sensor.id}/readings`);
    await expectProblem(response, "authentication-required");
  });
});
