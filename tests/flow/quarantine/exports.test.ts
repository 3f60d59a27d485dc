/** Every list that a reviewer works with as a file: the same as its pages, in CSV and in NDJSON. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parse } from "csv-parse/sync";
import { encodeEntry } from "../../../src/contract/entry.ts";
import { newJobId } from "../../../src/contract/job-id.ts";
import type { Incident } from "../../../src/contract/quarantine-review.ts";
import { deadKey } from "../../../src/stream/keys.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { registerSensors, systemId } from "../../support/hourly.ts";
import { expectProblem } from "../../support/problem.ts";
import { insertRefusals, randomRefusals, type Visitor, visitor } from "./quarantined.ts";

let bench: ApiBench;
let api: TestApi;
let admin: Visitor;
/** Of each list, more than the first piece of a file has. */
const MANY = 120;
const NOTE = '=HYPERLINK("http://x"), “two”\r\nlines';
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ config: { STREAM_PARTITIONS: 2 } });
  admin = await visitor(api, "admin");
  await registerSensors(bench.database.sql, 2, 3);
  await insertRefusals(bench.database.sql, randomRefusals(400, 11));
  await addOthers();
});
afterAll(() => bench.close());

async function addOthers(): Promise<void> {
  const { sql } = bench.database;
  const actor = crypto.randomUUID();
  await sql`
    INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, before, after, note)
    SELECT ${actor}, 'somebody', 'reject', 'reading', n::text, '{"a": "b,\\"c"}', NULL, ${NOTE} FROM generate_series(1, ${MANY}) n`;
  await sql`
    INSERT INTO diagnostics_review_task (id, action, state, actor, actor_name, note, selection, selected, last_id)
    SELECT gen_random_uuid(), 'reject', 'completed', ${actor}, 'somebody', ${NOTE}, '{"filter": {"q": "x"}}', 3, 9
    FROM generate_series(1, ${MANY})`;
  await sql`
    INSERT INTO diagnostics_quarantine_alert (system_id, resolved_at, share, peak_share, readings, quarantined, share_limit, window_s)
    SELECT ${systemId(1)}, now(), 0.5, 0.75, 100, 50, 0.25, 3600 FROM generate_series(1, ${MANY})`;
  await sql`
    INSERT INTO diagnostics_ingestion_job (id, status, total_readings, created_at, completed_at, system_id, created_by, error_message)
    SELECT gen_random_uuid(), 'failed', 7, now() - n * interval '1 second', now(), ${systemId(2)}, ${actor}, ${NOTE}
    FROM generate_series(1, ${MANY}) n`;
  for (let n = 0; n < MANY; n += 1) {
    const partition = n % 2;
    const meta = { job_id: newJobId(partition), system_id: systemId(1), user_id: actor, request_id: "r" };
    const entry = encodeEntry(
      { ...meta, total_readings: 2, received_at_ms: 1_767_225_600_000 },
      Buffer.from("{}"),
    );
    const own = ["reason", NOTE, "entry", "1-0", "buried_at_ms", "1767225601000"];
    await bench.redis.xadd(deadKey(partition), "*", ...own, ...entry);
  }
}

type Row = Readonly<Record<string, unknown>>;
/** @param flat what is a column of its own, though it stands deeper in an item */
const LISTS: readonly [path: string, name: string, flat: (item: Row) => Row][] = [
  ["/api/v1/audit", "audit", () => ({})],
  ["/api/v1/quarantine/actions", "decisions", () => ({})],
  ["/api/v1/alerts?state=any", "alerts", () => ({})],
  ["/api/v1/jobs?status=failed", "jobs", () => ({})],
  ["/api/v1/dead-letters", "dead-letters", ({ job }) => job as Row],
  [
    "/api/v1/quarantine/incidents?status=any",
    "incidents",
    ({ statuses, sample }) => ({
      ...(statuses as Row),
      ...Object.fromEntries(
        ["id", "value", "unit", "reason_details"].map((name) => [`sample_${name}`, (sample as Row)[name]]),
      ),
    }),
  ],
];
/** Members of items whose own members are columns instead. */
const NESTED = ["job", "statuses", "sample"];
const and = (path: string, more: string) => `${path}${path.includes("?") ? "&" : "?"}${more}`;

