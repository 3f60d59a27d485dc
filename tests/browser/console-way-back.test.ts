/** Many incidents in a row: the way to the next one and back to the list, in a real browser over fixtures. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { ReviewTask } from "../../src/contract/review.ts";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf, settled } from "../support/console-browser.ts";
import { INCIDENTS, REFUSED } from "../support/console-fixtures.ts";
import { taskOf } from "../support/console-tasks.ts";
import { until } from "../support/until.ts";

const PATH = "**/api/v1/quarantine/incidents?*";
const MANY = 120;
const PAGE = 50;

consoleSuite("many incidents in the console", ({ bench, enter }) => {
  /** Incidents that can be told apart by how many readings they have, in pages. @param left out those of these keys */
  async function serveMany(page: Page, left: ReadonlySet<string> = new Set()): Promise<void> {
    const all = Array.from({ length: MANY }, (_, index) => ({
      ...INCIDENTS[0]!,
      key: `many-${index}`,
      count: 1_000 + index,
      sample: REFUSED[index % REFUSED.length]!,
    }));
    await page.route(PATH, (route) => {
      const url = new URL(route.request().url());
      const rows = all.filter(({ key }) => !left.has(key));
      const begin = Number(url.searchParams.get("after") ?? 0);
      const end = begin + Number(url.searchParams.get("limit") ?? PAGE);
      return route.fulfill({
        json: { items: rows.slice(begin, end), next: end < rows.length ? String(end) : null },
      });
    });
  }
  const rows = (page: Page) => page.locator("tbody tr");
  const current = (page: Page) => page.locator("tr.current .figures").textContent();
  const press = async (page: Page, key: string, times: number) => {
    for (let n = 0; n < times; n += 1) await page.keyboard.press(key);
  };
  const hasFocus = (page: Page, selector: string) =>
    page.evaluate<boolean>(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`);

  test("the way back leads to the rows that were loaded, the cursor, the selection and the place; j and k go on from a reading", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    const decided = new Set<string>();
    await serveMany(page, decided);
    await page.goto(`${bench().url}/console/quarantine`);
    await page.getByRole("button", { name: "Show more" }).click();
    await page.getByText("100 shown").waitFor();
    await press(page, "j", 61);
    await page.keyboard.press("x");
    expect(await current(page)).toBe("1,060");
    await until("its row has the focus", () => hasFocus(page, "tr.current"));
    // Further down than the cursor needs
    const place = await page.evaluate<number>("scrollBy(0, 300), scrollY");
    expect(place).toBeGreaterThan(500);
    await page.keyboard.press("Enter");
    await page.getByText("61 of 100").waitFor();
    await page.getByText("1,060 readings").waitFor();
    await page.keyboard.press("j");
    await page.getByText("1,061 readings").waitFor();
    await press(page, "k", 2);
    await page.getByText("1,059 readings").waitFor();

    // Meanwhile one of them is decided: the list is asked for anew, as far down as it was.
    decided.add("many-3");
    await page.goBack();
    await page.getByText("1,003", { exact: true }).waitFor({ state: "detached" });
    await until("the list is whole", async () => (await rows(page).count()) >= 100);
    await until("the place is the same", async () => {
      const now = await page.evaluate<number>("scrollY");
      // Less the row that is gone
      return Math.abs(now - place) < 150;
    });
    expect(await page.locator("tbody input:checked").count()).toBe(1);
    expect(await current(page)).toBe("1,060");
    await until("its row has the focus", () => hasFocus(page, "tr.current"));
    // Another visit of the same address begins at the top.
    await page.getByRole("link", { name: "Systems" }).click();
    await page.getByRole("link", { name: "Quarantine", exact: true }).click();
    await page.getByText("50 shown").waitFor();
    await settled(page);
    expect(await page.locator("tbody input:checked, tr.current").count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  test("after a decision the next of the list is opened with Enter; Back leads to the list", async () => {
    const { page, complaints, close } = await enter("/quarantine");
    await page.getByText("4 shown, no more").waitFor();
    await press(page, "j", 2);
    await page.keyboard.press("Enter");
    await page.getByText("2 of 4").waitFor();
    await page.getByText("214 readings").waitFor();
    await page.keyboard.press("r");
    const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
    await dialog.getByText("214 readings").waitFor();
    // What comes into a region that is there already is read out.
    expect(await dialog.locator("[aria-live=polite]").count()).toBe(1);
    await page.keyboard.press("Enter");
    await dialog.locator("[aria-live=polite]").getByText("would be stored").waitFor();
    await page.keyboard.press("Enter");
    await dialog.getByText("3,412 of 3,412").waitFor();
    await until("what comes next has the focus", () => hasFocus(page, "dialog .primary"));
    await page.keyboard.press("Enter");
    await page.getByText("3 of 4").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.getByText("96 readings, invalid unit").waitFor();
    await page.goBack();
    await page.getByText("3 shown, no more").waitFor();
    expect((await addressOf(page)).pathname).toBe("/console/quarantine");
    expect(complaints).toEqual([]);
    await close();
  });

  test("rows of other filters cannot be acted on, and a dialog is about what was chosen when it opened", async () => {
    const { page, complaints, close } = await enter("/quarantine");
    await page.getByText("4 shown, no more").waitFor();
    const held = Promise.withResolvers<void>();
    await page.route(PATH, async (route) => {
      await held.promise;
      await route.fulfill({ json: { items: INCIDENTS.slice(2), next: null } });
    });
    // The rows of before are still in sight
    await page.getByRole("checkbox", { name: /invalid unit/ }).check();
    await press(page, "j", 1);
    await page.keyboard.press("a");
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(await page.getByRole("button", { name: "Approve" }).isDisabled()).toBe(true);
    held.resolve();
    await page.getByText("2 shown, no more").waitFor();

    const again = Promise.withResolvers<void>();
    await page.unroute(PATH);
    await page.route(PATH, async (route) => {
      await again.promise;
      // What the dialog is about is decided by others meanwhile; another row has its place.
      await route.fulfill({ json: { items: [...INCIDENTS.slice(0, 2), INCIDENTS[3]], next: null } });
    });
    await page.getByRole("button", { name: "Refresh" }).click();
    await press(page, "k", 1);
    await page.keyboard.press("a");
    const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
    await dialog.getByText("96 readings of Tank temperature, invalid unit").waitFor();
    again.resolve();
    await page.getByText("3 shown, no more").waitFor();
    await dialog.getByText("96 readings of Tank temperature, invalid unit").waitFor();
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("would be stored").waitFor();
    expect(bench().actions.at(-1)?.selection).toEqual({ incident: "i-3" });
    expect(complaints).toEqual([]);
    await close();
  });

  test("ranges and all that is shown are selected at once; their tasks are told as one, with one request", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    await serveMany(page);
    const tasks: ReviewTask[] = [];
    let looksAtAll = 0;
    await page.route("**/api/v1/quarantine/actions*", async (route) => {
      const request = route.request();
      if (request.method() === "GET") {
        if (tasks.length === 6) looksAtAll += 1;
        const items = tasks.map((task) => ({ ...task, state: "completed", done: task.selected, stored: 7 }));
        return route.fulfill({ json: { items, next: null } });
      }
      const body = request.postDataJSON() as { action: ReviewTask["action"]; dry_run?: boolean };
      if (body.dry_run) return route.continue();
      const task = { ...taskOf(body, "running", 0), id: `task-${tasks.length}`, selected: 10 };
      tasks.push(task);
      return route.fulfill({ status: 202, json: task });
    });
    await page.goto(`${bench().url}/console/quarantine`);
    const boxes = page.getByRole("checkbox", { name: /^Select/ });
    await boxes.nth(5).click();
    await boxes.nth(2).click({ modifiers: ["Shift"] });
    await page.getByText("4 incidents selected").waitFor();
    await boxes.nth(3).click();
    await page.getByText("3 incidents selected").waitFor();
    await press(page, "j", 1);
    await press(page, "Shift+J", 2);
    await page.getByText("5 incidents selected").waitFor();
    await page.getByRole("button", { name: "all shown" }).click();
    await page.getByText("50 incidents selected").waitFor();
    await page.getByRole("button", { name: "none" }).click();
    await page.getByText("Nothing selected").waitFor();

    await boxes.nth(0).click();
    await boxes.nth(5).click({ modifiers: ["Shift"] });
    await page.getByRole("button", { name: "Reject" }).click();
    const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
    await dialog.getByText("6,015 readings of 6 incidents").waitFor();
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("would be stored").waitFor();
    await until("Enter applies", () => hasFocus(page, "dialog .primary"));
    await page.keyboard.press("Enter");
    await dialog.getByText("6 tasks of 6 done: 60 of 60 readings").waitFor();
    await dialog.getByText("42 stored").waitFor();
    expect(tasks).toHaveLength(6);
    // One answer tells of all; a second is asked for when it came before the page had heard of the last task
    expect(looksAtAll).toBeLessThanOrEqual(2);
    await until("Enter closes", () => hasFocus(page, "dialog [data-next]"));
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
    await close();
  });
});
