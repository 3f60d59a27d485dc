/** Fields for moments in a real browser: typed, chosen by key or finger, refused, and in step with the zone of pages. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf, NARROW, seriousFaults, tabTo } from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";
import { until } from "../support/until.ts";

const FROM = /^From/;
const MAY_BE = "Type a date and time such as 2026-11-27 21:37, or -24h, now or today.";
const fromOf = async (page: Page) => (await addressOf(page)).searchParams.get("from");

const DAY_MS = 86_400_000;

/** That the filter begins a day before now, to whole seconds. @param begun_ms when it was not typed yet */
async function expectDayBefore(page: Page, begun_ms: number): Promise<void> {
  const at_ms = Date.parse((await fromOf(page)) ?? "") + DAY_MS;
  expect(at_ms).toBeGreaterThan(begun_ms - 1_000);
  expect(at_ms).toBeLessThanOrEqual(Date.now());
}

consoleSuite("fields for moments", ({ bench, enter }) => {
  const field = (page: Page, name = FROM) => page.getByRole("textbox", { name });

  test("an entry is shown as times are everywhere, whatever it was typed as; its zone is in the label", async () => {
    const { page, complaints, close } = await enter("/jobs");
    const from = field(page);
    for (const [typed, shown, asked] of [
      ["2026-11-26T10:00:05", "2026-11-26 10:00:05", "2026-11-26T09:00:05Z"],
      ["2026-07-10 10:00 UTC", "2026-07-10 12:00:00", "2026-07-10T10:00:00Z"],
      ["2026-07-10", "2026-07-10 00:00:00", "2026-07-09T22:00:00Z"],
      // Clocks went back: of the two hours, the text alone means the first
      ["2026-10-25 02:30", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z"],
      ["2026-10-25 02:30 +01:00", "2026-10-25 02:30:00 +01:00", "2026-10-25T01:30:00Z"],
    ] as const) {
      await from.fill(typed);
      await from.press("Enter");
      await until(typed, async () => (await fromOf(page)) === asked && (await from.inputValue()) === shown);
    }
    await page.getByText("From (+01:00)").waitFor();
    await from.fill("2026-07-10 10:00");
    await page.getByText("From (+02:00)").waitFor();
    await from.press("Enter");
    await page.getByLabel("Zone of times").selectOption("utc");
    await until("the field is in UTC", async () => (await from.inputValue()) === "2026-07-10 08:00:00");
    await page.getByText("From (UTC)").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("what is relative becomes a moment at once, in the field and in the address", async () => {
    const { page, complaints, close } = await enter("/jobs");
    const from = field(page);
    const before_ms = Date.now();
    await from.fill("-24h");
    await page.keyboard.press("Tab");
    await page.waitForURL(/from=/);
    await expectDayBefore(page, before_ms);
    expect(await from.inputValue()).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(complaints).toEqual([]);
    await close();
  });

  test("what cannot be read is told beside the field, asked of nobody, and keeps a form from being sent", async () => {
    const { page, complaints, close } = await enter("/jobs?from=2026-11-26T09:00:00Z");
    const from = field(page);
    await until(
      "the address is in the field",
      async () => (await from.inputValue()) === "2026-11-26 10:00:00",
    );
    for (const typed of ["yesterdayish", "2026-02-30", "2026-03-29 02:30"]) {
      await from.fill(typed);
      expect(await page.getByRole("alert").count()).toBe(0);
      await from.press("Enter");
      const said = typed.startsWith("2026-03") ? "clocks go forward" : MAY_BE;
      await page.getByRole("alert").getByText(said).waitFor();
      expect(await from.getAttribute("aria-invalid")).toBe("true");
      expect(await seriousFaults(page)).toEqual([]);
      expect(await fromOf(page)).toBe("2026-11-26T09:00:00Z");
      await from.fill("2026-11-26 10:00:00");
      await from.press("Enter");
      await page.getByRole("alert").waitFor({ state: "detached" });
    }
    // An address that somebody typed
    await page.goto(`${bench().url}/console/jobs?from=gibberish`);
    await page.getByRole("alert").getByText(MAY_BE).waitFor();

    await page.goto(`${bench().url}/console/systems/${IDS.system}/sensors/${IDS.sensor}`);
    const holds = field(page, /^Holds from/);
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText("stored readings").first().waitFor();
    await holds.fill("next week");
    await page.getByRole("button", { name: "Set the range" }).click();
    await page.getByRole("alert").getByText(MAY_BE).waitFor();
    expect(bench().posts).toEqual([]);
    await holds.fill("2030-01-02");
    await holds.press("Enter");
    await page.getByText("The new range is set.").waitFor();
    expect(bench().posts).toEqual(['PUT "3" {"min":0,"max":350,"valid_from":"2030-01-01T23:00:00Z"}']);
    expect(complaints).toEqual([]);
    await close();
  });

  test("what is often meant is chosen by key and by finger, and so is nothing", async () => {
    const { page, complaints, close } = await enter("/jobs", "light", NARROW);
    const quick = page.getByRole("combobox", { name: "Choices for From" });
    await tabTo(page, quick);
    const before_ms = Date.now();
    await quick.selectOption({ label: "24 hours ago (-24h)" });
    await page.waitForURL(/from=/);
    await expectDayBefore(page, before_ms);
    expect(await quick.inputValue()).toBe("");
    await quick.selectOption({ label: "Any time" });
    await until("the filter is gone", async () => (await fromOf(page)) === null);
    expect(await field(page).inputValue()).toBe("");
    expect(complaints).toEqual([]);
    await close();
  });
});
