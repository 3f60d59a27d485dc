/** Ways between the pages of the console, and what happens while nobody looks, in a real browser over fixtures. */
import { expect, test } from "bun:test";
import { WORKERS } from "../support/console-answers.ts";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf, settled, tabTo } from "../support/console-browser.ts";
import { IDS, JOBS } from "../support/console-fixtures.ts";
import { until } from "../support/until.ts";

consoleSuite("ways between the pages of the console", ({ bench, enter }) => {
  test("ways between pages: a job by its id, the chart of a reading, what was refused in the stretch of a chart, one person's record", async () => {
    const { page, complaints, close } = await enter("/jobs");
    await page.getByLabel("Job id").fill(IDS.job.slice(0, 12));
    await page.keyboard.press("Enter");
    await page.getByText("A whole UUID").waitFor();
    await page.getByLabel("Job id").fill(` ${IDS.job.toUpperCase()} `);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: `Job …${IDS.job.slice(-8)}` }).waitFor();

    await page.goto(`${bench().url}/console/quarantine/readings/${IDS.reading}`);
    await page.getByRole("link", { name: "Zoom and move" }).click();
    await page.getByRole("heading", { level: 1, name: "Main pump pressure" }).waitFor();
    const shown = (await addressOf(page)).searchParams;
    expect(shown.get("from")).not.toBeNull();
    await page.locator("main").getByRole("link", { name: "Quarantine" }).click();
    await page.getByRole("heading", { level: 1, name: "Quarantine" }).waitFor();
    expect(Object.fromEntries((await addressOf(page)).searchParams)).toEqual({
      system_id: IDS.system,
      sensor_id: IDS.sensor,
      from: shown.get("from") ?? "",
      to: shown.get("to") ?? "",
      status: "any",
    });

    await page.goto(`${bench().url}/console/audit?subject_type=reading`);
    const asked = page.waitForRequest((request) => request.url().includes(`actor=${IDS.admin}`));
    await page.locator("tbody").getByRole("link", { name: "admin" }).first().click();
    await asked;
    await page.getByRole("button", { name: "Of everybody" }).click();
    await page.waitForURL((url) => !url.searchParams.has("actor"));
    expect(complaints).toEqual([]);
    await close();
  });

  test("what changes by itself is asked for anew: workers, and a job until it ends", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    await page.goto(`${bench().url}/console/workers`);
    await page.getByText("draining").waitFor();
    await page.route("**/api/v1/workers", (route) =>
      route.fulfill({ json: { items: [{ ...WORKERS[0], name: "came-later" }], next: null } }),
    );
    await page.getByText("came-later").waitFor();

    let looks = 0;
    let isOver = false;
    const running = { ...JOBS[1]!, job_id: IDS.job };
    await page.route(`**/api/v1/jobs/${IDS.job}/`, (route) => {
      looks += 1;
      return route.fulfill({ json: !isOver ? running : { ...JOBS[0], job_id: IDS.job } });
    });
    await page.goto(`${bench().url}/console/jobs/${IDS.job}`);
    await page.locator(".page-head").getByText("processing").waitFor();
    await until("it is asked for again", () => looks >= 3);
    isOver = true;
    await page.locator(".page-head").getByText("completed").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("an answer that takes longer than the time between two looks is waited for, and told", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    const every_ms = 2_000;
    await page.addInitScript(`window.looks = 0;
      const repeat = setInterval;
      window.setInterval = (work, ms, ...rest) => repeat(() => {
        if (ms === ${every_ms}) window.looks += 1;
        work();
      }, ms, ...rest);`);
    let asked = 0;
    const held = Promise.withResolvers<void>();
    await page.route("**/api/v1/workers", async (route) => {
      asked += 1;
      await held.promise;
      await route.continue();
    });
    await page.goto(`${bench().url}/console/workers`);
    await until("it was time for two looks", () => page.evaluate<boolean>("window.looks >= 2"));
    expect(asked).toBe(1);
    held.resolve();
    await page.getByText("draining").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("a list that was out of sight for long is asked for anew when it is looked at again", async () => {
    const { page, complaints, close } = await enter("/quarantine");
    await page.getByText("4 shown, no more").waitFor();
    let asked = 0;
    page.on("request", (request) => {
      if (request.url().includes("/incidents?")) asked += 1;
    });
    /** As when the visitor looks at another tab for so long. */
    const lookAway = (s: number) =>
      page.evaluate(`(() => {
        const now = performance.now.bind(performance);
        const become = (state) => {
          Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        };
        become("hidden");
        performance.now = () => now() + ${s * 1000};
        become("visible");
        performance.now = now;
      })()`);
    await lookAway(10);
    await lookAway(40);
    await until("it is asked for", () => asked > 0);
    await settled(page);
    expect(asked).toBe(1);
    expect(complaints).toEqual([]);
    await close();
  });

  test("g and a letter lead to the pages of the role, / into the filters; who turns the keys off types nothing into the page", async () => {
    const { page, complaints, close } = await enter("/jobs");
    await page.keyboard.press("g");
    await page.keyboard.press("q");
    await page.getByRole("heading", { level: 1, name: "Quarantine" }).waitFor();
    await settled(page);
    await page.keyboard.press("/");
    expect(await page.evaluate<boolean>(`document.activeElement.matches("search select")`)).toBe(true);
    await page.locator("h1").click();
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys" });
    await tabTo(page, help.getByLabel("Keys are on, in this browser"));
    await page.keyboard.press("Space");
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    for (const key of ["j", "a", "g", "s"]) await page.keyboard.press(key);
    expect(await page.locator("tr.current, dialog[open]").count()).toBe(0);
    await page.getByRole("heading", { level: 1, name: "Quarantine" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("an incident of one reading is told as one", async () => {
    const { page, close } = await enter(`/quarantine/readings/${IDS.reading}?incident=i-1&of=1`);
    await page.getByText("the whole incident: 1 reading, ").waitFor();
    await close();
  });
});
