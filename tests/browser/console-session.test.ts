/** Sessions of the console in a real browser: many tabs at once, and the end of a session while somebody works. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { PASSWORD } from "../support/console-api.ts";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { faultsOf, PATIENCE_MS, settled } from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";
import { until } from "../support/until.ts";

/** A browser opens six connections to a host over HTTP/1.1. */
const TABS = 8;

consoleSuite("sessions of the console", ({ bench, enter }) => {
  async function anotherTab(page: Page, path: string): Promise<Page> {
    const tab = await page.context().newPage();
    tab.setDefaultTimeout(PATIENCE_MS);
    await tab.goto(`${bench().url}/console${path}`);
    return tab;
  }
  const overOf = (page: Page) => page.getByRole("dialog", { name: "Your session is over" });

  test("more tabs than a browser has connections are live at once, by one stream, which ends with the last", async () => {
    const { page, complaints, close } = await enter();
    const tabs = [page];
    while (tabs.length < TABS) tabs.push(await anotherTab(page, ""));
    for (const tab of tabs) await tab.getByText("Live", { exact: true }).waitFor();
    await until("the streams of before have ended", () => bench().streams.open === 1);
    bench().events = false;
    for (const tab of tabs) await tab.getByText("Connection lost, reconnecting…").waitFor();
    bench().events = true;
    for (const tab of tabs) await tab.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    for (const tab of tabs.slice(2)) await tab.close();
    await until("one stream is left", () => bench().streams.open === 1);
    await tabs[1]?.goto("about:blank");
    await until("the stream has ended", () => bench().streams.open === 0);
    expect(complaints).toEqual([]);
    await close();
  });

  test("a tab that takes nothing any more holds no stream open; it has one again when it goes on", async () => {
    const { page, complaints, close } = await enter("/jobs");
    // As a tab that has crashed, or sleeps
    await page.evaluate(`(() => {
      const worker = new SharedWorker(document.getElementById("console").dataset.worker, { name: "a crashed tab" });
      window.port = worker.port;
      port.start();
      port.postMessage({ kind: "join", path: "/api/v1/overview/events", name: "overview" });
    })()`);
    await until("it has its stream", () => bench().streams.open === 1);
    await until("its stream has ended", () => bench().streams.open === 0);
    await page.evaluate(`port.postMessage({ kind: "taken" })`);
    await until("it has a stream again", () => bench().streams.open === 1);
    expect(complaints).toEqual([]);
    await close();
  });

  test("without a shared worker a tab is live for itself", async () => {
    const { page, complaints, close } = await enter("/jobs");
    await page.addInitScript("delete globalThis.SharedWorker");
    await page.goto(`${bench().url}/console`);
    await page.getByText("Live", { exact: true }).waitFor();
    bench().events = false;
    await page.getByText("Connection lost, reconnecting…").waitFor();
    bench().events = true;
    await page.getByText("Live", { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("a session is renewed while it is in sight", async () => {
    bench().session_s = 2;
    const { page, complaints, close } = await enter();
    await page.getByText("Live", { exact: true }).waitFor();
    await until("it is renewed", () => bench().renewals > 0);
    expect(await overOf(page).count()).toBe(0);
    await page.getByText("Live", { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("a session that ends during work is begun again in place: what was typed is kept, and what was cut off is done", async () => {
    const { page, complaints, close } = await enter(`/quarantine/readings/${IDS.reading}`);
    await page.getByRole("button", { name: "Fix" }).click();
    const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
    await dialog.getByLabel("Note").fill("a long story");
    await dialog.getByLabel("Relabel the unit as").fill("psi");
    await page.context().clearCookies();
    await dialog.getByRole("button", { name: "Dry run" }).click();
    const over = overOf(page);
    await over.getByText("What you have typed is kept.").waitFor();
    expect(await over.getByLabel("User name").inputValue()).toBe("admin");
    expect(await faultsOf(page, "session-over")).toEqual([]);
    for (const _ of [1, 2, 3]) await page.keyboard.press("Escape");
    await over.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await over.getByText("User name or password is wrong").waitFor();
    await over.getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await over.waitFor({ state: "detached" });
    expect(await dialog.getByLabel("Note").inputValue()).toBe("a long story");
    await settled(page);
    expect(await dialog.locator(".problem").count()).toBe(0);
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("would be stored").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("a page that the end of a session left without its data asks again", async () => {
    const { page, complaints, close } = await enter("/jobs");
    await page.context().clearCookies();
    await page.getByRole("link", { name: "Users", exact: true }).click();
    await overOf(page).getByLabel("Password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("rig-7-gateway", { exact: true }).first().waitFor();
    await settled(page);
    expect(await page.locator(".problem").count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  test("tabs share who is signed in: out in one is out in all, and so is another visitor", async () => {
    const { page, complaints, close } = await enter("/jobs");
    const other = await anotherTab(page, "/audit");
    await other.getByRole("heading", { level: 1, name: "Audit" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await other.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    bench().role = "engineer";
    await page.getByLabel("User name").fill("engineer");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await other.getByRole("heading", { level: 1, name: "Not for your role" }).waitFor();
    // A session that is over in all of them is begun again in all by one.
    for (const tab of [page, other]) {
      await tab.goto(`${bench().url}/console/systems`);
      await settled(tab);
    }
    await page.context().clearCookies();
    for (const tab of [page, other]) {
      await tab.getByRole("link", { name: "Jobs", exact: true }).click();
      await overOf(tab).waitFor();
    }
    await overOf(other).getByLabel("Password").fill(PASSWORD);
    await other.keyboard.press("Enter");
    await overOf(page).waitFor({ state: "detached" });
    await page.getByText("no more").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });
});
