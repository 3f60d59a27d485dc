/** What the settings and devices of visitors ask for, in a real browser over fixtures: paper, forced colours, less motion. */
import { expect, test } from "bun:test";
import type { Locator } from "playwright-core";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { settled } from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";
import { until } from "../support/until.ts";

consoleSuite("visitors of the console", ({ bench, enter }) => {
  test("on paper a page is what it says, light, without what can only be pressed", async () => {
    const { page, complaints, close } = await enter("/no-such-page", "dark");
    for (const [path, said] of [
      ["/jobs", "completed"],
      ["/quarantine/readings", "out of range"],
      [`/systems/${IDS.system}/sensors/${IDS.sensor}`, "its own range, version 2"],
    ] as const) {
      await page.emulateMedia({ media: "screen" });
      await page.goto(`${bench().url}/console${path}`);
      await settled(page);
      await page.emulateMedia({ media: "print" });
      expect(await page.locator("main tbody, main .facts").getByText(said).first().isVisible()).toBe(true);
      for (const pressed of ["main .button", "main input", "nav.main-nav"])
        expect(await page.locator(pressed).filter({ visible: true }).count()).toBe(0);
      const lightness = await page.evaluate<number>(
        `getComputedStyle(document.querySelector(".panel")).backgroundColor.match(/\\d+/g).map(Number)[0]`,
      );
      expect(lightness).toBeGreaterThan(200);
    }
    // The last page has a chart: one that was drawn dark is turned, one that is drawn on paper need not be
    const chart = (paint: string) => page.locator(`.chart [data-paint="${paint}"] canvas`);
    const filterOf = (canvas: Locator) =>
      canvas.evaluate((one) => one.ownerDocument.defaultView?.getComputedStyle(one).filter);
    await page.emulateMedia({ media: "screen" });
    await page.reload();
    await chart("dark").waitFor();
    expect(await filterOf(chart("dark"))).toBe("none");
    await page.emulateMedia({ media: "print" });
    expect(await filterOf(chart("dark"))).toBe("invert(1) hue-rotate(180deg)");
    await page.reload();
    await chart("light").waitFor();
    expect(await filterOf(chart("light"))).toBe("none");
    expect(complaints).toEqual([]);
    await close();
  });

  test("where the system sets the colours, what is chosen has a line, and curves keep theirs", async () => {
    const { page, complaints, close } = await enter("/quarantine");
    await page.emulateMedia({ forcedColors: "active" });
    await page.keyboard.press("j");
    const outlineOf = (chosen: Locator) =>
      chosen.evaluate((one) => one.ownerDocument.defaultView?.getComputedStyle(one).outlineStyle);
    const [row, link] = [page.locator("tr.current"), page.locator(".main-nav a[aria-current]")];
    await until("the row of the cursor has a line", async () => (await outlineOf(row)) === "solid");
    expect(await outlineOf(link)).toBe("solid");
    await page.goto(`${bench().url}/console/systems/${IDS.system}/sensors/${IDS.sensor}`);
    await page.locator(".chart canvas").waitFor();
    const adjusts = `getComputedStyle(document.querySelector(".chart")).forcedColorAdjust`;
    expect(await page.evaluate<string>(adjusts)).toBe("none");
    expect(complaints).toEqual([]);
    await close();
  });

  test("who wants less motion gets none but that of a slow sign of waiting", async () => {
    const { page, close } = await enter("/no-such-page");
    await page.emulateMedia({ reducedMotion: "reduce" });
    bench().mood = "silent";
    await page.goto(`${bench().url}/console/jobs`);
    await page.locator(".spinner").waitFor();
    const moving = await page.evaluate<string[]>(`document.getAnimations().map((one) =>
      one.animationName + " " + one.effect.getComputedTiming().duration)`);
    expect(moving.filter((one) => !one.startsWith("appear "))).toEqual(["turn 4000"]);
    await close();
  });
});
