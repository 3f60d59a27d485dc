/** Work done with the console in a real browser, over an API that answers from fixtures. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { findChromium, launchChromium } from "../support/chromium.ts";
import { ConsoleBench } from "../support/console-api.ts";
import { seriousFaults, shoot, signIn, visit, WIDE } from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";

const executable = findChromium();

describe.skipIf(!executable)("work in the console", () => {
  let browser: Browser;
  let bench: ConsoleBench;
  beforeAll(async () => {
    browser = await launchChromium(executable ?? "");
    bench = ConsoleBench.start();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await bench?.stop();
  });

  test("the keyboard alone: list, selection, fix, dry run, apply, progress", async () => {
    const { page, complaints, close } = await visit(browser, "light");
    await signIn(page, bench.url, "/quarantine");
    await page.getByText("4 shown, no more").waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    for (const key of ["j", "j", "k", "x", "f"]) await page.keyboard.press(key);
    const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
    await dialog.getByText("3,412 readings of Main pump pressure, out of range").waitFor();
    expect(await dialog.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    await dialog.getByLabel("Relabel the unit as").focus();
    await page.keyboard.type("psi");
    await page.keyboard.press("Enter");
    await dialog.getByText("would be stored").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await shoot(page, "dry-run", "light", WIDE.width);
    // Another correction needs another dry run.
    await dialog.getByLabel("Note").focus();
    await page.keyboard.type("labels psi as bar");
    expect(await dialog.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    await page.keyboard.press("Enter");
    await dialog.getByText("would be stored").waitFor();
    await page.keyboard.press("Enter");
    await dialog.getByText("3,412 of 3,412").waitFor();
    const request = {
      action: "fix",
      change: { set: { unit: "psi" } },
      note: "labels psi as bar",
      selection: { incident: "i-1" },
    };
    expect(bench.actions.slice(1)).toEqual([{ ...request, dry_run: true }, request]);
    await page.keyboard.press("Escape");
    await page.getByText("3 shown, no more").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("the overview is live, says when it is not, and recovers", async () => {
    const { page, close } = await visit(browser, "light");
    await signIn(page, bench.url);
    await page.getByText("Live", { exact: true }).waitFor();
    bench.events = false;
    await page.getByText("Connection lost, reconnecting…").waitFor();
    bench.events = true;
    await page.getByText("Live", { exact: true }).waitFor();
    await close();
  }, 30_000);

  test("a fault shows the problem with its request id; nothing at all is said so", async () => {
    const { page, complaints, close } = await visit(browser, "light");
    await signIn(page, bench.url);
    bench.broken.add("/api/v1/users").add("/api/v1/audit");
    bench.emptied.add("/api/v1/alerts");
    await page.goto(`${bench.url}/console/users`);
    await page.getByText("The query took too long").waitFor();
    await page.getByText("The database was given 10 s.").waitFor();
    await page.getByText("req-42").waitFor();
    bench.broken.clear();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("rig-7-gateway").waitFor();
    await page.goto(`${bench.url}/console/alerts`);
    await page.getByText("No open alerts").waitFor();
    bench.emptied.clear();
    expect(complaints).toEqual([]);
    await close();
  });

  test("a range is set only after its preview; zooming asks the service for the new range", async () => {
    const { page, complaints, close } = await visit(browser, "light");
    await signIn(page, bench.url, `/systems/${IDS.system}/sensors/${IDS.sensor}`);
    const set = page.getByRole("button", { name: "Set the range" });
    await set.waitFor();
    expect(await set.isDisabled()).toBe(true);
    await page.getByLabel("Highest good value (bar)").fill("320,5");
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText("1,204 of 604,800 stored readings").waitFor();
    await set.click();
    await page.getByText("The new range is set.").waitFor();
    expect(bench.posts).toContain('PUT "2" {"min":0,"max":320.5}');
    const asked = page.waitForRequest((request) => request.url().includes("/series?"));
    await page.getByRole("button", { name: "Zoom in" }).click();
    expect(new URL((await asked).url()).searchParams.get("points")).toBe("800");
    expect(page.url()).toContain("from=");
    expect(complaints).toEqual([]);
    await close();
  });

  test("a failed job is replayed; an engineer may look, not act", async () => {
    const { page, complaints, close } = await visit(browser, "light");
    await signIn(page, bench.url, `/jobs/${IDS.failedJob}`);
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
    await page.getByText("The job was sent again.").waitFor();
    expect(bench.posts).toContain(`/api/v1/jobs/${IDS.failedJob}/replay`);
    bench.role = "engineer";
    await page.goto(`${bench.url}/console/quarantine`);
    await page.getByText("Your role may look, not act.").waitFor();
    expect(await page.getByRole("link", { name: "Audit" }).count()).toBe(0);
    for (const key of ["j", "x", "a"]) await page.keyboard.press(key);
    await page.getByText("1 incident selected").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
    bench.role = "admin";
    expect(complaints).toEqual([]);
    await close();
  });
});
