/** "Clear" in a real browser over fixtures: the filters are empty, also of what was typed and asked of nobody. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf, settled } from "../support/console-browser.ts";
import { until } from "../support/until.ts";

const MAY_BE = "Type a date and time such as";
const query = async (page: Page) => (await addressOf(page)).search;

consoleSuite("clear", ({ bench, enter }) => {
  test("empties a time that cannot be read and takes its message away, as it does a text too short to be asked", async () => {
    for (const [path, name] of [
      ["/quarantine/readings?reason=duplicate", /^Refused from/],
      ["/quarantine?reason=duplicate", /^Measured to/],
      ["/audit?subject_type=user", /^From/],
    ] as const) {
      const { page, complaints, close } = await enter(path);
      await settled(page);
      const time = page.getByRole("textbox", { name });
      await time.fill("gibberish");
      await time.press("Enter");
      await page.getByRole("alert").getByText(MAY_BE).waitFor();
      const text = page.getByRole("textbox", { name: "Text in the details" });
      const hasText = path.startsWith("/quarantine/readings");
      if (hasText) await text.fill("ab");
      await page.getByRole("link", { name: "Clear", exact: true }).click();
      await page.getByRole("alert").waitFor({ state: "detached" });
      expect([await query(page), await time.inputValue(), await time.getAttribute("aria-invalid")]).toEqual([
        "",
        "",
        null,
      ]);
      if (hasText) expect(await text.inputValue()).toBe("");
      // It is no fault that would keep something from being sent
      expect(await page.locator("input:invalid").count()).toBe(0);
      // What another filter changes leaves what is being typed
      await time.fill("2026-");
      await time.press("Enter");
      await page.getByRole("alert").waitFor();
      await page.getByRole("combobox", { name: /^(System|Subject)$/ }).selectOption({ index: 1 });
      await until("the filter is in the address", async () => (await query(page)) !== "");
      expect(await time.inputValue()).toBe("2026-");
      expect(complaints).toEqual([]);
      await close();
    }
  });

  test("forgets a text that was typed just before", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    await page.clock.install();
    await page.goto(`${bench().url}/console/quarantine/readings?reason=duplicate`);
    await settled(page);
    await page.clock.pauseAt(Date.now() + 60_000);
    const text = page.getByRole("textbox", { name: "Text in the details" });
    await text.fill("pump");
    await page.getByRole("link", { name: "Clear", exact: true }).click();
    await page.clock.runFor(1_000);
    expect([await query(page), await text.inputValue()]).toEqual(["", ""]);
    expect(complaints).toEqual([]);
    await close();
  });
});
