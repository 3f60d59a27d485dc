/** Decisions on a slow connection: what is applied is what the dialog shows, and closing it takes nothing back. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { NewReview } from "../../src/contract/review.ts";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { decisionOf } from "../support/console-service.ts";
import { taskOf } from "../support/console-tasks.ts";
import { until } from "../support/until.ts";

const PATH = "**/api/v1/quarantine/actions";

consoleSuite("decisions on a slow connection", ({ bench, enter }) => {
  /** Holds what is sent back until it is released. @param isHeld which requests */
  async function hold(page: Page, isHeld: (body: NewReview) => boolean) {
    const asked = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    await page.route(PATH, async (route) => {
      if (route.request().method() === "POST" && isHeld(route.request().postDataJSON() as NewReview)) {
        asked.resolve();
        await released.promise;
      }
      await route.continue();
    });
    return { asked: asked.promise, release: released.resolve };
  }
  const opened = async (key: string) => {
    const visitor = await enter("/quarantine");
    await visitor.page.getByText("4 shown, no more").waitFor();
    await visitor.page.keyboard.press("j");
    await visitor.page.keyboard.press(key);
    const dialog = decisionOf(visitor.page);
    await dialog.waitFor();
    return { ...visitor, dialog };
  };

  test("what is typed while a dry run is under way has not been tried, and cannot be applied", async () => {
    const { page, dialog, complaints, close } = await opened("f");
    const held = await hold(page, ({ change }) => change?.set?.unit === "psi");
    const dryRun = dialog.getByRole("button", { name: "Dry run" });
    await dialog.getByLabel("Relabel the unit as").fill("psi");
    await dryRun.click();
    await held.asked;
    await dialog.getByLabel("Relabel the unit as").fill("kPa");
    held.release();
    await until("the dry run is over", () => dryRun.isEnabled());
    expect(await dialog.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    expect(await dialog.getByText("would be stored").count()).toBe(0);

    await dryRun.click();
    await dialog.getByText("would be stored").waitFor();
    await dialog.getByRole("button", { name: "Apply" }).click();
    await dialog.getByText("3,412 of 3,412").waitFor();
    expect(bench().actions.at(-1)).toMatchObject({ change: { set: { unit: "kPa" } } });
    expect(complaints).toEqual([]);
    await close();
  });

  test("a dialog that is closed while its decision is applied says so, and the list shows what came of it", async () => {
    const { page, dialog, complaints, close } = await opened("r");
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("would be stored").waitFor();
    const held = await hold(page, ({ dry_run }) => !dry_run);
    await dialog.getByRole("button", { name: "Apply" }).click();
    await held.asked;
    expect(await dialog.getByRole("button", { name: "Cancel" }).count()).toBe(0);
    await dialog.getByRole("button", { name: "Close" }).last().click();
    await dialog.waitFor({ state: "detached" });
    const listed = page.waitForRequest("**/api/v1/quarantine/incidents?*");
    held.release();
    await page.getByText("Applied all the same").waitFor();
    await listed;
    expect(complaints).toEqual([]);
    await close();
  });

  test("of several decisions that were sent in part it is told how many, and the others can be sent", async () => {
    const { page, complaints, close } = await enter("/quarantine");
    await page.getByText("4 shown, no more").waitFor();
    await page.getByRole("button", { name: "all shown" }).click();
    await page.keyboard.press("r");
    const dialog = decisionOf(page);
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("would be stored").waitFor();
    let sent = 0;
    await page.route(PATH, (route) => {
      if (route.request().method() === "POST") sent += 1;
      return sent === 3 || sent === 4 ? route.abort() : route.continue();
    });
    await dialog.getByRole("button", { name: "Apply" }).click();
    await dialog.getByText("Only 2 of 4 decisions are known to be sent").waitFor();
    // The second time, too, nothing arrives
    await dialog.getByRole("button", { name: "Send the other 2" }).click();
    await until("it was sent again", () => sent === 4);
    await dialog.getByRole("button", { name: "Send the other 2" }).click();
    await dialog.getByText("of 4 done").waitFor();
    await dialog.getByText("Only 2 of 4").waitFor({ state: "detached" });
    const decided = bench().actions.filter(({ dry_run }) => !dry_run);
    expect(new Set(decided.map(({ selection }) => JSON.stringify(selection))).size).toBe(4);
    expect(decided.length).toBe(4);
    expect(complaints.filter((text) => !text.includes("net::ERR_FAILED"))).toEqual([]);
    await close();
  });

  test("a task that others left nothing to says that nothing was changed", async () => {
    const { page, dialog, complaints, close } = await opened("r");
    await page.route(PATH, (route) => {
      const body = route.request().postDataJSON() as NewReview;
      if (body.dry_run) return route.continue();
      return route.fulfill({
        status: 202,
        json: { ...taskOf(body, "completed", 0), selected: 0, identical: 0, failing: {} },
      });
    });
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("would be stored").waitFor();
    await dialog.getByRole("button", { name: "Apply" }).click();
    await dialog.getByText("There was nothing left to decide").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
