/** A visitor of the console in a real browser: signs in, is watched for complaints, and is judged by axe. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { PASSWORD } from "./console-api.ts";

export type Theme = "light" | "dark";
export const WIDE = { width: 1440, height: 900 };
export const WIDEST = { width: 1920, height: 1080 };
export const NARROW = { width: 390, height: 844 };

/** A folder for pictures of every page; none are taken without it. */
const SHOTS = process.env.CONSOLE_SHOTS;
const AXE = await Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir)).text();
/** What a browser itself says about an answer that a test provokes. */
const REFUSED_LOAD = "Failed to load resource";

export interface Visit {
  readonly page: Page;
  /** Errors and violations of the content policy. */
  readonly complaints: string[];
  readonly close: () => Promise<void>;
}

export async function visit(browser: Browser, theme: Theme, viewport = WIDE): Promise<Visit> {
  const context = await browser.newContext({ colorScheme: theme, viewport, timezoneId: "Europe/Berlin" });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const expected = message.text().startsWith(REFUSED_LOAD) && /\b(401|503|504)\b/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !expected) complaints.push(message.text());
  });
  return { page, complaints, close: () => context.close() };
}

export async function signIn(page: Page, url: string, path = ""): Promise<void> {
  await page.goto(`${url}/console${path}`);
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page
    .getByRole("button", { name: "Sign out" })
    .or(page.getByRole("button", { name: "Menu" }))
    .first()
    .waitFor();
}

/** Waits until nothing loads any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator("h1").waitFor();
  await page.locator(".loading, [aria-busy=true]").first().waitFor({ state: "detached" });
}

/** What axe finds serious or critical, each as `rule: element`. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
    violations.filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ": " + html.slice(0, 160) + " " + failureSummary.slice(0, 200))))`);
}

/** How many pixels the page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");

export async function shoot(page: Page, name: string, theme: Theme, width: number): Promise<void> {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}-${theme}-${width}.png`), fullPage: width < 500 });
}
