/** Lists, filters and selections of the console in a real browser, over an API that answers from fixtures. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { NARROW } from "../support/console-browser.ts";
import { until } from "../support/until.ts";

consoleSuite("lists of the console", ({ bench, enter }) => {
  const READINGS = "/quarantine/readings";
  const queryHas = (page: Page, name: string, value: string) =>
    page.waitForURL((url) => url.searchParams.get(name) === value);
  const boxes = (page: Page) => page.getByRole("checkbox", { name: "Select" });
  const ticked = (page: Page) => page.locator("tbody input[type=checkbox]:checked").count();

  test("filtering the readings leaves focus, typing and the open filters alone", async () => {
    const { page, complaints, close } = await enter(READINGS, "light", NARROW);
    await page.getByRole("button", { name: "Show", exact: true }).click();
    const text = page.getByLabel("Text in the details");
    await text.focus();
    await page.keyboard.type("abo");
    await queryHas(page, "q", "abo");
    await page.keyboard.type("ve 350 ");
    await queryHas(page, "q", "above 350");
    expect(await text.inputValue()).toBe("above 350 ");
    const reason = page.getByRole("checkbox", { name: /parse error/ });
    await reason.focus();
    await page.keyboard.press("Space");
    await queryHas(page, "reason", "parse_error");
    expect(await reason.evaluate((box) => box === box.ownerDocument.activeElement)).toBe(true);
    expect(await page.getByRole("button", { name: "Hide", exact: true }).isVisible()).toBe(true);
    // The way back takes the text with it.
    await page.goBack();
    await page.goBack();
    await queryHas(page, "q", "abo");
    await until("the text is back", async () => (await text.inputValue()) === "abo");
    expect(complaints).toEqual([]);
    await close();
  }, 30_000);

  test("all that match look selected; one less is what is in sight; Escape and other filters select nothing", async () => {
    const { page, complaints, close } = await enter(READINGS);
    const all = page.getByRole("button", { name: "all 3,725 matching" });
    await all.click();
    await page.getByText("3,725 readings selected").waitFor();
    expect(await ticked(page)).toBe(40);
    await boxes(page).nth(2).uncheck();
    await page.getByText("39 readings selected").waitFor();
    await page.getByText(/No longer all that match/).waitFor();
    expect(await ticked(page)).toBe(39);
    await all.click();
    await page.keyboard.press("Escape");
    await page.getByText("Nothing selected").waitFor();
    expect(await ticked(page)).toBe(0);
    await all.click();
    await page.getByText("3,725 readings selected").waitFor();
    await page.getByRole("checkbox", { name: /parse error/ }).check();
    await page.getByText("Nothing selected").waitFor();
    expect(await ticked(page)).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  }, 30_000);

  test("signing out is told only when the service has done it", async () => {
    const { page, complaints, close } = await enter("/jobs");
    await page.route("**/api/v1/auth/session", (route) => route.abort("connectionrefused"));
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("Signing out failed: you are still signed in").waitFor();
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    await page.unroute("**/api/v1/auth/session");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByLabel("User name").waitFor();
    await page.goto(`${bench().url}/console/jobs`);
    await page.getByLabel("User name").waitFor();
    expect(complaints).toEqual([]);
    await close();
  }, 30_000);

  test("the menu of a narrow window closes with Escape", async () => {
    const { page, complaints, close } = await enter("/jobs", "light", NARROW);
    const menu = page.getByRole("button", { name: "Menu" });
    await menu.click();
    await page.getByRole("link", { name: "Audit" }).focus();
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Audit" }).waitFor({ state: "hidden" });
    expect(await menu.evaluate((button) => button === button.ownerDocument.activeElement)).toBe(true);
    expect(complaints).toEqual([]);
    await close();
  });
});
