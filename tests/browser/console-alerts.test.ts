/** Alerts in the console, in a real browser over an API that answers from fixtures: their limits, and who sees to one. */
import { expect, test } from "bun:test";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { faultsOf, settled } from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";

consoleSuite("alerts in the console", ({ bench, enter }) => {
  test("a system gets limits of its own, as people type them; what is left empty is the service's", async () => {
    const { page, complaints, close } = await enter(`/systems/${IDS.system}`);
    await page.getByText("above 20.0 % (its own)").waitFor();
    await page.getByText("1,000 readings", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Change the limits" }).click();
    const dialog = page.getByRole("dialog", { name: "Limits of the system's alerts" });
    expect(await dialog.getByLabel("Quarantined readings (%)").inputValue()).toBe("20");
    expect(await dialog.getByLabel("Window (minutes)").inputValue()).toBe("15");
    expect(await faultsOf(page, "dialog-alert-limits")).toEqual([]);
    await dialog.getByLabel("Quarantined readings (%)").fill("much");
    await page.keyboard.press("Enter");
    await dialog.getByText("The share must be a number from 0 to 100, or empty for the service's.").waitFor();
    await dialog.getByLabel("Quarantined readings (%)").fill("0,7");
    // The service would say it in seconds
    await dialog.getByLabel("Window (minutes)").fill("0.3");
    await page.keyboard.press("Enter");
    await dialog
      .getByText("The window must be a number from 1 to 1440, or empty for the service's.")
      .waitFor();
    await dialog.getByLabel("Window (minutes)").fill("");
    // As the page itself writes a thousand
    await dialog.getByLabel("Fewest readings").fill("1,000");
    await page.keyboard.press("Enter");
    await dialog.getByText("1,000 may be 1000 or 1.000").waitFor();
    await dialog.getByLabel("Fewest readings").fill("50");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    const [put = ""] = bench().posts;
    expect(JSON.parse(put.replace('PUT "7" ', ""))).toEqual({
      share: 0.007,
      window_s: null,
      min_readings: 50,
    });
    expect(complaints).toEqual([]);
    await close();
  });

  test("limits that another has changed meanwhile are shown, and what was typed goes over these only when it is sent again", async () => {
    bench().conflict = true;
    const { page, complaints, close } = await enter(`/systems/${IDS.system}`);
    await page.getByRole("button", { name: "Change the limits" }).click();
    const dialog = page.getByRole("dialog", { name: "Limits of the system's alerts" });
    await dialog.getByLabel("Quarantined readings (%)").fill("5");
    await page.keyboard.press("Enter");
    await dialog.getByText("Somebody else has changed it").waitFor();
    await dialog.getByText("above 35.0 % (its own)").waitFor();
    await dialog.getByText("k.okafor").waitFor();
    expect(await faultsOf(page, "dialog-alert-limits-raced")).toEqual([]);
    expect(await dialog.getByLabel("Quarantined readings (%)").inputValue()).toBe("5");
    await dialog.getByLabel("Quarantined readings (%)").focus();
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    expect(bench().posts.map((put) => put.slice(0, 7))).toEqual(['PUT "7"', 'PUT "8"']);
    expect(complaints).toEqual([]);
    await close();
  });

  test("who looks into an alert says so, on its page and in the overview", async () => {
    const { page, complaints, close } = await enter("");
    await page.getByText("m.lindqvist looks into it").waitFor();
    await page.getByRole("link", { name: "All alerts" }).click();
    await page.getByText("The gateway sends psi as bar since its update").waitFor();
    await page.getByRole("button", { name: "Change the note: Press 2" }).click();
    const dialog = page.getByRole("dialog", { name: "Alert of Press 2" });
    await dialog.waitFor();
    expect(await faultsOf(page, "dialog-acknowledge")).toEqual([]);
    await dialog.getByLabel("Note").fill("found it");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    expect(bench().posts).toEqual(['/api/v1/alerts/70/acknowledge {"note":"found it"}']);
    await settled(page);
    expect(complaints).toEqual([]);
    await close();
  });

  test("a reviewer sees the limits and changes none", async () => {
    bench().role = "reviewer";
    const { page, close } = await enter(`/systems/${IDS.system}`);
    await page.getByText("above 20.0 % (its own)").waitFor();
    expect(await page.getByRole("button", { name: "Change the limits" }).count()).toBe(0);
    await close();
  });
});
