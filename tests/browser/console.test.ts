/** The console in a real browser, over an API that answers from fixtures: every page in every state, theme and width. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { PASSWORD } from "../support/console-api.ts";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf, faultsOf, NARROW, settled } from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";
import { PAGES } from "../support/console-pages.ts";

const MAX_FIRST_LOAD_BYTES = 200_000;
const LONG_MS = 600_000;
/** These have nothing to ask for. */
const STILL = ["unknown", "account"];
/** When there is no data, these show the one thing that they are about. */
const NEVER_EMPTY = [...STILL, "job", "job-failed", "task", "dead-letter", "reading", "delivery"];

consoleSuite("/console in a browser", ({ bench, enter, visit }) => {
  const open = (page: Page, path: string) => page.goto(`${bench().url}/console${path}`);

  test("signing in leads to where the visitor wanted to go; out and expired lead back", async () => {
    const { page, complaints, close } = await visit();
    await open(page, "/jobs?status=failed");
    await page.getByLabel("User name").fill("admin");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("User name or password is wrong").waitFor();
    await page.getByText("req-42").waitFor();
    expect(await faultsOf(page, "sign-in")).toEqual([]);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    expect((await addressOf(page)).href).toEndWith("/console/jobs?status=failed");
    await page.getByText("1 shown, no more").waitFor();
    await page.context().clearCookies();
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByLabel("User name").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test(
    "every page is sound, nothing of it cut off, in both themes from 320 to 1920 px",
    async () => {
      const { page, complaints, close } = await enter();
      const faults: string[] = [];
      for (const [name, path, heading] of PAGES) {
        await open(page, path);
        await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
        await settled(page);
        faults.push(...(await faultsOf(page, name)));
      }
      expect(faults).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    },
    LONG_MS,
  );

  test.each([
    ["broken", ".problem", STILL],
    ["empty", ".empty", NEVER_EMPTY],
    ["silent", ".loading", STILL],
  ] as const)(
    "every page says when the service is %s, as sound as with data",
    async (mood, sign, exempt) => {
      const { page, complaints, close } = await enter("/no-such-page");
      bench().mood = mood;
      const faults: string[] = [];
      for (const [name, path] of PAGES) {
        if ((exempt as readonly string[]).includes(name)) continue;
        await open(page, path);
        await page.locator(sign).first().waitFor();
        if (mood !== "silent") await settled(page);
        faults.push(...(await faultsOf(page, `${name}-${mood}`)));
      }
      expect(faults).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    },
    LONG_MS,
  );

  test("what a producer sees is as sound", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    bench().role = "producer";
    const faults: string[] = [];
    for (const [name, path, heading] of [
      ["own-jobs", "", "Jobs"],
      ["own-job", `/jobs/${IDS.job}`, `Job …${IDS.job.slice(-8)}`],
      ["own-failed-job", `/jobs/${IDS.failedJob}`, `Job …${IDS.failedJob.slice(-8)}`],
      ["own-sensor", `/systems/${IDS.system}/sensors/${IDS.sensor}`, "Main pump pressure"],
      ["not-for-role", "/quarantine", "Not for your role"],
    ] as const) {
      await open(page, path);
      await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
      await settled(page);
      // An index, as in the API: nobody takes it for a count.
      if (name === "own-job") await page.getByText("readings[512]", { exact: true }).waitFor();
      faults.push(...(await faultsOf(page, name)));
    }
    expect(faults).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("a phone reaches every page by its menu, and the filters of quarantine", async () => {
    const { page, complaints, close } = await enter("/jobs", "dark", NARROW);
    for (const name of ["Alerts", "Quarantine", "Systems", "Audit"]) {
      await page.getByRole("button", { name: "Menu" }).click();
      if (name === "Alerts") expect(await faultsOf(page, "menu")).toEqual([]);
      await page.setViewportSize(NARROW);
      await page.getByRole("link", { name, exact: true }).click();
      await page.getByRole("heading", { level: 1, name }).waitFor();
      if (name !== "Quarantine") continue;
      await page.getByRole("button", { name: "Show", exact: true }).click();
      await page.getByRole("checkbox", { name: /parse error/ }).waitFor();
      expect(await faultsOf(page, "filters")).toEqual([]);
      await page.setViewportSize(NARROW);
    }
    expect(complaints).toEqual([]);
    await close();
  });

  test("the theme is the visitor's choice and stays", async () => {
    const { page, close } = await enter("/jobs");
    const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const light = await background();
    await page.getByLabel("Colours").selectOption("dark");
    expect(await background()).not.toBe(light);
    await page.reload();
    await settled(page);
    expect(await background()).not.toBe(light);
    await close();
  });

  test("a session is not over because the service does not answer", async () => {
    const { page, close } = await enter("/jobs");
    bench().broken.add("/api/v1/auth/session");
    await page.reload();
    await page.getByText("The query took too long").waitFor();
    bench().broken.clear();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    await close();
  });

  test("the page is strict, its files are small and never change", async () => {
    const { url } = bench();
    const response = await fetch(`${url}/console/jobs`);
    expect(response.headers.get("Content-Security-Policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    // What every answer of the service has beside it: tests/security/headers.test.ts.
    const html = await response.text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    const files = [...html.matchAll(/"(\/console\/assets\/[^"]+)"/g)].map(([, path]) => path ?? "");
    expect(files).toHaveLength(3);
    let size = html.length;
    for (const path of files) {
      const file = await fetch(url + path, { decompress: false, headers: { "Accept-Encoding": "gzip" } });
      expect(file.headers.get("Content-Encoding")).toBe("gzip");
      expect(file.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
      size += (await file.arrayBuffer()).byteLength;
    }
    expect(size).toBeLessThan(MAX_FIRST_LOAD_BYTES);
    expect((await fetch(`${url}/console/assets/nothing.js`)).status).toBe(404);
  });
});
