/** The console in a real browser, over an API that answers from fixtures. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { findChromium, launchChromium } from "../support/chromium.ts";
import { ConsoleBench, PASSWORD } from "../support/console-api.ts";
import {
  NARROW,
  overflow,
  seriousFaults,
  settled,
  shoot,
  signIn,
  visit,
  WIDE,
  WIDEST,
} from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";

const executable = findChromium();
if (!executable) console.warn("Skipped: no Chromium; set CHROMIUM_PATH or put chromium on the PATH.");

const MAX_FIRST_LOAD_BYTES = 200_000;
const PAGES: readonly (readonly [name: string, path: string, heading: string])[] = [
  ["overview", "", "Overview"],
  ["jobs", "/jobs", "Jobs"],
  ["job", `/jobs/${IDS.job}`, `Job …${IDS.job.slice(-8)}`],
  ["job-failed", `/jobs/${IDS.failedJob}`, `Job …${IDS.failedJob.slice(-8)}`],
  ["incidents", "/quarantine", "Quarantine"],
  ["readings", "/quarantine/readings", "Quarantine"],
  ["reading", `/quarantine/readings/${IDS.reading}?incident=i-1&of=3412`, `Reading #${IDS.reading}`],
  ["tasks", "/quarantine/tasks", "Quarantine"],
  ["task", `/quarantine/tasks/${IDS.task}`, "Task"],
  ["systems", "/systems", "Systems"],
  ["system", `/systems/${IDS.system}`, "Press 2"],
  ["sensor", `/systems/${IDS.system}/sensors/${IDS.sensor}`, "Main pump pressure"],
  ["dead-letters", "/dead-letters", "Dead letters"],
  ["dead-letter", `/dead-letters/${IDS.letter}`, `Dead letter ${IDS.letter}`],
  ["alerts", "/alerts", "Alerts"],
  ["workers", "/workers", "Workers"],
  ["users", "/users", "Users"],
  ["audit", "/audit", "Audit"],
  ["unknown", "/no-such-page", "Nothing here"],
];

describe.skipIf(!executable)("/console in a browser", () => {
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

  test("signing in leads to where the visitor wanted to go; out and expired lead back", async () => {
    const { page, complaints, close } = await visit(browser, "light");
    await page.goto(`${bench.url}/console/jobs?status=failed`);
    await page.getByLabel("User name").fill("admin");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("User name or password is wrong").waitFor();
    await page.getByText("req-42").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await shoot(page, "sign-in", "light", WIDE.width);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    expect(page.url()).toEndWith("/console/jobs?status=failed");
    await page.getByText("1 shown, no more").waitFor();
    await page.context().clearCookies();
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByLabel("User name").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test.each(["light", "dark"] as const)(
    "every page is sound in %s",
    async (theme) => {
      const wide = await visit(browser, theme);
      await signIn(wide.page, bench.url);
      for (const [name, path, heading] of PAGES) {
        await open(wide.page, path, heading);
        expect({ name, faults: await seriousFaults(wide.page) }).toEqual({ name, faults: [] });
        expect({ name, overflow: await overflow(wide.page) }).toEqual({ name, overflow: 0 });
        await shoot(wide.page, name, theme, WIDE.width);
      }
      expect(wide.complaints).toEqual([]);
      await wide.close();
    },
    180_000,
  );

  test.each([
    ["a phone in light", "light", NARROW],
    ["a phone in dark", "dark", NARROW],
    ["a wide screen", "light", WIDEST],
  ] as const)(
    "no page scrolls sideways on %s",
    async (_, theme, viewport) => {
      const { page, complaints, close } = await visit(browser, theme, viewport);
      await signIn(page, bench.url);
      for (const [name, path, heading] of PAGES) {
        await open(page, path, heading);
        expect({ name, overflow: await overflow(page) }).toEqual({ name, overflow: 0 });
        await shoot(page, name, theme, viewport.width);
      }
      if (viewport === NARROW) await page.getByRole("button", { name: "Menu" }).click();
      await page.getByRole("link", { name: "Alerts" }).click();
      await page.getByRole("heading", { level: 1, name: "Alerts" }).waitFor();
      expect(await seriousFaults(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await close();
    },
    180_000,
  );

  async function open(page: Page, path: string, heading: string): Promise<void> {
    await page.goto(`${bench.url}/console${path}`);
    await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
    await settled(page);
  }

  test("the theme is the visitor's choice and stays", async () => {
    const { page, close } = await visit(browser, "light");
    await signIn(page, bench.url, "/jobs");
    const background = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
    const light = await background();
    await page.getByLabel("Colours").selectOption("dark");
    expect(await background()).not.toBe(light);
    await page.reload();
    await settled(page);
    expect(await background()).not.toBe(light);
    await close();
  });

  test("the page is strict, its files are small and never change", async () => {
    const response = await fetch(`${bench.url}/console/jobs`);
    expect(response.headers.get("Content-Security-Policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(response.headers.get("X-Frame-Options")).toBe("DENY");
    expect(response.headers.get("Referrer-Policy")).toBe("no-referrer");
    const html = await response.text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    const files = [...html.matchAll(/"(\/console\/assets\/[^"]+)"/g)].map(([, path]) => path ?? "");
    expect(files).toHaveLength(2);
    let size = html.length;
    for (const path of files) {
      const file = await fetch(bench.url + path, {
        decompress: false,
        headers: { "Accept-Encoding": "gzip" },
      });
      expect(file.headers.get("Content-Encoding")).toBe("gzip");
      expect(file.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
      size += (await file.arrayBuffer()).byteLength;
    }
    expect(size).toBeLessThan(MAX_FIRST_LOAD_BYTES);
    expect((await fetch(`${bench.url}/console/assets/nothing.js`)).status).toBe(404);
  });
});
