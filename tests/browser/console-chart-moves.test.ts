/** Charts without a mouse, in a real browser over fixtures: read, moved and zoomed by key and by finger. */
import { expect, test } from "bun:test";
import type { CDPSession, Locator, Page } from "playwright-core";
import { series } from "../support/console-answers.ts";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf, settled, tabTo } from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";
import { until } from "../support/until.ts";

const FROM_MS = Date.parse("2026-07-10T04:00:00Z");
const TO_MS = Date.parse("2026-07-10T14:00:00Z");
const SENSOR = `/systems/${IDS.system}/sensors/${IDS.sensor}`;
const PATH = `${SENSOR}?from=${new Date(FROM_MS).toISOString()}&to=${new Date(TO_MS).toISOString()}`;
const MINUTE_MS = 60_000;
/** Minutes that have readings: two, a gap, two more. */
const MINUTES = [60, 61, 300, 301];

consoleSuite("charts without a mouse", ({ bench, enter }) => {
  async function open() {
    const visitor = await enter("/no-such-page");
    const { page } = visitor;
    const items = MINUTES.map((minute) => ({
      timestamp: new Date(FROM_MS + minute * MINUTE_MS).toISOString(),
      ...{ min: minute - 5, avg: minute, max: minute + 5, count: 1 },
    }));
    const whole = series(0, 600_000);
    const body = { ...whole, bucket_ms: MINUTE_MS, series: [{ ...whole.series[0], items }] };
    await page.route("**/series?*", (route) => route.fulfill({ json: body }));
    await page.route(`**/api/v1/systems/*/sensors/${IDS.sensor}`, async (route) => {
      const sent = { first_reading_at: "2026-01-01T00:00:00Z", last_reading_at: "2026-07-20T10:00:00Z" };
      await route.fulfill({ json: { ...(await (await route.fetch()).json()), ...sent } });
    });
    await page.goto(`${bench().url}/console${PATH}`);
    await page.locator(".chart canvas").waitFor();
    await settled(page);
    return { ...visitor, chart: page.getByRole("region", { name: /4 points$/ }) };
  }
  const shown = async (page: Page) => {
    const query = (await addressOf(page)).searchParams;
    return [Date.parse(query.get("from") ?? ""), Date.parse(query.get("to") ?? "")] as const;
  };
  const widthOf = async (page: Page) => {
    const [from, to] = await shown(page);
    return to - from;
  };

  test("the keys of a chart tell its values one by one, gaps passed over, and nothing is trapped", async () => {
    const { page, chart, complaints, close } = await open();
    await tabTo(page, chart);
    const told = chart.getByRole("status");
    for (const [key, average, clock] of [
      ["ArrowRight", 60, "07:00"],
      ["ArrowRight", 61, "07:01"],
      ["ArrowRight", 300, "11:00"],
      ["End", 301, "11:01"],
      ["ArrowRight", 301, "11:01"],
      ["ArrowLeft", 300, "11:00"],
      ["Home", 60, "07:00"],
    ] as const) {
      await page.keyboard.press(key);
      await told.getByText(`Average: ${average} bar`).waitFor();
      expect(await told.textContent()).toContain(`Time: 2026-07-10 ${clock}:00 +02:00`);
    }
    await page.keyboard.press("Tab");
    expect(await chart.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(false);
    await until("nothing is told any more", async () => (await told.textContent()) === "");
    // Left alone, the legend tells the last values again.
    await chart.locator(".u-legend").getByText("301 bar").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("keys zoom around the middle and move; the address follows", async () => {
    const { page, chart, complaints, close } = await open();
    await chart.focus();
    const [from, to] = await shown(page);
    await page.keyboard.press("+");
    await until("half of it is shown", async () => (await widthOf(page)) === (to - from) / 2);
    expect((await shown(page))[0]).toBe(from + (to - from) / 4);
    await page.keyboard.press("Shift+ArrowLeft");
    await until("it is earlier", async () => (await shown(page))[0] === from + (to - from) / 8);
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("-");
    await until("all is shown again", async () => {
      const now = await shown(page);
      return now[0] === from && now[1] === to;
    });
    expect(complaints).toEqual([]);
    await close();
  });

  type Point = readonly [x: number, y: number];
  /** Fingers that touch, move in steps, and are lifted. @param ways of each finger, from and to */
  async function gesture(cdp: CDPSession, ways: readonly (readonly [Point, Point])[]): Promise<void> {
    const steps = 8;
    const at = (share: number) =>
      ways.map(([[x0, y0], [x1, y1]], id) => ({
        x: x0 + (x1 - x0) * share,
        y: y0 + (y1 - y0) * share,
        id,
      }));
    await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(0) });
    for (let step = 1; step <= steps; step += 1)
      await cdp.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(step / steps) });
    await cdp.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  }
  async function placeOf(chart: Locator) {
    const over = chart.locator(".u-over");
    await until("the chart has its width", async () => ((await over.boundingBox())?.width ?? 999) < 390);
    await over.scrollIntoViewIfNeeded();
    const box = (await over.boundingBox())!;
    return { ...box, y: box.y + box.height / 2 };
  }

  test("a finger moves a chart sideways, two zoom it, and up and down scrolls the page", async () => {
    const { page, chart, complaints, close } = await open();
    await page.setViewportSize({ width: 390, height: 600 });
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 2 });
    const { x, y, width } = await placeOf(chart);
    const [from, to] = await shown(page);
    await gesture(cdp, [
      [
        [x + width * 0.25, y],
        [x + width * 0.75, y],
      ],
    ]);
    const half = (to - from) / 2;
    // The browser keeps the first pixels of a gesture for itself.
    await until("what was half a chart earlier is shown", async () => {
      const moved = from - (await shown(page))[0];
      return moved > half * 0.7 && moved < half * 1.1;
    });
    expect(Math.abs((await widthOf(page)) - (to - from))).toBeLessThan(2_000);
    await gesture(cdp, [
      [
        [x + width * 0.4, y],
        [x + width * 0.2, y],
      ],
      [
        [x + width * 0.6, y],
        [x + width * 0.8, y],
      ],
    ]);
    await until("less is shown", async () => (await widthOf(page)) < (to - from) * 0.5);
    const before = (await addressOf(page)).href;
    await gesture(cdp, [
      [
        [x + width / 2, y],
        [x + width / 2, y - 200],
      ],
    ]);
    await until("the page has scrolled", () => page.evaluate<boolean>("scrollY > 0"));
    expect((await addressOf(page)).href).toBe(before);
    expect(complaints).toEqual([]);
    await close();
  });
});
