/**
 * The whole way in a real browser against the real service: faults arrive live, an incident is opened, a fix is tried,
 * applied, stored and on record. With nothing but the keyboard, wide and on a phone's width, and with a finger.
 */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { NARROW, tabTo, WIDE } from "../support/console-browser.ts";
import { pixelsOf } from "../support/console-canvas.ts";
import { decisionOf, PASSWORD, SYSTEM, sensorId, serviceSuite, waiting } from "../support/console-service.ts";
import { until } from "../support/until.ts";

const READINGS = 20;
/** Much less than a line over the width of a chart has, and much more than dots of it. */
const LINE_PX = 150;

serviceSuite("the console of a running service", ({ service, visit }) => {
  /** A link of the main navigation, which a narrow window keeps in a menu. */
  async function walkTo(page: Page, name: string): Promise<void> {
    const menu = page.getByRole("button", { name: "Menu" });
    if (await menu.isVisible()) {
      await tabTo(page, menu);
      await page.keyboard.press("Enter");
    }
    await tabTo(page, page.getByRole("link", { name, exact: true }));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name }).waitFor();
  }

  /** What must hold after the fix, asked of the API. */
  async function expectFixed(sensor_id: string, faults: number): Promise<void> {
    const path = `/api/v1/systems/${SYSTEM}/sensors/${sensor_id}/readings`;
    const { items } = await service().api<{ items: { value: number }[] }>(path);
    expect(items.map(({ value }) => Math.round(value))).toEqual(Array(READINGS).fill(125));
    const refused = await service().refused(sensor_id);
    expect(refused.map(({ review_status }) => review_status)).toEqual(Array(faults).fill("fixed"));
  }

  test.each([
    ["1440 px", "light", WIDE, 1, 4],
    ["390 px", "dark", NARROW, 2, 3],
  ] as const)(
    "with the keyboard alone at %s: log in, incident, dry run, psi that says bar fixed, curve complete, audit entry",
    async (_, theme, viewport, n, faults) => {
      const sensor_id = sensorId(n);
      const { page, complaints, close } = await visit(theme, viewport);
      await page.goto(`${service().url}/console`);
      await tabTo(page, page.getByLabel("User name"));
      await page.keyboard.type("admin");
      await page.keyboard.press("Tab");
      await page.keyboard.type(PASSWORD);
      await page.keyboard.press("Enter");

      await page.getByText("Live", { exact: true }).waitFor();
      const before = await service().pending();
      await waiting(page, before);
      await service().send(sensor_id, READINGS, faults);
      await waiting(page, before + faults);

      await walkTo(page, "Quarantine");
      await page.getByText("above 700 bar").first().waitFor();
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      const chart = page.locator(".chart");
      await chart.waitFor();
      expect(await chart.getAttribute("aria-label")).toContain(`${faults} refused, this one 1,813\u00a0bar`);

      await page.keyboard.press("f");
      const dialog = decisionOf(page);
      await tabTo(page, dialog.getByLabel("Relabel the unit as"));
      await page.keyboard.type("psi");
      await page.keyboard.press("Enter");
      await dialog.getByText(`${faults} would be stored`).waitFor();
      expect(await service().pending(sensor_id)).toBe(faults);
      await page.keyboard.press("Enter");
      await dialog.getByText(`${faults} of ${faults}`).waitFor();
      await dialog.getByText("completed").waitFor();
      await page.keyboard.press("Escape");
      await page.locator(".page-head").getByText("fixed").waitFor();
      const history = page.locator(".history li").first();
      await history.getByText("pending → fixed").waitFor();
      await history.getByText(/1,813\sbar → 125(\.\d+)?\sbar/).waitFor();
      expect(await history.textContent()).not.toContain("null");
      await expectFixed(sensor_id, faults);

      await tabTo(page, page.locator(`.facts a[href$="/sensors/${sensor_id}"]`));
      await page.keyboard.press("Enter");
      await page.locator(`.chart[aria-label$="${READINGS} points"]`).waitFor();
      await until("the curve is drawn", async () => (await pixelsOf(page, "accent")) > LINE_PX);

      await walkTo(page, "Audit");
      const [reading] = await service().refused(sensor_id);
      const entry = page.locator("tbody tr", {
        has: page.locator(`a[href$="/quarantine/readings/${reading?.id}"]`),
      });
      await entry.getByText("fix", { exact: true }).waitFor();
      await entry.getByText("admin").waitFor();
      await entry.getByText("pending → fixed").waitFor();
      expect(complaints).toEqual([]);
      await close();
    },
  );

  test("with a finger at 390 px: select, fix, apply", async () => {
    const sensor_id = sensorId(3);
    await service().send(sensor_id, READINGS, 2);
    const { page, complaints, close } = await visit("light", NARROW);
    await page.goto(`${service().url}/console/quarantine?sensor_id=${sensor_id}`);
    await page.getByLabel("User name").fill("admin");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("checkbox", { name: "Select" }).check();
    await page.getByRole("button", { name: "Fix" }).click();
    const dialog = decisionOf(page);
    await dialog.getByLabel("Relabel the unit as").fill("psi");
    await dialog.getByRole("button", { name: "Dry run" }).click();
    const result = dialog.getByText("2 would be stored");
    await result.waitFor();
    await until("the result is in sight", async () => {
      const box = await result.boundingBox();
      return box !== null && box.y + box.height < NARROW.height;
    });
    await dialog.getByRole("button", { name: "Apply" }).click();
    await dialog.getByText("completed").waitFor();
    await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
    await page.getByText("No incidents").waitFor();
    await expectFixed(sensor_id, 2);
    expect(complaints).toEqual([]);
    await close();
  });
});