describe.each(LISTS)("%s", (path, name, flat) => {
  const cellOf = (value: unknown) => {
    if (typeof value === "object" && value !== null) return JSON.stringify(value);
    return String(value ?? "").replace(/^=/, "'=");
  };

  test("is the same as NDJSON, and as CSV in which no cell is a formula", async () => {
    const items = await admin.pages<Row>(and(path, "limit=33"));
    expect(items.length).toBeGreaterThanOrEqual(MANY);
    const ndjson = await admin.get(and(path, "format=ndjson"));
    expect(ndjson.headers.get("Content-Disposition")).toBe(`attachment; filename="${name}.ndjson"`);
    const lines = (await ndjson.text()).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as Row)).toEqual(items);

    const csv = await admin.get(path, { Accept: "text/csv" });
    expect(csv.headers.get("Content-Disposition")).toBe(`attachment; filename="${name}.csv"`);
    const text = await csv.text();
    expect(text.endsWith("\r\n")).toBeTrue();
    const records = parse(text, { columns: true }) as Record<string, string>[];
    const columns = Object.keys(records[0]!);
    expect(columns.length).toBeGreaterThan(8);
    const fields = Object.keys({ ...items[0], ...flat(items[0]!) });
    expect(columns.toSorted()).toEqual(fields.filter((field) => !NESTED.includes(field)).toSorted());
    expect(records).toEqual(
      items.map((item) => {
        const row = { ...item, ...flat(item) };
        return Object.fromEntries(columns.map((column) => [column, cellOf(row[column])]));
      }),
    );
  });

  test("is a page as CSV, with the next one in its Link, and nothing at the end of all", async () => {
    const page = await admin.get(and(path, "limit=2&format=csv"));
    expect(parse(await page.text(), { columns: true })).toHaveLength(2);
    const [, next] = /^<([^>]+)>; rel="next"$/.exec(page.headers.get("Link") ?? "") ?? [];
    expect(parse(await (await admin.get(next!)).text(), { columns: true })).toHaveLength(2);
    await expectProblem(await admin.get(and(path, "format=columns")), "invalid-request");
  });
});

test("what nothing is found for is a file without rows", async () => {
  const alerts = `/api/v1/alerts?system_id=${systemId(9)}`;
  expect(await (await admin.get(and(alerts, "format=csv"))).text()).toMatch(/^id,[a-z_,]+\r\n$/);
  expect(await (await admin.get(and(alerts, "format=ndjson"))).text()).toBe("");
});

describe("several incidents", () => {
  test("are one file, the readings of one after those of another, each once", async () => {
    const incidents = await admin.pages<Incident>("/incidents?status=any&limit=200");
    const some = incidents.toSorted((a, b) => b.count - a.count).slice(0, 7);
    const [first] = some;
    const keys = [...some, first!].map(({ key }) => key).join(",");
    const text = await (await admin.get(`?incident=${keys}&status=any&format=ndjson`)).text();
    const own = some.map(({ key }) => admin.pages<object>(`?incident=${key}&status=any`));
    const lines = text.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual((await Promise.all(own)).flat());
    const csv = await (await admin.get(`?incident=${keys}&format=csv`)).text();
    const pending = some.reduce((sum, { statuses }) => sum + statuses.pending, 0);
    expect(parse(csv, { columns: true })).toHaveLength(pending);
  });

  test("are no page and no counts, and not more than an address holds", async () => {
    const [one, two] = await admin.pages<Incident>("/incidents?status=any&limit=200");
    const keys = `${one!.key},${two!.key}`;
    for (const query of [
      `?incident=${keys}`,
      `?incident=${keys}&format=csv&limit=5`,
      `/counts?incident=${keys}`,
      `?format=csv&incident=${Array.from({ length: 41 }, (_, n) => `${one!.key}${n}`).join(",")}`,
      `?format=csv&incident=${one!.key},`,
    ]) {
      const problem = await expectProblem(await admin.get(query), "invalid-request");
      expect(JSON.stringify(problem.errors)).toContain("/incident");
    }
  });
});
