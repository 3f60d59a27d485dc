/** Filters of every list in a real browser over fixtures: what is chosen is asked for, and a link to it asks the same. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf } from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";

type Step = readonly [
  label: string | RegExp,
  kind: "choose" | "type" | "enter" | "tick",
  given: string,
  parameter: string,
  expected: string,
];
/** The browsers of the tests stand in Berlin: +01:00 in winter. */
const moment = (label: RegExp, parameter: string): Step => [
  label,
  "enter",
  "2026-11-26 10:00:05",
  parameter,
  "2026-11-26T09:00:05Z",
];

const CASES: readonly (readonly [path: string, asked: string, steps: readonly Step[]])[] = [
  [
    "/jobs",
    "/api/v1/jobs",
    [
      ["State", "choose", "failed", "status", "failed"],
      ["System", "choose", IDS.system, "system_id", IDS.system],
      moment(/^From/, "from"),
      moment(/^To/, "to"),
    ],
  ],
  [
    "/quarantine",
    "/api/v1/quarantine/incidents",
    [
      [/^rejected/, "tick", "", "status", "pending,rejected"],
      [/^parse error/, "tick", "", "reason", "parse_error"],
      ["System", "choose", IDS.system, "system_id", IDS.system],
      ["Sensor", "choose", IDS.sensor, "sensor_id", IDS.sensor],
      moment(/^Measured from/, "from"),
      moment(/^Measured to/, "to"),
    ],
  ],
  [
    "/quarantine/readings",
    "/api/v1/quarantine",
    [
      ["Text in the details", "type", "above", "q", "above"],
      [/^fixed/, "tick", "", "status", "pending,fixed"],
      [/^duplicate/, "tick", "", "reason", "duplicate"],
      ["System", "choose", IDS.system, "system_id", IDS.system],
      ["Sensor", "choose", IDS.sensor, "sensor_id", IDS.sensor],
      moment(/^Refused from/, "from"),
      moment(/^Refused to/, "to"),
    ],
  ],
  [
    "/quarantine/tasks",
    "/api/v1/quarantine/actions",
    [["State", "choose", "cancelled", "state", "cancelled"]],
  ],
  [
    "/systems",
    "/api/v1/systems",
    [
      ["Name or description", "type", "press", "text", "press"],
      ["Show", "choose", "true", "archived", "true"],
    ],
  ],
  [
    `/systems/${IDS.system}`,
    `/api/v1/systems/${IDS.system}/sensors`,
    [
      ["Name", "type", "pump", "text", "pump"],
      ["Show", "choose", "all", "archived", "all"],
    ],
  ],
  [
    `/systems/${IDS.system}/mappings`,
    `/api/v1/systems/${IDS.system}/mappings`,
    [["Name, unit or sensor", "type", "PT4", "text", "PT4"]],
  ],
  ["/alerts", "/api/v1/alerts", [["State", "choose", "resolved", "state", "resolved"]]],
  ["/keys", "/api/v1/keys", [["State", "choose", "over", "state", "over"]]],
  [
    "/audit",
    "/api/v1/audit",
    [
      ["Subject", "choose", "job", "subject_type", "job"],
      ["Subject id", "type", IDS.job, "subject_id", IDS.job],
      ["Action", "type", "job.replay", "action", "job.replay"],
      moment(/^From/, "from"),
      moment(/^To/, "to"),
    ],
  ],
];

consoleSuite("filters of the console", ({ bench, enter }) => {
  /** The next request to the path that has all of the parameters. @throws {Error} when none comes in time */
  const request = (page: Page, path: string, parameters: Readonly<Record<string, string>>) =>
    page.waitForRequest((asked) => {
      const { pathname, searchParams } = new URL(asked.url());
      if (pathname !== path) return false;
      return Object.entries(parameters).every(([name, value]) => searchParams.get(name) === value);
    });

  async function take(page: Page, [label, kind, given]: Step): Promise<void> {
    if (kind === "tick") return page.getByRole("checkbox", { name: label }).check();
    const field = page.locator("main").getByLabel(label, { exact: true });
    if (kind === "choose") await field.selectOption(given);
    else await field.fill(given);
    if (kind === "enter") await field.press("Enter");
  }

  test("each reaches the service beside the others, stays in the address, and comes with a link", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    for (const [path, asked, steps] of CASES) {
      await page.goto(`${bench().url}/console${path}`);
      const wanted: Record<string, string> = {};
      for (const step of steps) {
        const [, , , parameter, expected] = step;
        wanted[parameter] = expected;
        const comes = request(page, asked, wanted);
        await take(page, step);
        await comes;
      }
      const again = request(page, asked, wanted);
      await page.goto((await addressOf(page)).href);
      await again;
    }
    expect(complaints).toEqual([]);
    await close();
  });

  test("what is decided about everything that matches is exactly what the filters show, states by name", async () => {
    const query = "status=pending,rejected&reason=duplicate&q=above&from=2026-11-26T10:00:00Z";
    const { page, complaints, close } = await enter(`/quarantine/readings?${query}`);
    await page.getByRole("button", { name: "all 3,725 matching" }).click();
    await page.keyboard.press("r");
    await page.getByRole("button", { name: "Dry run" }).click();
    await page.getByRole("dialog").getByText("would be stored").waitFor();
    const filter = { status: ["pending", "rejected"], reason: ["duplicate"], q: "above" } as const;
    expect<unknown>(bench().actions).toEqual([
      { action: "reject", selection: { filter: { ...filter, from: "2026-11-26T10:00:00Z" } }, dry_run: true },
    ]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("completeness is that of the days that were chosen", async () => {
    const { page, complaints, close } = await enter(`/systems/${IDS.system}`);
    await page.locator("tbody svg.strip").first().waitFor();
    const strip = page.locator('svg.strip[aria-label^="Tank temperature"]');
    expect(await strip.locator(".strip-gap").count()).toBe(5);
    expect(await strip.locator(".strip-part").count()).toBeGreaterThan(0);
    const comes = page.waitForRequest((asked) => asked.url().includes("/completeness?"));
    await page.getByLabel("Completeness of").selectOption("7");
    const { searchParams } = new URL((await comes).url());
    const ends = ["from", "to"].map((name) => Date.parse(searchParams.get(name) ?? ""));
    expect(ends[1]! - ends[0]!).toBe(7 * 86_400_000);
    expect(complaints).toEqual([]);
    await close();
  });

  test("another zone of times is that of tables, of fields, and of what is typed into them; it stays", async () => {
    const { page, complaints, close } = await enter("/jobs");
    const first = page.locator("tbody time").first();
    const local = await first.textContent();
    await page.getByLabel("Zone of times").selectOption("utc");
    await page.reload();
    await first.getByText("UTC").waitFor();
    expect(await first.textContent()).not.toBe(local);
    const comes = request(page, "/api/v1/jobs", { from: "2026-11-26T10:00:05Z" });
    await page.getByLabel("From (UTC)").fill("2026-11-26T10:00:05");
    await page.keyboard.press("Enter");
    await comes;
    expect(complaints).toEqual([]);
    await close();
  });
});
