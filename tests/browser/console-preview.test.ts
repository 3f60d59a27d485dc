/** The preview of a range over a long stretch in a real browser: asked for two pieces at a time, told as one. */
import { expect, test } from "bun:test";
import type { Page, Route } from "playwright-core";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { IDS } from "../support/console-fixtures.ts";
import { until } from "../support/until.ts";

const PIECES = 12;
const PREVIEW = "**/range/preview?*";

consoleSuite("the preview of a year", ({ bench, enter }) => {
  /** A visitor before the preview of a year of readings, whose pieces wait until they are answered. */
  const beforeYear = async () => {
    const visitor = await enter("/no-such-page");
    const { page } = visitor;
    await page.route(`**/api/v1/systems/*/sensors/${IDS.sensor}`, async (route) => {
      const sent = { first_reading_at: "2025-01-01T00:00:00Z", last_reading_at: "2026-07-10T10:00:00Z" };
      await route.fulfill({ json: { ...(await (await route.fetch()).json()), ...sent } });
    });
    const asked: Route[] = [];
    await page.route(PREVIEW, (route) => void asked.push(route));
    await page.goto(`${bench().url}/console/systems/${IDS.system}/sensors/${IDS.sensor}`);
    await page.getByLabel("Preview over").selectOption("365");
    return { ...visitor, asked };
  };
  const look = (page: Page) => page.getByRole("button", { name: "Preview", exact: true }).click();
  const pieceOf = (route: Route) => new URL(route.request().url()).searchParams;

  test("asks for two pieces at a time, whichever is answered first, and adds up all of them", async () => {
    const { page, asked, complaints, close } = await beforeYear();
    await look(page);
    // Each time the one that was asked last is answered, so the first of all comes last
    for (let answered = 0; answered < PIECES - 1; answered += 1) {
      await until(`two wait after ${answered}`, () => asked.length === answered + 2);
      await page.getByText(`part ${answered + 1} of ${PIECES}`).waitFor();
      await asked[answered + 1]?.continue();
    }
    await page.getByText(`part ${PIECES} of ${PIECES}`).waitFor();
    await asked[0]?.continue();
    await page.getByText("14,448 of 7,257,600 stored readings").waitFor();
    const stretches = asked.map((route) => [pieceOf(route).get("from"), pieceOf(route).get("to")] as const);
    // The newest first, each up to where the one before begins: nothing is counted twice, nothing left out
    for (const [at, [from]] of stretches.slice(0, -1).entries()) expect(stretches[at + 1]?.[1]).toBe(from);
    expect(stretches.at(-1)?.[0]).toBe("2025-07-10T10:00:01.000Z");
    await page.getByText("2025-07-10 12:00:01").waitFor();
    await page.getByText("2026-07-10 12:00:01").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("ends both questions when it is stopped, and when one is refused, which is told", async () => {
    const { page, asked, complaints, close } = await beforeYear();
    const ended: string[] = [];
    page.on("requestfailed", (request) => {
      if (request.url().includes("/range/preview?")) ended.push(request.url());
    });
    await look(page);
    await until("two wait", () => asked.length === 2);
    await page.getByRole("button", { name: "Stop" }).click();
    await until("both ended", () => ended.length === 2);
    await look(page);
    await until("two wait again", () => asked.length === 4);
    bench().broken.add(new URL(asked[2]?.request().url() ?? "").pathname);
    await asked[2]?.continue();
    await page.getByText("The database was given 10 s.").waitFor();
    await until("the other ended too", () => ended.length === 3);
    expect(await page.getByRole("progressbar", { name: "Progress of the preview" }).count()).toBe(0);
    expect(asked).toHaveLength(4);
    expect(complaints).toEqual([]);
    await close();
  });
});
