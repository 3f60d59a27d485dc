/** A visitor of the console in a real browser: signs in, is watched for complaints, and is judged by axe. */
import { afterAll, beforeAll } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { chromiumTool, launchChromium } from "./tools/chromium.ts";
import { describeWith } from "./tools/describe-with.ts";
import { until } from "./until.ts";

export type Theme = "light" | "dark";
const THEMES: readonly Theme[] = ["light", "dark"];
export const WIDE = { width: 1440, height: 900 };
const WIDEST = { width: 1920, height: 1080 };
export const NARROW = { width: 390, height: 844 };
const MIDDLE = { width: 768, height: 1024 };
const SIZES = [NARROW, MIDDLE, WIDE, WIDEST];
/** For whatever a page is to show: a busy machine takes its time. */
export const PATIENCE_MS = 45_000;
/** The narrowest phones, the least width with the menu beside the page, and small screens of desks. */
const BETWEEN = [
  { width: 320, height: 640 },
  { width: 1024, height: 768 },
  { width: 1201, height: 800 },
  { width: 1280, height: 800 },
  { width: 1366, height: 768 },
];

/** A folder for pictures of every page; none are taken without it. */
const SHOTS = process.env.CONSOLE_SHOTS;
const AXE = await Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir)).text();
/** What a browser itself says about an answer that a test provokes. */
const REFUSED_LOAD = "Failed to load resource";
const ENDED =
  "CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED|INCOMPLETE_CHUNKED_ENCODING";
const EXPECTED = new RegExp(`\\b(400|401|403|404|409|412|503|504)\\b|net::ERR_(${ENDED})`);

const CHROMIUM = await chromiumTool();

/** A suite in a Chromium of its own; where none can be had it is skipped, and says why. */
export function inChromium(name: string, tests: (browser: () => Browser) => void): void {
  describeWith(name, CHROMIUM, (executable) => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium(executable);
    });
    afterAll(() => browser?.close());
    tests(() => browser);
  });
}

/** Counts in a page what it has asked the service for and not yet taken. */
const COUNT_OPEN = `window.openRequests = 0;
  for (const [owner, names] of [[window, ["fetch"]], [Response.prototype, ["json", "text", "blob", "arrayBuffer"]]])
    for (const name of names) {
      const original = owner[name];
      owner[name] = async function (...rest) {
        window.openRequests += 1;
        try {
          return await original.apply(this, rest);
        } finally {
          window.openRequests -= 1;
        }
      };
    }`;

export interface Visit {
  readonly page: Page;
  /** Errors, violations of the content policy, and requests to other hosts. */
  readonly complaints: string[];
  readonly close: () => Promise<void>;
}

export async function visit(browser: Browser, theme: Theme, viewport = WIDE): Promise<Visit> {
  const context = await browser.newContext({ colorScheme: theme, viewport, timezoneId: "Europe/Berlin" });
  // Also in tabs that a test opens itself
  await context.addInitScript(COUNT_OPEN);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const expected = message.text().startsWith(REFUSED_LOAD) && EXPECTED.test(message.text());
    if (["error", "warning"].includes(message.type()) && !expected) complaints.push(message.text());
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "127.0.0.1") complaints.push(`asked ${request.url()}`);
  });
  return { page, complaints, close: () => context.close() };
}

/** Returns once the page behind it has what it asked for: where the service keeps silent, go there afterwards. */
export async function signIn(
  page: Page,
  url: string,
  { path = "", username = "admin", password = "password" } = {},
): Promise<void> {
  await page.goto(`${url}/console${path}`);
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("header.top").waitFor();
  await settled(page);
}

/** Loads the page anew. @returns whether it then asks to sign in, once it knows */
export async function asksToSignIn(page: Page): Promise<boolean> {
  await page.reload();
  const name = page.getByLabel("User name");
  await page.locator("header.top").or(name).first().waitFor();
  return (await name.count()) > 0;
}

/** What is asked next, by what an answer has drawn, is asked within two pictures and what follows them. */
const IS_QUIET = `(async () => {
  const isQuiet = () => window.openRequests === 0 && document.querySelector("h1") !== null
    && document.querySelector(".loading, [aria-busy=true]") === null;
  const picture = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  if (!isQuiet()) return false;
  await picture();
  await picture();
  return isQuiet();
})()`;

/** Waits until the page has its heading and nothing loads any more: what it shows stands, and keys act on it. */
export const settled = (page: Page): Promise<true> =>
  until("the page has what it asked for", () => page.evaluate<boolean>(IS_QUIET), PATIENCE_MS);

/** Its address now. What Playwright knows of it comes later than the end of the key or click that has changed it. */
export const addressOf = async (page: Page): Promise<URL> =>
  new URL(await page.evaluate<string>("location.href"));

/** Presses Tab until the element has the focus, as people without a mouse do. @throws {Error} when it never has */
export async function tabTo(page: Page, target: Locator, most = 80): Promise<void> {
  for (let presses = 0; presses <= most; presses += 1) {
    if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${most} presses of Tab do not reach ${target}`);
}

/** Rules of axe that look at colours. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** What axe finds serious or critical, each as `rule: element`. @param rules only these; without it all */
export async function seriousFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(AXE);
  const options = { resultTypes: ["violations"], ...(rules ? { runOnly: rules } : {}) };
  return page.evaluate(`axe.run(document, ${JSON.stringify(options)}).then(({ violations }) =>
    violations.filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ": " + html.slice(0, 160) + " " + failureSummary.slice(0, 200))))`);
}

/**
 * What is wider than its place at a size: the page itself, panels, and tables whose last columns are out of sight; and
 * times in tables that are broken into lines.
 */
const cutOff = async (page: Page, size: { width: number; height: number }): Promise<string[]> => {
  await page.setViewportSize(size);
  await until("it has its width", () => page.evaluate<boolean>(`innerWidth === ${size.width}`));
  // Tables see their new width with the next picture.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  return page.evaluate(`[
    ...[document.documentElement, ...document.querySelectorAll(".table-scroll, dialog, .panel")]
      .filter((element) => element.scrollWidth > element.clientWidth + 1)
      .map((element) => (element.getAttribute("aria-label") ?? element.tagName) + ": " + element.scrollWidth + " px in " + element.clientWidth),
    ...[...document.querySelectorAll("td time")]
      .filter((time) => new Set([...time.getClientRects()].map(({ top }) => Math.round(top))).size > 1)
      .map((time) => "a time in two lines: " + time.textContent),
  ]`);
};

/**
 * What is wrong with the page as it stands: serious faults of axe in both themes at every width, and what is cut off,
 * also at widths between them. Leaves the page in the last theme and width.
 */
export async function faultsOf(page: Page, name: string): Promise<string[]> {
  const faults: string[] = [];
  for (const size of BETWEEN) {
    faults.push(...(await cutOff(page, size)).map((fault) => `${name} ${size.width}: ${fault}`));
  }
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme });
    for (const size of SIZES) {
      const cut = await cutOff(page, size);
      // What the first theme has shown is not asked again of the second.
      const found = [...(await seriousFaults(page, theme === "dark" ? OF_COLOURS : undefined)), ...cut];
      faults.push(...found.map((fault) => `${name} ${theme} ${size.width}: ${fault}`));
      await shoot(page, name, theme, size.width);
    }
  }
  return faults;
}

async function shoot(page: Page, name: string, theme: Theme, width: number): Promise<void> {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  const dialog = await page.locator("dialog[open]").count();
  const path = join(SHOTS, `${name}-${theme}-${width}.png`);
  await page.screenshot({ path, fullPage: width < 500 && dialog === 0 });
}
