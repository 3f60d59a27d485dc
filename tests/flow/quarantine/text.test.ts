/** A text within the reasons: found by its index or looked for reading by reading, the pages have the same readings. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { REFUSAL_REASONS } from "../../../src/contract/refusal.ts";
import { REVIEW_STATUSES } from "../../../src/contract/review-status.ts";
import type { Sql } from "../../../src/store/pool.ts";
import { QuarantineCountQueries } from "../../../src/store/queries/quarantine-counts.ts";
import type { QuarantineFilter } from "../../../src/store/queries/quarantine-filter.ts";
import { IncidentQueries } from "../../../src/store/queries/quarantine-incidents.ts";
import { type QuarantineKey, QuarantineListQueries } from "../../../src/store/queries/quarantine-list.ts";
import { isRare } from "../../../src/store/queries/quarantine-looks.ts";
import { Reader } from "../../../src/store/queries/reader.ts";
import { selectionConditions } from "../../../src/store/review/selection.ts";
import { withSessionSettings } from "../../../src/store/session-options.ts";
import { connect, systemId } from "../../support/hourly.ts";
import { createTestDatabase, type TestService } from "../../support/test-services.ts";
import { insertRefusals, randomRefusals } from "./quarantined.ts";

let service: TestService;
let sql: Sql;
let looking: Reader;
let finding: Reader;
beforeAll(async () => {
  service = await createTestDatabase();
  sql = connect(service.url, 2);
  await insertRefusals(sql, randomRefusals(400, 41));
  await sql`ANALYZE diagnostics_quarantined_reading`;
  const reader = (settings: Record<string, string>) =>
    new Reader({ url: withSessionSettings(service.url, settings), size: 1, deadline_ms: 10_000 });
  looking = reader({ enable_bitmapscan: "off" });
  // So few readings are not worth an index, unless nothing else is allowed.
  finding = reader({ enable_seqscan: "off", enable_indexscan: "off" });
});
afterAll(async () => {
  await looking.close();
  await finding.close();
  await sql.end();
  await service.drop();
});

const ALL: QuarantineFilter = {
  reach: null,
  ids: null,
  incident: null,
  job_id: null,
  system_id: null,
  sensor_id: null,
  reasons: REFUSAL_REASONS,
  statuses: REVIEW_STATUSES,
  from_us: null,
  to_us: null,
  q: null,
};
const CASES: readonly [q: string, narrow: Partial<QuarantineFilter>, condition: string][] = [
  ["ABOVE", {}, "true"],
  [
    "above",
    { reasons: ["duplicate"], statuses: ["fixed", "pending"] },
    "reason = 'duplicate' AND review_status IN ('fixed', 'pending')",
  ],
  ["noth", { system_id: systemId(2) }, `system_id = '${systemId(2)}'`],
  ["above 700 bar of nothing", {}, "true"],
  ["above", { reach: [systemId(2)] }, `system_id = '${systemId(2)}'`],
  [
    "above",
    { reach: [systemId(1), systemId(9)], statuses: ["pending"] },
    `system_id = '${systemId(1)}' AND review_status = 'pending'`,
  ],
  ["above", { reach: Array.from({ length: 60 }, (_, n) => systemId(n + 2)) }, `system_id = '${systemId(2)}'`],
  ["above", { reach: [] }, "false"],
];

/** Every page of a list, as ids. */
async function pagesOf(queries: QuarantineListQueries, filter: QuarantineFilter): Promise<number[][]> {
  const pages: number[][] = [];
  let after: QuarantineKey | null = null;
  do {
    const page: { body: string; next: QuarantineKey | null } = await queries.page(filter, after, 7, "rows");
    pages.push((JSON.parse(page.body) as { id: number }[]).map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  return pages;
}

async function expected(q: string, condition: string): Promise<number[]> {
  const rows = await sql.unsafe<{ id: number }[]>(
    `SELECT id::int AS id FROM diagnostics_quarantined_reading WHERE strpos(lower(reason_details), lower('${q}')) > 0 AND ${condition}
     ORDER BY quarantined_at DESC, id DESC`,
  );
  return rows.map(({ id }) => id);
}

describe.each(CASES)("readings with %j and %j", (q, narrow, condition) => {
  test("are found by the index of texts", async () => {
    expect(await isRare(finding, q)).toBeTrue();
    const pages = await pagesOf(new QuarantineListQueries(finding, 1), { ...ALL, ...narrow, q });
    expect(pages.flat()).toEqual(await expected(q, condition));
    expect(pages.slice(0, -1).every((page) => page.length === 7)).toBeTrue();
  });

  test.each([3, 7, 50, 399, 400])("are found by looks at %i at a time", async (looked_at) => {
    expect(await isRare(looking, q)).toBeFalse();
    const pages = await pagesOf(new QuarantineListQueries(looking, looked_at), { ...ALL, ...narrow, q });
    expect(pages.flat()).toEqual(await expected(q, condition));
  });
});

test.each([
  [[systemId(1)], `system_id = '${systemId(1)}'`],
  [[systemId(1), systemId(2)], "true"],
  [[systemId(2), systemId(9)], `system_id = '${systemId(2)}'`],
  [Array.from({ length: 60 }, (_, n) => systemId(n + 2)), `system_id = '${systemId(2)}'`],
  [[], "false"],
])("who reaches %j has the list, counts and incidents of these alone", async (reach, condition) => {
  const all = await expected("", condition);
  const pages = await pagesOf(new QuarantineListQueries(looking), { ...ALL, reach });
  expect(pages.flat()).toEqual(all);
  const counts = await new QuarantineCountQueries(looking).counts({ ...ALL, reach });
  expect(counts.total.count).toBe(all.length);
  const { incidents } = await new IncidentQueries(looking).page({ ...ALL, reach }, null, 1_000);
  expect(incidents.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
});

test("a text of fewer than three letters or digits in a row is looked for, whatever the index costs", async () => {
  for (const q of ["%", "0 b", "a\\b", "_i"]) {
    expect(await isRare(finding, q)).toBeFalse();
    const pages = await pagesOf(new QuarantineListQueries(finding, 100), { ...ALL, q });
    expect(pages.flat()).toEqual(await expected(q, "true"));
  }
});

describe("a text of any script, whatever the server's locale", () => {
  const TEXTS = [
    "Überdruck im Tank",
    "ДАВЛЕНИЕ слишком велико",
    "ΠΙΕΣΗ",
    "圧力 高",
    "unit “ФУРЛОНГ” is not known",
  ];
  const refused = randomRefusals(TEXTS.length, 43).map((row, i) => ({
    ...row,
    job_id: row.job_id.replace(/^.{8}/, "ffffffff"),
    reason_details: TEXTS[i]!,
  }));
  beforeAll(() => insertRefusals(sql, refused));

  test.each([
    "überDRUCK",
    "Давление",
    "ие сл",
    "πιεσ",
    "圧力",
    "力 高",
    "фурлонг",
    "UNIT “фур",
    "давление выше",
  ])("is found in any case: %s", async (q) => {
    const found = await sql<{ id: number }[]>`
        SELECT id::int AS id FROM diagnostics_quarantined_reading
        WHERE reason_details IN ${sql(["", ...TEXTS.filter((text) => text.toLowerCase().includes(q.toLowerCase()))])}
        ORDER BY quarantined_at DESC, id DESC`;
    const ids = found.map(({ id }) => id);
    const queries = new QuarantineListQueries(looking);
    expect((await pagesOf(queries, { ...ALL, q })).flat()).toEqual(ids);
    const job_id = refused[0]!.job_id;
    expect((await pagesOf(queries, { ...ALL, q, job_id })).flat()).toEqual(ids);
    const counts = await new QuarantineCountQueries(looking).counts({ ...ALL, q });
    expect(counts.total).toEqual({ count: ids.length, capped: false });
    const chosen = selectionConditions({ reach: null, filter: { q }, incident: null }, ["pending"]);
    const text = `SELECT count(*)::int AS n FROM diagnostics_quarantined_reading q WHERE ${chosen.text}`;
    const [pending] = await sql.unsafe<{ n: number }[]>(text, [...chosen.values]);
    const counted = refused.filter(
      ({ reason_details, review_status }) =>
        review_status === "pending" && reason_details.toLowerCase().includes(q.toLowerCase()),
    );
    expect(pending?.n).toBe(counted.length);
  });
});
