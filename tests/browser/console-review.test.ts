/** Reviews of more than one reading, and by more than one reviewer, in a real browser against the real service. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import type { Page } from "playwright-core";
import postgres from "postgres";
import type { Incident, QuarantinedReading } from "../../src/contract/quarantine-review.ts";
import type { ReviewTask } from "../../src/contract/review.ts";
import { addressOf } from "../support/console-browser.ts";
import { decisionOf, MISLABELLED, sensorId, serviceSuite } from "../support/console-service.ts";

/** More than two portions of a task. */
const MANY = 5_000;
const PORTION = 2_000;

serviceSuite("reviews in the console of a running service", ({ service, enter }) => {
  const listOf = (n: number) => `/quarantine/readings?sensor_id=${sensorId(n)}`;
  const nothing = (page: Page) => page.getByText("Nothing fits these filters.").waitFor();

  test("who is second is told what the readings are now; nothing is applied twice, and the others can be decided", async () => {
    await service().createUser("second", "reviewer");
    await service().send(sensorId(1), 10, 3);
    const { page, complaints, close } = await enter(listOf(1));
    await page.getByRole("button", { name: "all shown" }).click();
    await page.keyboard.press("r");
    const dialog = decisionOf(page);
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("3 would be rejected").waitFor();
    const [first] = await service().refused(sensorId(1));
    const fix = { action: "fix", selection: { ids: [first?.id] }, change: { set: { unit: "psi" } } };
    await service().api("/api/v1/quarantine/actions", { user: "second", method: "POST", body: fix });

    await dialog.getByRole("button", { name: "Apply" }).click();
    await dialog.getByText("Somebody else has decided already").waitFor();
    const decided = dialog.getByRole("region", { name: "Decided by others" }).getByRole("listitem");
    expect(await decided.count()).toBe(1);
    expect(await decided.textContent()).toMatch(new RegExp(`^#${first?.id} fixed by second `));
    expect(await service().pending(sensorId(1))).toBe(2);

    await dialog.getByRole("button", { name: "Go on with the other 2" }).click();
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("2 would be rejected").waitFor();
    await dialog.getByRole("button", { name: "Apply" }).click();
    await dialog.getByText("completed").waitFor();
    await page.keyboard.press("Escape");
    await nothing(page);
    const states = (await service().refused(sensorId(1))).map(({ review_status }) => review_status);
    expect(states.sort()).toEqual(["fixed", "rejected", "rejected"]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("everything that matches is selected, not only what is shown; its task shows how far it is and can be cancelled", async () => {
    await service().send(sensorId(2), MANY, MANY);
    const { page, complaints, close } = await enter(listOf(2));
    await page.getByText("50 shown").waitFor();
    await page.getByRole("button", { name: "all 5,000 matching" }).click();
    await page.getByText("5,000 readings selected").waitFor();
    // A reading of the second portion is held by somebody: the task stands there.
    const held = await holdReading(sensorId(2), PORTION + 1);
    try {
      await page.keyboard.press("r");
      const dialog = decisionOf(page);
      await dialog.getByRole("button", { name: "Dry run" }).click();
      await dialog.getByText("Of the first 2,000 of 5,000 readings:").waitFor();
      await dialog.getByRole("button", { name: "Apply" }).click();
      await dialog.getByText("reject: 2,000 of 5,000 readings").waitFor();
      await dialog.getByText("running").waitFor();
      expect(await dialog.getByRole("progressbar").getAttribute("value")).toBe("2000");
      await dialog.getByRole("link", { name: "Task" }).click();
      await page.getByRole("heading", { level: 1, name: "Task" }).waitFor();
      await page.getByRole("button", { name: "Cancel the task" }).click();
      await page.getByText("cancelled").first().waitFor();
    } finally {
      await held.release();
    }
    await page.getByRole("button", { name: "Cancel the task" }).waitFor({ state: "detached" });
    const id = (await addressOf(page)).pathname.split("/").at(-1);
    const task = await service().api<ReviewTask>(`/api/v1/quarantine/actions/${id}`);
    expect(task).toMatchObject({ state: "cancelled", selected: MANY, done: PORTION, changed: PORTION });
    expect(await service().pending(sensorId(2))).toBe(MANY - PORTION);
    expect(complaints).toEqual([]);
    await close();
  });

  test("the readings of an incident are exactly these, and are selected as such", async () => {
    await service().send(sensorId(3), 10, 4);
    await service().send(sensorId(5), 10, 2);
    const path = `/api/v1/quarantine/incidents?sensor_id=${sensorId(3)}`;
    const { items } = await service().api<{ items: Incident[] }>(path);
    expect(items).toHaveLength(1);
    const { page, complaints, close } = await enter(`/quarantine?sensor_id=${sensorId(3)}`);
    await page.getByRole("link", { name: "4", exact: true }).click();
    await page.getByText("4 shown, no more").waitFor();
    await page.getByText("Only of one incident").waitFor();
    await page.getByRole("button", { name: "all 4 matching" }).click();
    await page.keyboard.press("r");
    const dialog = decisionOf(page);
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("4 would be rejected").waitFor();
    await dialog.getByRole("button", { name: "Apply" }).click();
    await dialog.getByText("4 of 4").waitFor();
    await dialog.getByText("completed").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("tbody").getByText("rejected").first().waitFor();
    expect(await service().pending(sensorId(3))).toBe(0);
    expect(await service().pending(sensorId(5))).toBe(2);
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByText("Only of one incident").waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
    await close();
  });

  test("a decision is taken back by keys: tried first, and the history says what is stored no more", async () => {
    await service().send(sensorId(9), 10, 1);
    const [one] = await service().refused(sensorId(9));
    const approve = { action: "approve", selection: { ids: [one?.id] } };
    await service().api("/api/v1/quarantine/actions", { method: "POST", body: approve });
    const { page, complaints, close } = await enter(`/quarantine/readings/${one?.id}`);
    await page.getByText("approve by admin").waitFor();
    await page.keyboard.press("o");
    const dialog = decisionOf(page);
    await dialog.getByText("Take the decision back").waitFor();
    await page.keyboard.press("Enter");
    await dialog.getByText("1 would be reopened and taken out of the stored readings").waitFor();
    await page.keyboard.press("Enter");
    await dialog.getByText("1 of these taken out of the stored readings").waitFor();
    await page.keyboard.press("Escape");
    const entry = page.getByRole("listitem").filter({ hasText: "reopen by admin" });
    await entry.getByText(/→ none/).waitFor();
    expect(await entry.textContent()).toMatch(/stored [\d.,]+\sbar → none/);
    expect(await service().pending(sensorId(9))).toBe(1);
    expect(complaints).toEqual([]);
    await close();
  });

  test("what the filters show is exported as CSV and NDJSON, all of it", async () => {
    await service().send(sensorId(4), 700, 600);
    const { page, complaints, close } = await enter(listOf(4));
    await page.getByText("50 shown").waitFor();
    const expected = (await service().refused(sensorId(4))).map(({ id }) => id);
    expect(expected).toHaveLength(500);
    const csv = parse(await download(page, "Export CSV", "quarantine.csv"), { columns: true }) as Record<
      string,
      string
    >[];
    expect(csv).toHaveLength(600);
    expect(csv[0]).toMatchObject({
      sensor_id: sensorId(4),
      value: String(MISLABELLED),
      unit: "bar",
      reason: "out_of_range",
      review_status: "pending",
    });
    const lines = (await download(page, "Export NDJSON", "quarantine.ndjson")).trimEnd().split("\n");
    const ndjson = lines.map((line) => JSON.parse(line) as QuarantinedReading);
    expect(ndjson.map(({ id }) => id)).toEqual(csv.map(({ id }) => Number(id)));
    expect(ndjson.slice(0, 500).map(({ id }) => id)).toEqual(expected);
    // What is ticked is exported alone.
    for (const nth of [0, 3]) await page.getByRole("checkbox", { name: "Select" }).nth(nth).check();
    const ticked = (await download(page, "Export NDJSON", "quarantine.ndjson")).trimEnd().split("\n");
    expect(ticked.map((line) => (JSON.parse(line) as QuarantinedReading).id)).toEqual([
      expected[0]!,
      expected[3]!,
    ]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("every list is exported as a file, and ticked incidents as their readings", async () => {
    await service().send(sensorId(6), 700, 3);
    const { page, complaints, close } = await enter(`/quarantine?sensor_id=${sensorId(6)}`);
    await page.getByText("1 shown").waitFor();
    expect(parse(await download(page, "Export CSV", "incidents.csv"), { columns: true })).toMatchObject([
      { sensor_id: sensorId(6), reason: "out_of_range", count: "3", pending: "3" },
    ]);
    await page.getByRole("checkbox", { name: "Select" }).first().check();
    const readings = parse(await download(page, "Export CSV", "quarantine.csv"), { columns: true });
    expect(readings).toMatchObject(Array.from({ length: 3 }, () => ({ sensor_id: sensorId(6) })));
    for (const [path, name] of [
      ["/quarantine/tasks", "decisions"],
      ["/audit", "audit"],
      ["/alerts", "alerts"],
      ["/dead-letters", "dead-letters"],
      ["/jobs", "jobs"],
    ] as const) {
      await page.goto(`${service().url}/console${path}`);
      await page
        .getByText(/shown|^No /)
        .first()
        .waitFor();
      expect(await download(page, "Export CSV", `${name}.csv`)).toMatch(/^(id|job_id),[a-z_,]+\r\n/);
    }
    expect(complaints).toEqual([]);
    await close();
  });

  /** The text of a file that a link gives. */
  async function download(page: Page, link: string, name: string): Promise<string> {
    const given = page.waitForEvent("download");
    await page.getByRole("link", { name: link }).click();
    const file = await given;
    expect(file.suggestedFilename()).toBe(name);
    return readFileSync(await file.path(), "utf8");
  }

  /** Holds the row of the n-th reading of a sensor, as a transaction that does not end. */
  async function holdReading(sensor_id: string, n: number): Promise<{ release: () => Promise<void> }> {
    const sql = postgres(service().stack.urls.database, { max: 1 });
    const released = Promise.withResolvers<void>();
    const holding = Promise.withResolvers<void>();
    const transaction = sql.begin(async (tx) => {
      await tx`SELECT FROM diagnostics_quarantined_reading WHERE id = (
        SELECT id FROM diagnostics_quarantined_reading WHERE sensor_id = ${sensor_id}
        ORDER BY id OFFSET ${n - 1} LIMIT 1) FOR UPDATE`;
      holding.resolve();
      await released.promise;
    });
    await holding.promise;
    return {
      release: async () => {
        released.resolve();
        await transaction;
        await sql.end();
      },
    };
  }
});
