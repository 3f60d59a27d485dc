/** The list of quarantined readings: every filter, page by page, and as a file; equal to one plain statement. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parse } from "csv-parse/sync";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { registerSensors, sensorId, systemId } from "../../support/hourly.ts";
import { expectProblem } from "../../support/problem.ts";
import {
  BEGIN_MS,
  insertRefusals,
  type Refused,
  randomRefusals,
  type Visitor,
  visitor,
} from "./quarantined.ts";

interface Item extends Refused {
  readonly id: number;
  readonly reviewed_by_name: string | null;
}

let bench: ApiBench;
let api: TestApi;
let reviewer: Visitor;
/** 1 is more than a piece of the export has. */
const rows = randomRefusals(2_500, 7);
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  reviewer = await visitor(api);
  await registerSensors(bench.database.sql, 2, 3);
  await insertRefusals(bench.database.sql, rows);
});
afterAll(() => bench.close());

const day = (n: number) => new Date(BEGIN_MS + n * 86_400_000).toISOString();

/** Ids by one plain statement. */
async function expectedIds(condition: string): Promise<number[]> {
  const found = await bench.database.sql.unsafe<{ id: string }[]>(
    `SELECT id FROM diagnostics_quarantined_reading WHERE ${condition} ORDER BY quarantined_at DESC, id DESC`,
  );
  return found.map(({ id }) => Number(id));
}

const FILTERS: readonly [query: string, condition: string][] = [
  ["", "review_status = 'pending'"],
  ["status=any", "true"],
  ["ids=17,%204,17,900000&status=any", "id IN (4, 17)"],
  ["status=rejected,fixed", "review_status IN ('rejected', 'fixed')"],
  ["reason=out_of_range&status=any", "reason = 'out_of_range'"],
  ["reason=duplicate,parse_error", "reason IN ('duplicate', 'parse_error') AND review_status = 'pending'"],
  [`system_id=${systemId(1)}&status=any`, `system_id = '${systemId(1)}'`],
  [`sensor_id=${sensorId(2, 3).toUpperCase()}&status=any`, `sensor_id = '${sensorId(2, 3)}'`],
  [`system_id=${systemId(1)}&sensor_id=${sensorId(2, 3)}&status=any`, "false"],
  [`job_id=${rows[0]?.job_id}&status=any`, `job_id = '${rows[0]?.job_id}'`],
  [
    `job_id=${rows[10]?.job_id}&reason=duplicate,invalid_unit`,
    `job_id = '${rows[10]?.job_id}' AND reason IN ('duplicate', 'invalid_unit') AND review_status = 'pending'`,
  ],
  [
    `from=${day(1)}&to=${day(2)}&status=any`,
    `quarantined_at >= '${day(1)}' AND quarantined_at < '${day(2)}'`,
  ],
  [`from=${day(2)}`, `quarantined_at >= '${day(2)}' AND review_status = 'pending'`],
  [`to=${day(1)}&status=any`, `quarantined_at < '${day(1)}'`],
  ["q=PRESSURE+is&status=any", "reason_details = 'pressure is above 700 bar'"],
  ["q=0%25+&status=any", "reason_details = '100% of _it_'"],
  ["q=+_i&status=any", "reason_details = '100% of _it_'"],
  ["q=a%5CB&status=any", "reason_details LIKE 'a%'"],
  ["q=%25&status=any", "strpos(reason_details, '%') > 0"],
  [
    `q=0&system_id=${systemId(1)}`,
    `strpos(reason_details, '0') > 0 AND system_id = '${systemId(1)}' AND review_status = 'pending'`,
  ],
  [
    `q=nothing&system_id=${systemId(2)}&reason=duplicate&status=approved&from=${day(0)}&to=${day(3)}`,
    `reason_details = 'Nothing' AND system_id = '${systemId(2)}' AND reason = 'duplicate' AND review_status = 'approved'`,
  ],
];

describe.each(FILTERS)("the list with %s", (query, condition) => {
  test("has page by page what a plain statement has, in its order", async () => {
    const items = await reviewer.pages<Item>(`?${query}&limit=137`.replace("?&", "?"));
    expect(items.map(({ id }) => id)).toEqual(await expectedIds(condition));
  });

  test("has the same as NDJSON and as CSV", async () => {
    const items = await reviewer.pages<Item>(`?${query}&limit=500`.replace("?&", "?"));
    const ndjson = await reviewer.get(`?${query}&format=ndjson`.replace("?&", "?"));
    const lines = (await ndjson.text()).split("\n").filter((line) => line !== "");
    expect(lines.map((line) => JSON.parse(line) as Item)).toEqual(items);
    const csv = await reviewer.get(`?${query}`, { Accept: "text/csv" });
    expect(csv.headers.get("Content-Disposition")).toBe('attachment; filename="quarantine.csv"');
    const records = parse(await csv.text(), { columns: true }) as Record<string, string>[];
    expect(records.map(({ raw, ...cells }) => ({ ...cells, raw: JSON.parse(raw ?? "") as unknown }))).toEqual(
      items.map(({ raw, ...cells }) => ({
        ...Object.fromEntries(Object.entries(cells).map(([name, value]) => [name, String(value ?? "")])),
        raw,
      })),
    );
  });
});

