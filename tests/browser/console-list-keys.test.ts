/** Keys on every list of the console, in a real browser over fixtures: a row is reached, told, and opened without a mouse. */
import { expect, test } from "bun:test";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf, seriousFaults, settled } from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";
import { until } from "../support/until.ts";

/** What Enter on the second row leads to: a path, or a dialog. */
const LISTS: readonly (readonly [path: string, list: string, leads: RegExp | "dialog"])[] = [
  ["/jobs", "Jobs", /\/jobs\/[0-9a-f-]{36}$/],
  [`/jobs/${IDS.job}`, "Readings in quarantine", /\/quarantine\/readings\/\d+$/],
  ["/quarantine", "Incidents", /\/quarantine\/readings\/\d+/],
  ["/quarantine/readings", "Readings in quarantine", /\/quarantine\/readings\/\d+$/],
  ["/systems", "Systems", /\/systems\/[0-9a-f-]{36}$/],
  [`/systems/${IDS.system}`, "Sensors", /\/sensors\/[0-9a-f-]{36}$/],
  [`/systems/${IDS.system}/mappings`, "Mappings", /\/sensors\/[0-9a-f-]{36}$/],
  ["/dead-letters", "Dead letters", /\/dead-letters\/\d+\/[\d-]+$/],
  ["/alerts", "Alerts", /\/quarantine\?system_id=/],
  ["/webhooks", "Webhooks", /\/webhooks\/[0-9a-f-]{36}$/],
  [`/webhooks/${IDS.webhook}`, "Deliveries", /\/deliveries\/\d+$/],
  ["/keys", "API keys", "dialog"],
  ["/users", "Users", "dialog"],
  ["/audit", "Audit entries", /\/audit\?actor=/],
];

const LONG_MS = 600_000;

consoleSuite("keys on lists", ({ bench, enter }) => {
  test(
    "j and k walk through each list, Enter opens its row, and the way back leads to it",
    async () => {
      const { page, complaints, close } = await enter("/no-such-page");
      const faults: string[] = [];
      for (const [path, list, leads] of LISTS) {
        await page.goto(`${bench().url}/console${path}`);
        await settled(page);
        const rows = page.getByRole("region", { name: list, exact: true }).locator("tbody tr");
        await rows.nth(1).waitFor();
        for (const [key, at] of [
          ["j", 0],
          ["j", 1],
          ["k", 0],
          ["j", 1],
        ] as const) {
          await page.keyboard.press(key);
          await until(`${key} on ${path} has the focus on row ${at}`, () =>
            rows.nth(at).evaluate((row) => row === row.ownerDocument.activeElement),
          );
          expect(await rows.nth(at).getAttribute("aria-current")).toBe("true");
          expect(await page.locator("[aria-current=true]").count()).toBe(1);
        }
        faults.push(...(await seriousFaults(page)).map((fault) => `${path}: ${fault}`));
        await page.keyboard.press("Enter");
        if (leads === "dialog") {
          await page.getByRole("dialog").waitFor();
          await page.keyboard.press("Escape");
          await page.getByRole("dialog").waitFor({ state: "detached" });
          continue;
        }
        await page.waitForURL(leads);
        await page.goBack();
        await until(`the cursor of ${path} is where it was`, async () =>
          rows.nth(1).evaluate((row) => row.matches(".current")),
        );
      }
      expect(faults).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    },
    LONG_MS,
  );

  test("what is pressed right after a key that opens a dialog is meant for the dialog, not for the list behind", async () => {
    const { page, complaints, close } = await enter("/quarantine");
    await page.keyboard.press("j");
    // Faster than the next picture; the third is a real one, which also sends forms
    await page.evaluate(`(async () => {
      for (const key of ["r", "Enter"]) {
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        await Promise.resolve();
      }
    })()`);
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
    await dialog.getByText("would be stored").waitFor();
    expect(bench().actions).toMatchObject([{ action: "reject", dry_run: true }]);
    expect((await addressOf(page)).pathname).toBe("/console/quarantine");
    // A button that is disabled while it works hands the focus on to what comes next
    await dialog.getByRole("button", { name: "Dry run" }).focus();
    await page.keyboard.press("Enter");
    const apply = dialog.getByRole("button", { name: "Apply" });
    await until("it was tried again", () => apply.isEnabled());
    await page.keyboard.press("Enter");
    await dialog.getByText("3,412 of 3,412").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("keys are silent on lists when they are off, and while somebody types", async () => {
    const { page, close } = await enter("/systems");
    await page.getByLabel("Name or description").pressSequentially("jjk");
    expect(await page.locator("tr.current").count()).toBe(0);
    await page.evaluate(`localStorage.setItem("console.keys", "off")`);
    await page.reload();
    await settled(page);
    await page.keyboard.press("j");
    await page.keyboard.press("Tab");
    expect(await page.locator("tr.current").count()).toBe(0);
    await close();
  });
});
