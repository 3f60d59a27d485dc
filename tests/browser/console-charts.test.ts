/** What the charts of the console really draw, in a real browser, over an API that answers from fixtures. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { QuarantinedReadingDetail } from "../../src/contract/quarantine-review.ts";
import type { SeriesPoint } from "../../src/contract/query.ts";
import { refusedDetail, series } from "../support/console-answers.ts";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf, settled } from "../support/console-browser.ts";
import { pixelsOf, textsOf, watchTexts } from "../support/console-canvas.ts";
import { IDS } from "../support/console-fixtures.ts";
import { until } from "../support/until.ts";

const SENSOR = `/systems/${IDS.system}/sensors/${IDS.sensor}`;
const between = (from: string, to: string) => `${SENSOR}?from=${from}&to=${to}`;
/** A dot of 5 px has about 20. */
const DOT_PX = 10;

consoleSuite("charts of the console", ({ bench, enter }) => {
  /** The sensor's page with these stored points. */
  async function sensorWith(times: readonly string[], path: string, bucket_ms: number) {
    const visitor = await enter("/no-such-page");
    const items: SeriesPoint[] = times.map((timestamp, index) => {
      const avg = 100 + index * 10;
      return { timestamp, min: avg, avg, max: avg, count: 1 };
    });
    const whole = series(0, 600_000);
    const body = { ...whole, bucket_ms, series: [{ ...whole.series[0], items }] };
    await visitor.page.route("**/series?*", (route) => route.fulfill({ json: body }));
    await watchTexts(visitor.page);
    await visitor.page.goto(`${bench().url}/console${path}`);
    await visitor.page.locator(".chart canvas").waitFor();
    return visitor;
  }
  const drawn = (page: Page, what: string, colour = "accent", least = DOT_PX) =>
    until(what, async () => (await pixelsOf(page, colour)) >= least);

  test.each([
    ["one reading", ["2026-07-10T10:00:00Z"], 1, 100],
    [
      "readings far from each other",
      [6, 9, 12, 15].map((h) => `2026-07-10T${h < 10 ? "0" : ""}${h}:00:00Z`),
      4,
      120_000,
    ],
  ] as const)("%s are seen", async (_, times, dots, bucket_ms) => {
    const path = between("2026-07-10T04:00:00Z", "2026-07-10T20:00:00Z");
    const { page, complaints, close } = await sensorWith(times, path, bucket_ms);
    await drawn(page, "every reading is drawn", "accent", dots * DOT_PX);
    expect(complaints).toEqual([]);
    await close();
  });

  test("the overview's chart begins with what the service knew before the page was opened", async () => {
    const { page, close } = await enter("/no-such-page");
    await page.route("**/api/v1/overview/events", (route) => route.fulfill({ status: 503 }));
    await page.goto(`${bench().url}/console`);
    await page.locator(".chart canvas").waitFor();
    await drawn(page, "four of five minutes are drawn", "accent", 400);
    await close();
  });

  test("another theme or zone draws the same stretch", async () => {
    const times = Array.from({ length: 30 }, (_, i) => `2026-07-10T10:${String(i + 10)}:00Z`);
    const path = between("2026-07-10T04:00:00Z", "2026-07-10T14:00:00Z");
    const { page, complaints, close } = await sensorWith(times, path, 60_000);
    const clocks = async () =>
      (await textsOf(page)).filter((text) => /^\d\d:\d\d/.test(text)).map((text) => text.slice(0, 5));
    await drawn(page, "the curve");
    for (const [label, choice, first, last] of [
      ["Zone of times", "utc", "04:00", "14:00"],
      ["Colours", "dark", "04:00", "14:00"],
      ["Zone of times", "local", "06:00", "16:00"],
    ] as const) {
      await page.getByLabel(label).selectOption(choice);
      await until(`${choice} is drawn`, async () => {
        const shown = await clocks();
        const [low = "", high = ""] = [shown.toSorted()[0], shown.toSorted().at(-1)];
        return low >= first && low < "08:00" && high <= last && high > "12:00";
      });
    }
    expect(complaints).toEqual([]);
    await close();
  });

  test("the axis tells the offset of the times that it shows, not that of today", async () => {
    const summer = between("2026-07-10T04:00:00Z", "2026-07-10T14:00:00Z");
    const { page, complaints, close } = await sensorWith(["2026-07-10T10:00:00Z"], summer, 60_000);
    const says = (text: string) => until(text, async () => (await textsOf(page)).includes(text));
    await says("Time (+02:00)");
    await page.goto(`${bench().url}/console${between("2026-01-10T04:00:00Z", "2026-01-10T14:00:00Z")}`);
    await says("Time (+01:00)");
    await page.goto(`${bench().url}/console${between("2026-10-24T04:00:00Z", "2026-10-26T14:00:00Z")}`);
    await says("Time (+02:00, then +01:00)");
    expect(complaints).toEqual([]);
    await close();
  });

  test("nobody gets lost beside the readings: the view stays where some may be, and leads back from elsewhere", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    const sent = { first_reading_at: "2026-07-01T00:00:00Z", last_reading_at: "2026-07-10T10:00:00Z" };
    await page.route(`**/api/v1/systems/*/sensors/${IDS.sensor}`, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ json: { ...(await answer.json()), ...sent } });
    });
    const shown = async () => {
      const query = (await addressOf(page)).searchParams;
      return [Date.parse(query.get("from") ?? ""), Date.parse(query.get("to") ?? "")] as const;
    };
    const press = async (name: string, times = 1) => {
      for (let n = 0; n < times; n += 1) await page.getByRole("button", { name, exact: true }).click();
    };
    await page.goto(`${bench().url}/console${SENSOR}`);
    await page.locator(".chart canvas").waitFor();
    const begun_ms = Date.now();
    await press("Zoom out", 12);
    const whole = await shown();
    expect(whole[0]).toBeLessThan(Date.parse(sent.first_reading_at));
    expect(whole[0]).toBeGreaterThan(Date.parse("2026-06-01T00:00:00Z"));
    expect(whole[1]).toBeGreaterThan(begun_ms);
    await press("Zoom in", 2);
    const narrow = await shown();
    const width = narrow[1] - narrow[0];
    await press("Earlier", 9);
    const first = await shown();
    expect(Math.abs(first[0] - whole[0])).toBeLessThan(5_000);
    expect(Math.abs(first[1] - first[0] - width)).toBeLessThan(5_000);
    await press("All");
    // All goes on with the clock
    const passed_ms = Date.now() - begun_ms;
    expect(Math.abs((await shown())[1] - whole[1])).toBeLessThan(5_000 + passed_ms * 1.1);
    // A shorter stretch of all ends with the readings, not with the nothing behind them.
    await press("6 h");
    expect(await shown()).toEqual([Date.parse("2026-07-10T04:00:01Z"), Date.parse("2026-07-10T10:00:01Z")]);

    await page.route("**/series?*", async (route) => {
      const isBefore = (new URL(route.request().url()).searchParams.get("to") ?? "") < "2031";
      const answer = await route.fetch();
      await route.fulfill({ json: { ...(await answer.json()), ...(isBefore ? {} : { series: [] }) } });
    });
    await page.goto(`${bench().url}/console${between("2031-07-10T04:00:00Z", "2031-07-10T05:00:00Z")}`);
    await page.getByRole("button", { name: "To the last reading" }).click();
    await page.locator(".chart canvas").waitFor();
    expect(await shown()).toEqual([Date.parse("2026-07-10T09:00:01Z"), Date.parse("2026-07-10T10:00:01Z")]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("the limit that a reading broke is told beside its line, and the legend tells the reading's values", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    await watchTexts(page);
    const { sensor, value } = refusedDetail(IDS.reading) as QuarantinedReadingDetail;
    await page.goto(`${bench().url}/console/quarantine/readings/${IDS.reading}`);
    await until("the limit is told", async () =>
      (await textsOf(page)).some(
        (text) => text.startsWith("highest good ") && text.endsWith(` ${sensor?.unit}`),
      ),
    );
    const legend = page.locator(".u-legend");
    const refused = legend.locator("tr", { hasText: "Refused" });
    await refused.getByText(new RegExp(`^${value?.toLocaleString("en")}`)).waitFor();
    // Pointed at, it tells another moment; left alone, the reading's again.
    await settled(page);
    const before = await legend.textContent();
    await page.locator(".u-over").hover({ position: { x: 5, y: 50 } });
    await until("the legend follows", async () => (await legend.textContent()) !== before);
    await page.mouse.move(0, 0);
    await until("the legend is back", async () => (await legend.textContent()) === before);
    expect(complaints).toEqual([]);
    await close();
  });

  test("what was fixed is no refusal any more, and does not press the curve flat", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    const detail = refusedDetail(IDS.reading) as QuarantinedReadingDetail;
    const show = async (review_status: "pending" | "fixed") => {
      const refused = detail.around.refused.map((one) => ({ ...one, review_status }));
      const body = {
        ...detail,
        review_status,
        rule: null,
        reason: "duplicate",
        around: { ...detail.around, refused },
      };
      await page.unroute(`**/api/v1/quarantine/${IDS.reading}`);
      await page.route(`**/api/v1/quarantine/${IDS.reading}`, (route) => route.fulfill({ json: body }));
      await page.goto(`${bench().url}/console/quarantine/readings/${IDS.reading}`);
      await settled(page);
      await drawn(page, "the curve");
      return { refused: await pixelsOf(page, "bad"), curve: await pixelsOf(page, "accent") };
    };
    const before = await show("pending");
    expect(before.refused).toBeGreaterThan(DOT_PX);
    const after = await show("fixed");
    expect(after.refused).toBe(0);
    // The same curve, drawn over the height of the chart, is a longer line.
    expect(after.curve).toBeGreaterThan(before.curve * 1.5);
    await page.getByText(/before they were approved or fixed/).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("the preview looks at a stretch that the visitor sees and chooses, up to the last reading", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    const last = "2026-07-10T10:00:30.500Z";
    await page.route(`**/api/v1/systems/*/sensors/${IDS.sensor}`, async (route) => {
      const answer = await route.fetch();
      const times = { first_reading_at: "2025-01-01T00:00:00Z", last_reading_at: last };
      await route.fulfill({ json: { ...(await answer.json()), ...times } });
    });
    await page.goto(`${bench().url}/console${SENSOR}`);
    const look = async (choice: string) => {
      await page.getByLabel("Preview over").selectOption(choice);
      const asked = page.waitForRequest((request) => request.url().includes("/range/preview?"));
      await page.getByRole("button", { name: "Preview" }).click();
      const query = new URL((await asked).url()).searchParams;
      return [query.get("from"), query.get("to")];
    };
    expect(await look("7")).toEqual(["2026-07-03T10:00:31.000Z", "2026-07-10T10:00:31.000Z"]);
    await page.getByText("1,204 of 604,800 stored readings").waitFor();
    expect(await look("31")).toEqual(["2026-06-09T10:00:31.000Z", "2026-07-10T10:00:31.000Z"]);
    // A year is asked for in pieces, the last first, and told as one.
    expect(await look("365")).toEqual(["2026-06-09T10:00:31.000Z", "2026-07-10T10:00:31.000Z"]);
    await page.getByText("14,448 of 7,257,600 stored readings").waitFor();
    await page.getByRole("button", { name: "Zoom in" }).click();
    await page.waitForURL(/from=/);
    const shown = (await addressOf(page)).searchParams;
    expect(await look("chart")).toEqual([shown.get("from"), shown.get("to")]);
    await page.route("**/range/preview?*", async (route) => {
      const none = { readings: 0, refused: 0, below: 0, above: 0, lowest: null, highest: null };
      await route.fulfill({ json: { ...(await (await route.fetch()).json()), ...none } });
    });
    await look("1");
    await page.getByText("No readings are stored").waitFor();
    expect(await page.getByText(/between –/).count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });
});
