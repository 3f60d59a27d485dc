/** Limits of alerts that several people set at once: each follows what was seen, and the record has them in order. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { AlertLimitsState } from "../../../src/contract/alert.ts";
import type { AuditEntry } from "../../../src/contract/oversight.ts";
import { ApiBench, type TestApi, type TestUser } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, newSystem, type TestSystem } from "../../support/registry.ts";

let bench: ApiBench;
let api: TestApi;
let admin: TestUser;
let system: TestSystem;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  admin = await api.tokenFor("admin");
});
beforeEach(async () => {
  system = await newSystem(api, admin.token);
});
afterAll(() => bench.close());

const path = () => `/api/v1/systems/${system.id}/alert-limits`;
const put = (body: object) => api.call(admin.token, "PUT", path(), body);
const putIf = (tag: string, body: object) => api.call(admin.token, "PUT", path(), body, { "If-Match": tag });
const tagNow = async () => (await api.call(admin.token, "GET", path())).headers.get("ETag") ?? "";
const get = async () => bodyOf<AlertLimitsState>(await api.call(admin.token, "GET", path()));
const audit = async (query: string) =>
  (await bodyOf<{ items: AuditEntry[] }>(await api.call(admin.token, "GET", `/api/v1/audit?${query}`))).items;

test("limits of which somebody else has set others meanwhile are refused, and what holds stays", async () => {
  expect(await tagNow()).toBe('"0"');
  const first = await putIf('"0"', { share: 0.2 });
  expect(first.status).toBe(200);
  const seen = first.headers.get("ETag") ?? "";
  expect(await tagNow()).toBe(seen);
  expect((await putIf(seen, { share: 0.3 })).status).toBe(200);
  const second = await putIf(seen, { share: 0.4 });
  await expectProblem(second, "version-conflict");
  expect(second.headers.get("ETag")).toBe(await tagNow());
  await expectProblem(await putIf('"0"', {}), "version-conflict");
  expect((await get()).own.share).toBe(0.3);
  // The same request once more, after an answer that was lost.
  expect((await putIf(seen, { share: 0.3 })).status).toBe(200);
  expect((await putIf("*", { share: 0.5 })).status).toBe(200);
  await expectProblem(await putIf("x", { share: 0.6 }), "invalid-request");
  expect(await audit(`subject_type=alert_limit&subject_id=${system.id}`)).toHaveLength(3);
});

test.each(["none", "some"])(
  "limits set by ten at once over %s are those of one, who follows what was seen",
  async (own) => {
    if (own === "some") await bodyOf(await put({ share: 0.9 }));
    const seen = await tagNow();
    const shares = Array.from({ length: 10 }, (_, i) => (i + 1) / 100);
    const answers = await Promise.all(shares.map((share) => putIf(seen, { share })));
    const winners = shares.filter((_, i) => answers[i]?.status === 200);
    expect(answers.map(({ status }) => status).filter((status) => status === 412)).toHaveLength(9);
    expect([(await get()).own.share]).toEqual(winners);
  },
);

test("limits set by ten at once without a word about others are each on record after the one before", async () => {
  const shares = Array.from({ length: 10 }, (_, i) => (i + 1) / 100);
  const answers = await Promise.all(shares.map((share) => put({ share })));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const entries = await audit(`subject_type=alert_limit&subject_id=${system.id}&limit=50`);
  const shareOf = (limits: unknown) => (limits as { share: number } | null)?.share ?? null;
  const afters = entries.map(({ after }) => shareOf(after));
  expect(afters).toHaveLength(10);
  expect(entries.map(({ before }) => shareOf(before))).toEqual([...afters.slice(1), null]);
});
