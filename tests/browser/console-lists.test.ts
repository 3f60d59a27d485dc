/** Lists, filters and selections of the console in a real browser, over an API that answers from fixtures. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { completeness, rangeState } from "../support/console-answers.ts";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf, faultsOf, NARROW, settled } from "../support/console-browser.ts";
import { IDS, REFUSED, SENSORS, SYSTEMS } from "../support/console-fixtures.ts";
import { taskOf } from "../support/console-tasks.ts";
import { until } from "../support/until.ts";

consoleSuite("lists of the console", ({ bench, enter }) => {
  const READINGS = "/quarantine/readings";
  const queryHas = (page: Page, name: string, value: string) =>
    page.waitForURL((url) => url.searchParams.get(name) === value);
  const boxes = (page: Page) => page.getByRole("checkbox", { name: "Select" });
  const ticked = (page: Page) => page.locator("tbody input[type=checkbox]:checked").count();

  test("filtering the readings leaves focus, typing and the open filters alone", async () => {
    const { page, complaints, close } = await enter(READINGS, "light", NARROW);
    await page.getByRole("button", { name: "Show", exact: true }).click();
    const text = page.getByLabel("Text in the details");
    await text.focus();
    await page.keyboard.type("abo");
    await queryHas(page, "q", "abo");
    // At once: a pause between two keys would be a step on the way back of its own.
    await page.keyboard.insertText("ve 350 ");
    await queryHas(page, "q", "above 350");
    expect(await text.inputValue()).toBe("above 350 ");
    const reason = page.getByRole("checkbox", { name: /parse error/ });
    await reason.focus();
    await page.keyboard.press("Space");
    await queryHas(page, "reason", "parse_error");
    expect(await reason.evaluate((box) => box === box.ownerDocument.activeElement)).toBe(true);
    expect(await page.getByRole("button", { name: "Hide", exact: true }).isVisible()).toBe(true);
    // The way back takes the text with it.
    await page.goBack();
    await page.goBack();
    await queryHas(page, "q", "abo");
    await until("the text is back", async () => (await text.inputValue()) === "abo");
    expect(complaints).toEqual([]);
    await close();
  });

  test("all that match look selected; one less is what is in sight; Escape and other filters select nothing", async () => {
    const { page, complaints, close } = await enter(READINGS);
    const all = page.getByRole("button", { name: "all 3,725 matching" });
    await all.click();
    await page.getByText("3,725 readings selected").waitFor();
    expect(await ticked(page)).toBe(40);
    await boxes(page).nth(2).uncheck();
    await page.getByText("39 readings selected").waitFor();
    await page.getByText(/No longer all that match/).waitFor();
    expect(await ticked(page)).toBe(39);
    await all.click();
    await page.keyboard.press("Escape");
    await page.getByText("Nothing selected").waitFor();
    expect(await ticked(page)).toBe(0);
    await all.click();
    await page.getByText("3,725 readings selected").waitFor();
    await page.getByRole("checkbox", { name: /parse error/ }).check();
    await page.getByText("Nothing selected").waitFor();
    expect(await ticked(page)).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });

  test("signing out is told only when the service has done it", async () => {
    const { page, complaints, close } = await enter("/jobs");
    await page.route("**/api/v1/auth/session", (route) => route.abort("connectionrefused"));
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("Signing out failed: you are still signed in").waitFor();
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    await page.unroute("**/api/v1/auth/session");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByLabel("User name").waitFor();
    await page.goto(`${bench().url}/console/jobs`);
    await page.getByLabel("User name").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("a table that has no room shows its rows as cards with the same words, and is a table again when it has", async () => {
    const { page, complaints, close } = await enter("/jobs");
    const heading = page.getByRole("columnheader", { name: "Quarantined" });
    await heading.waitFor();
    for (const [width, isTable] of [
      [768, false],
      [1440, true],
      [390, false],
      [1440, true],
    ] as const) {
      await page.setViewportSize({ width, height: 900 });
      await heading.waitFor({ state: isTable ? "visible" : "hidden" });
      await page.getByText("3,412").first().waitFor();
    }
    await page.setViewportSize(NARROW);
    const cell = page.locator('td[data-label="Quarantined"]').first();
    await until("the card names its figure", () =>
      cell.evaluate((one) =>
        one.ownerDocument.defaultView?.getComputedStyle(one, "::before").content.includes("Quarantined"),
      ),
    );
    expect(complaints).toEqual([]);
    await close();
  });

  test("the menu of a narrow window closes with Escape", async () => {
    const { page, complaints, close } = await enter("/jobs", "light", NARROW);
    const menu = page.getByRole("button", { name: "Menu" });
    await menu.click();
    await page.getByRole("link", { name: "Audit" }).focus();
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Audit" }).waitFor({ state: "hidden" });
    expect(await menu.evaluate((button) => button === button.ownerDocument.activeElement)).toBe(true);
    expect(complaints).toEqual([]);
    await close();
  });

  test("the time of incidents is not that of readings: each says which, and neither is carried to the other", async () => {
    const { page, complaints, close } = await enter("/quarantine?from=2026-11-26T10:00:00Z&reason=duplicate");
    await page.getByLabel(/^Measured from/).waitFor();
    await page.getByText("The numbers are of all times.").waitFor();
    const counted = page.waitForRequest((request) => request.url().includes("/counts?"));
    const listed = page.waitForRequest((request) => request.url().includes("/incidents?"));
    await page.getByRole("button", { name: "Refresh" }).click();
    expect((await listed).url()).toContain("from=2026-11-26");
    expect((await counted).url()).not.toContain("from=");
    await page.getByRole("link", { name: "Readings", exact: true }).click();
    await page.getByLabel(/^Refused from/).waitFor();
    expect((await addressOf(page)).search).toBe("?reason=duplicate");
    expect(complaints).toEqual([]);
    await close();
  });

  test("a search that has found nothing yet goes on by itself for some pages, then asks, and says nothing else", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    const asked: (string | null)[] = [];
    await page.route("**/api/v1/quarantine?**", async (route) => {
      const url = new URL(route.request().url());
      const nth = asked.push(url.searchParams.get("after"));
      url.searchParams.set("after", `page-${nth}`);
      // The first pages are empty; from the seventh on the API answers as it does.
      if (nth < 7) await route.fulfill({ json: { items: [], next: url.pathname + url.search } });
      else await route.continue();
    });
    await page.goto(`${bench().url}/console${READINGS}?q=above`);
    await page.getByText("Nothing found so far").waitFor();
    await settled(page);
    expect(await page.getByText("No readings").count()).toBe(0);
    expect(asked).toEqual([null, "page-1", "page-2", "page-3", "page-4"]);
    await page.getByRole("button", { name: "Look further" }).click();
    await page.getByText("40 shown, no more").waitFor();
    expect(asked.slice(5)).toEqual(["page-5", "page-6"]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("a name in the record leads to everything that this person did, and back to all", async () => {
    const { page, complaints, close } = await enter("/audit");
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.locator("tbody").getByRole("link", { name: "admin", exact: true }).first().click();
    await until("the list of one person", () =>
      asked.some((url) => url.endsWith(`/api/v1/audit?actor=${IDS.admin}`)),
    );
    expect((await addressOf(page)).href).toEndWith(`/console/audit?actor=${IDS.admin}`);
    await page.getByRole("link", { name: "Clear" }).click();
    await page.waitForURL((url) => url.search === "");
    expect(complaints).toEqual([]);
    await close();
  });

  test("a list is asked for again with its counts, also when it is empty", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    bench().mood = "empty";
    await page.goto(`${bench().url}/console${READINGS}`);
    await page.getByText("No readings").waitFor();
    bench().mood = "well";
    await page.getByRole("button", { name: "Refresh" }).click();
    await page.getByText("40 shown, no more").waitFor();
    await page.getByRole("button", { name: "all 3,725 matching" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("every sensor in sight has its strip of completeness, however many there are, and is found by its name", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    const sensors = Array.from({ length: 130 }, (_, n) => ({
      ...SENSORS[0]!,
      id: SENSORS[0]!.id.replace(/....$/, String(n).padStart(4, "0")),
      name: `Sensor ${n}`,
    }));
    await page.route(`**/api/v1/systems/${IDS.system}/sensors?*`, (route) => {
      const { searchParams } = new URL(route.request().url());
      const rows = sensors.filter(({ name }) => name.includes(searchParams.get("text") ?? ""));
      const begin = Number(searchParams.get("after") ?? 0);
      const end = begin + Number(searchParams.get("limit"));
      const next = end < rows.length ? String(end) : null;
      return route.fulfill({ json: { items: rows.slice(begin, end), next } });
    });
    let asked = 0;
    await page.route("**/completeness?*", (route) => {
      const ids = new URL(route.request().url()).searchParams.get("sensors")?.split(",") ?? [];
      asked += ids.length;
      // The service takes no more at once.
      if (ids.length > 64) return route.fulfill({ status: 400, json: { title: "Too many" } });
      const [row] = completeness(0, 24 * 3_600_000, [IDS.sensor]);
      const told = ids.map((id) => ({ ...row, sensor: { ...row!.sensor, id } }));
      return route.fulfill({ json: { sensors: told, next: null } });
    });
    await page.goto(`${bench().url}/console/systems/${IDS.system}`);
    const strips = page.locator("tbody svg.strip");
    await until("the first hundred have theirs", async () => (await strips.count()) === 100);
    await page.getByRole("button", { name: "Show more" }).click();
    await until("all have theirs", async () => (await strips.count()) === 130);
    expect(asked).toBe(130);
    await page.getByLabel("Name").fill("Sensor 12");
    await page.getByText("11 shown, no more").waitFor();
    await settled(page);
    expect(await strips.count()).toBe(11);
    expect(asked).toBe(130);
    expect(complaints).toEqual([]);
    await close();
  });

  test("texts without a place to break stay within the page", async () => {
    const long = "x".repeat(300);
    const { page, complaints, close } = await enter("/no-such-page");
    await page.route(`**/api/v1/systems/${IDS.system}`, (route) =>
      route.fulfill({ json: { ...SYSTEMS[0], name: long, description: long } }),
    );
    await page.route("**/api/v1/quarantine?*", (route) =>
      route.fulfill({
        json: { items: [{ ...REFUSED[0], unit: long.slice(0, 200), reason_details: long }], next: null },
      }),
    );
    const faults: string[] = [];
    for (const path of [`/systems/${IDS.system}`, READINGS]) {
      await page.goto(`${bench().url}/console${path}`);
      await page
        .getByText(/x{200}/)
        .first()
        .waitFor();
      await settled(page);
      faults.push(...(await faultsOf(page, `long${path.replaceAll("/", "-").slice(0, 20)}`)));
    }
    expect(faults).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("a task says what others had decided, in its list too; a dry run of a part says of which", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    const task = { ...taskOf({ action: "reject" }, "completed", 2_412), not_open: 1_000 };
    await page.route("**/api/v1/quarantine/actions?*", (route) =>
      route.fulfill({ json: { items: [task], next: null } }),
    );
    await page.route(`**/api/v1/quarantine/actions/${IDS.task}`, (route) => route.fulfill({ json: task }));
    await page.goto(`${bench().url}/console/quarantine/tasks`);
    await page.getByText("1,000 decided on by others").waitFor();
    await page.getByRole("link", { name: "reject" }).click();
    await page.getByText("1,000 had been decided on by others or another task").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("who was slower with a range sees what holds now, and can set theirs", async () => {
    const { page, complaints, close } = await enter(`/systems/${IDS.system}/sensors/${IDS.sensor}`);
    const path = `**/api/v1/systems/*/sensors/${IDS.sensor}/range`;
    await page.getByLabel("Highest good value (bar)").fill("320");
    await page.getByRole("button", { name: "Preview" }).click();
    const state = { ...rangeState(), in_force: { min: 1, max: 333, source: "sensor", version: 4 } };
    await page.route(path, (route) =>
      route.request().method() === "PUT"
        ? route.fulfill({
            status: 412,
            json: { title: "Somebody else has changed it", detail: "Look again." },
          })
        : route.fulfill({ headers: { ETag: '"4"' }, json: state }),
    );
    await page.getByRole("button", { name: "Set the range" }).click();
    await page.getByText("Somebody else has changed it").waitFor();
    await page.getByText("1 to 333 bar").waitFor();
    await page.unroute(path);
    await page.getByLabel("Highest good value (bar)").fill("320");
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByRole("button", { name: "Set the range" }).click();
    await page.getByText("The new range is set.").waitFor();
    expect(bench().posts).toEqual(['PUT "4" {"min":1,"max":320}']);
    expect(complaints).toEqual([]);
    await close();
  });
});