describe("an item", () => {
  test("has what was refused, to the microsecond", async () => {
    const items = await reviewer.pages<Item>("?status=any&limit=500");
    const key = (row: Refused) => `${row.job_id}/${row.ordinal}`;
    const sent = new Map(rows.map((row) => [key(row), row]));
    for (const item of items) {
      const row = sent.get(key(item))!;
      const at = Date.parse(row.quarantined_at);
      expect(item).toMatchObject({ ...row, quarantined_at: item.quarantined_at, timestamp: item.timestamp });
      expect(Date.parse(item.quarantined_at)).toBe(at);
      expect(item.timestamp).toBe(row.timestamp?.replace(/\.?0+Z$/, "Z") ?? null);
    }
    expect(items.length).toBe(rows.length);
  });

  test("names its reviewer; infinite values and years before 1 are null", async () => {
    const user = await api.createUser("reviewer");
    const { sql } = bench.database;
    const job_id = crypto.randomUUID();
    await insertRefusals(sql, [{ ...rows[0]!, job_id, review_status: "fixed" }]);
    await sql`UPDATE diagnostics_quarantined_reading SET reviewed_by = ${user.id}, reviewed_at = now(), value = 'NaN',
      quality = '-Infinity', "timestamp" = '0001-01-01 00:00:00Z BC' WHERE job_id = ${job_id}`;
    const [item] = await reviewer.pages<Item>(`?status=fixed&job_id=${job_id}`);
    expect(item).toMatchObject({
      reviewed_by_name: user.username,
      value: null,
      quality: null,
      timestamp: null,
    });
    await sql`DELETE FROM diagnostics_quarantined_reading WHERE job_id = ${job_id}`;
  });
});

describe("the list", () => {
  test("stays exact while readings arrive", async () => {
    const first = await reviewer.json<{ items: Item[]; next: string }>("?status=any&limit=500");
    const before = await expectedIds("true");
    const job_id = crypto.randomUUID();
    const quarantined_at = new Date(BEGIN_MS + 10 * 86_400_000).toISOString();
    await insertRefusals(bench.database.sql, [{ ...rows[0]!, job_id, quarantined_at }]);
    const rest = await reviewer.pages<Item>(first.next);
    expect([...first.items, ...rest].map(({ id }) => id)).toEqual(before);
    await bench.database.sql`DELETE FROM diagnostics_quarantined_reading WHERE job_id = ${job_id}`;
  });

  test("has a page in every format, and a Link", async () => {
    const csv = await reviewer.get("?limit=3&format=csv");
    expect(parse(await csv.text(), { columns: true }).length).toBe(3);
    expect(csv.headers.get("Link")).toContain('rel="next"');
    const { columns } = await reviewer.json<{ columns: { id: number[]; raw: unknown[] } }>(
      "?limit=3&format=columns",
    );
    expect([columns.id.length, columns.raw.length]).toEqual([3, 3]);
  });

  test("answers with 304 to its own tag", async () => {
    const tag = (await reviewer.get("")).headers.get("ETag") ?? "";
    expect((await reviewer.get("", { "If-None-Match": tag })).status).toBe(304);
  });

  test.each(["", "/counts", "/incidents", "/1"])("is no producer's: %s", async (path) => {
    const producer = await visitor(api, "producer");
    await expectProblem(await producer.get(path), "forbidden");
    await expectProblem(await api.fetch(`/api/v1/quarantine${path}`), "authentication-required");
    for (const role of ["admin", "engineer"] as const) {
      expect([200, 404]).toContain((await (await visitor(api, role)).get(path)).status);
    }
  });

  test.each([
    ["incident", "?incident=x"],
    ["incident", "/counts?incident=W10"],
    ["incident", "/incidents?incident=x"],
    ["job_id", "?job_id=x"],
    ["system_id", "?system_id=1"],
    ["sensor_id", "/counts?sensor_id=null"],
    ["reason", "?reason=duplicate,nothing"],
    ["reason", "/incidents?reason="],
    ["status", "?status=any,pending"],
    ["from", "?from=yesterday"],
    ["from", `?from=${day(1)}&to=${day(1)}`],
    ["to", "/incidents?to=1969-01-01T00:00:00Z"],
    ["q", "?q="],
    ["q", "/counts?q="],
    ["q", "/incidents?q=x"],
    ["job_id", `/incidents?job_id=${crypto.randomUUID()}`],
    ["limit", "?limit=501"],
    ["limit", "/incidents?limit=201"],
    ["limit", "/counts?limit=1"],
    ["after", "?after=x"],
    ["after", `?after=${Buffer.from('["2026-01-01T00:00:00Z","x"]').toString("base64url")}`],
    ["after", "/incidents?after=W10"],
    ["format", "?format=xml"],
    ["id", "/0"],
    ["id", "/x"],
    ["from", "/1?from=x"],
  ])("is refused for its %s: %s", async (name, path) => {
    const { errors } = await expectProblem(await reviewer.get(path), "invalid-request");
    expect(errors?.[0]?.pointer).toBe(`/${name}`);
  });
});

describe("a cell of the CSV that a spreadsheet would take for a formula", () => {
  test.each([
    ['=HYPERLINK("http://x")', `'=HYPERLINK("http://x")`],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["\t=1", "'\t=1"],
    ["\n=1", "'\n=1"],
    ["＝1", "'＝1"],
    ["＋1", "'＋1"],
    ["－1", "'－1"],
    ["＠SUM(A1)", "'＠SUM(A1)"],
    ["m=s", "m=s"],
  ])("stands behind an apostrophe, and only there: %j", async (unit, cell) => {
    const odd = { ...rows[0]!, job_id: crypto.randomUUID(), unit };
    await insertRefusals(bench.database.sql, [odd]);
    const csv = await reviewer.get(`?job_id=${odd.job_id}&status=any&format=csv`);
    expect(parse(await csv.text(), { columns: true })).toMatchObject([{ unit: cell }]);
    const { items } = await reviewer.json<{ items: Item[] }>(`?job_id=${odd.job_id}&status=any`);
    expect(items).toMatchObject([{ unit }]);
  });
});
