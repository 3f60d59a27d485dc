/** Where the focus is after something was done with the mouse, in a real browser over fixtures: never lost to the page. */
import { expect, test } from "bun:test";
import type { Locator, Page, Route } from "playwright-core";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { settled } from "../support/console-browser.ts";
import { INCIDENTS } from "../support/console-fixtures.ts";
import { decisionOf } from "../support/console-service.ts";
import { until } from "../support/until.ts";

/** Waits until it has the focus. */
const hasFocus = (what: string, target: Locator) =>
  until(what, () => target.evaluate((element) => element === element.ownerDocument.activeElement));
const isOnPage = (page: Page) => page.evaluate<boolean>("document.activeElement === document.body");

/** Selects a row and rejects it, with the mouse alone, up to the end of its task. */
async function reject(page: Page, row: Locator): Promise<void> {
  await row.getByRole("checkbox").click();
  await page.getByRole("button", { name: /^Reject/ }).click();
  const dialog = decisionOf(page);
  await dialog.getByRole("button", { name: "Dry run" }).click();
  await dialog.getByRole("button", { name: "Apply" }).click();
  await dialog.getByText("completed").waitFor();
}
const closeDialog = (page: Page) =>
  decisionOf(page)
    .getByRole("contentinfo")
    .or(decisionOf(page).locator("footer"))
    .getByRole("button", { name: "Close" })
    .click();

consoleSuite("the focus after the mouse", ({ bench, enter }) => {
  test("a decision leads to the row that took the place of what was decided; to the list when nothing is left", async () => {
    const { page, complaints, close } = await enter("/quarantine");
    const list = page.getByRole("region", { name: "Incidents", exact: true });
    const row = list.locator("tbody tr").first();
    await row.getByText("Main pump pressure").waitFor();
    await reject(page, row);
    await closeDialog(page);
    await list.getByText("Main pump pressure").waitFor({ state: "detached" });
    await hasFocus("the next row has the focus", row);
    expect(await row.getAttribute("aria-current")).toBe("true");
    await page.route("**/api/v1/quarantine/incidents?*", (route) =>
      route.fulfill({ json: { items: [], next: null } }),
    );
    await reject(page, row);
    await closeDialog(page);
    await page.getByText("No incidents").waitFor();
    await until("the list has the focus", () =>
      page.evaluate<boolean>(`document.activeElement.closest("section[aria-label=Incidents]") !== null`),
    );
    expect(bench().actions.map((one) => one.selection)).toEqual(
      [0, 0, 1, 1].map((at) => ({ incident: INCIDENTS[at]?.key })) as never,
    );
    expect(complaints).toEqual([]);
    await close();
  });

  test("a decision that is not made leads back to what was pressed", async () => {
    const { page, complaints, close } = await enter("/quarantine/readings");
    await page
      .getByRole("checkbox", { name: /^Select reading/ })
      .nth(2)
      .click();
    const button = page.getByRole("button", { name: /^Reject/ });
    await button.click();
    await decisionOf(page).getByRole("button", { name: "Cancel" }).click();
    await decisionOf(page).waitFor({ state: "detached" });
    await hasFocus("the button has the focus", button);
    expect(complaints).toEqual([]);
    await close();
  });

  test("what disappears when it is pressed leaves the focus in its place", async () => {
    const { page, complaints, close } = await enter("/quarantine/readings?reason=duplicate");
    const inside = (selector: string) => () =>
      page.evaluate<boolean>(`document.activeElement.closest(${JSON.stringify(selector)}) !== null`);
    await settled(page);
    const clear = page.getByRole("link", { name: "Clear", exact: true });
    await clear.click();
    await clear.waitFor({ state: "detached" });
    await until("the filters have the focus", inside("search"));
    await page.getByRole("button", { name: "all shown" }).click();
    const none = page.getByRole("button", { name: "none", exact: true });
    await none.click();
    await none.waitFor({ state: "detached" });
    await until("the bar of the selection has the focus", inside(".action-bar"));
    expect(complaints).toEqual([]);
    await close();
  });

  test("a button that cannot be pressed for a while has the focus again afterwards", async () => {
    const { page, complaints, close } = await enter("/jobs");
    await settled(page);
    const held: Route[] = [];
    await page.route("**/api/v1/jobs?*", (route) => void held.push(route));
    const refresh = page.getByRole("button", { name: "Refresh" });
    await refresh.click();
    await until("the list is asked for", () => held.length === 1);
    await until("nothing has the focus", () => isOnPage(page));
    await held[0]?.continue();
    await hasFocus("the button has the focus again", refresh);
    // Who lets go of it keeps nothing
    await page.evaluate("document.activeElement.blur()");
    await page.evaluate("document.body.append(document.createElement('i'))");
    expect(await isOnPage(page)).toBe(true);
    expect(complaints).toEqual([]);
    await close();
  });

  test("the row after a removed one has the focus, the last when there is none after it", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    const left = { names: ["first", "second", "third"] };
    await page.route("**/api/v1/keys?*", async (route) => {
      const [one] = ((await (await route.fetch()).json()) as { items: object[] }).items;
      const items = left.names.map((name) => ({
        ...one,
        id: name,
        name,
        revoked_at: null,
        expires_at: null,
      }));
      await route.fulfill({ json: { items, next: null } });
    });
    await page.route("**/api/v1/keys/*", (route) => route.fulfill({ status: 204 }));
    await page.goto(`${bench().url}/console/keys`);
    const row = (name: string) => page.getByRole("row").filter({ hasText: name });
    for (const [name, next] of [
      ["second", "third"],
      ["third", "first"],
    ] as const) {
      await page.getByRole("button", { name: `Revoke ${name}` }).click();
      const dialog = page.getByRole("dialog");
      left.names = left.names.filter((one) => one !== name);
      await dialog.getByRole("button", { name: "Revoke" }).click();
      await row(name).waitFor({ state: "detached" });
      await hasFocus(`${next} has the focus`, row(next));
    }
    expect(complaints).toEqual([]);
    await close();
  });
});
