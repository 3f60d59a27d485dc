/** Work done with the console in a real browser, over an API that answers from fixtures. */
import { expect, test } from "bun:test";
import type { NewReview } from "../../src/contract/review.ts";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { addressOf, faultsOf, seriousFaults, settled } from "../support/console-browser.ts";
import { IDS } from "../support/console-fixtures.ts";
import { until } from "../support/until.ts";

consoleSuite("work in the console", ({ bench, enter }) => {
  test("the keyboard alone: list, selection, fix, dry run, apply, progress; the dialogs are sound", async () => {
    const { page, complaints, close } = await enter("/quarantine");
    await page.getByText("4 shown, no more").waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    expect(await faultsOf(page, "dialog-keys")).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    for (const key of ["j", "j", "k", "x", "f"]) await page.keyboard.press(key);
    const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
    await dialog.getByText("3,412 readings of Main pump pressure, out of range").waitFor();
    expect(await dialog.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    expect(await faultsOf(page, "dialog-fix")).toEqual([]);
    await dialog.getByLabel("Relabel the unit as").focus();
    await page.keyboard.type("psi");
    await page.keyboard.press("Enter");
    await dialog.getByText("would be stored").waitFor();
    expect(await faultsOf(page, "dialog-dry-run")).toEqual([]);
    // Another correction needs another dry run.
    await dialog.getByLabel("Note").focus();
    await page.keyboard.type("labels psi as bar");
    expect(await dialog.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    await page.keyboard.press("Enter");
    await dialog.getByText("would be stored").waitFor();
    await page.keyboard.press("Enter");
    await dialog.getByText("3,412 of 3,412").waitFor();
    expect(await faultsOf(page, "dialog-task")).toEqual([]);
    const request: NewReview = {
      action: "fix",
      change: { set: { unit: "psi" } },
      note: "labels psi as bar",
      selection: { incident: "i-1" },
    };
    expect(bench().actions.slice(1)).toEqual([{ ...request, dry_run: true }, request]);
    await page.keyboard.press("Escape");
    await page.getByText("3 shown, no more").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("every correction that the API takes can be typed; a field that is wrong is told", async () => {
    const { page, complaints, close } = await enter(`/quarantine/readings/${IDS.reading}`);
    await page.getByRole("button", { name: "Fix" }).click();
    const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("Say what is to be corrected.").waitFor();
    for (const [label, text] of [
      ["Set the value", "180,5"],
      ["Relabel the unit as", "psi"],
      ["Set the quality", "90"],
      ["Set the sensor", IDS.sensor],
      ["Multiply the value by", "0.1"],
      ["Then add (bar)", "-2"],
      ["Shift the clock (s)", "-3600"],
    ] as const)
      await dialog.getByLabel(label).fill(text);
    await dialog.getByRole("textbox", { name: "Set the time" }).fill("2026-11-27 07:53:14");
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByText("would be stored").waitFor();
    const set = { value: 180.5, unit: "psi", quality: 90, timestamp: "2026-11-27T06:53:14Z" };
    expect(bench().actions).toEqual([
      {
        action: "fix",
        selection: { ids: [IDS.reading] },
        change: { set: { ...set, sensor_id: IDS.sensor }, scale: 0.1, offset: -2, shift_ms: -3_600_000 },
        dry_run: true,
      },
    ]);
    const offered = dialog.locator(`datalist option[value="${IDS.sensor}"]`);
    expect(await offered.textContent()).toBe("Main pump pressure");
    expect(complaints).toEqual([]);
    await close();
  });

  test("each action has its button, and sends what was chosen about conflicts where it stores", async () => {
    const { page, complaints, close } = await enter(`/quarantine/readings/${IDS.reading}`);
    const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
    for (const [name, conflict] of [
      ["Approve", "replace"],
      ["Revalidate", "keep"],
      ["Reject", undefined],
      ["Reopen", undefined],
    ] as const) {
      await page.getByRole("button", { name }).click();
      expect(await dialog.getByRole("radio", { name, exact: true }).isChecked()).toBe(true);
      const choice = dialog.getByRole("radio", { name: `${conflict} the stored value` });
      if (conflict) await choice.check();
      else expect(await dialog.getByRole("radio", { name: /stored value/ }).count()).toBe(0);
      await dialog.getByRole("button", { name: "Dry run" }).click();
      await dialog.getByText("would be stored").waitFor();
      const selection = { ids: [IDS.reading] };
      const action = name.toLowerCase() as NewReview["action"];
      const said = conflict ? { conflict } : {};
      expect(bench().actions.at(-1)).toEqual({ action, selection, ...said, dry_run: true });
      await page.keyboard.press("Escape");
    }
    expect(complaints).toEqual([]);
    await close();
  });

  test("who was slower sees what the readings are now, and goes on with the others", async () => {
    const { page, complaints, close } = await enter("/quarantine/readings");
    await page.getByRole("button", { name: "all shown" }).click();
    await page.getByText("40 readings selected").waitFor();
    await page.keyboard.press("r");
    const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
    await dialog.getByRole("button", { name: "Dry run" }).click();
    bench().conflict = true;
    await dialog.getByRole("button", { name: "Apply" }).click();
    await dialog.getByText("Somebody else has decided already").waitFor();
    const decided = dialog.getByRole("region", { name: "Decided by others" });
    await decided.getByText("fixed").waitFor();
    expect(await faultsOf(page, "dialog-conflict")).toEqual([]);
    bench().conflict = false;
    await decided.getByRole("button", { name: "Go on with the other 38" }).click();
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByRole("button", { name: "Apply" }).click();
    await dialog.getByText("3,412 of 3,412").waitFor();
    const left = bench().actions.at(-1)?.selection as { ids: number[] };
    expect(left.ids).toHaveLength(38);
    expect(left.ids).not.toContain(IDS.reading);
    expect(complaints).toEqual([]);
    await close();
  });

  test("the overview is live, says when it is not, and recovers", async () => {
    const { page, close } = await enter();
    await page.getByText("Live", { exact: true }).waitFor();
    bench().events = false;
    await page.getByText("Connection lost, reconnecting…").waitFor();
    bench().events = true;
    await page.getByText("Live", { exact: true }).waitFor();
    await close();
  });

  test("a fault shows the problem with its request id, and the way to try again", async () => {
    const { page, complaints, close } = await enter();
    bench().broken.add("/api/v1/users");
    await page.goto(`${bench().url}/console/users`);
    await page.getByText("The query took too long").waitFor();
    await page.getByText("The database was given 10 s.").waitFor();
    await page.getByText("req-42").waitFor();
    bench().broken.clear();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("rig-7-gateway", { exact: true }).first().waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  test("a range is set only after its preview, from a moment on; zooming asks the service for the new range", async () => {
    const { page, complaints, close } = await enter(`/systems/${IDS.system}/sensors/${IDS.sensor}`);
    const set = page.getByRole("button", { name: "Set the range" });
    await set.waitFor();
    expect(await set.isDisabled()).toBe(true);
    await page.getByRole("region", { name: "Versions of the range" }).getByText("to come").waitFor();
    await page.getByLabel("Highest good value (bar)").fill("320,5");
    await page.getByRole("textbox", { name: "Holds from; empty: now" }).fill("2030-01-02T03:04:05");
    await page.getByRole("button", { name: "Preview" }).click();
    await page.getByText("1,204 of 604,800 stored readings").waitFor();
    await set.click();
    await page.getByText("The new range is set.").waitFor();
    expect(bench().posts).toEqual(['PUT "3" {"min":0,"max":320.5,"valid_from":"2030-01-02T02:04:05Z"}']);
    const asked = page.waitForRequest((request) => request.url().includes("/series?"));
    await page.getByRole("button", { name: "Zoom in" }).click();
    expect(new URL((await asked).url()).searchParams.get("points")).toBe("800");
    expect((await addressOf(page)).search).toContain("from=");
    expect(complaints).toEqual([]);
    await close();
  });

  test("the preview of a year tells how far it is, and can be stopped and begun again", async () => {
    const { page, complaints, close } = await enter("/no-such-page");
    await page.route(`**/api/v1/systems/*/sensors/${IDS.sensor}`, async (route) => {
      const sent = { first_reading_at: "2025-01-01T00:00:00Z", last_reading_at: "2026-07-10T10:00:00Z" };
      await route.fulfill({ json: { ...(await (await route.fetch()).json()), ...sent } });
    });
    let answered = 0;
    const most = { pieces: 3 };
    // The service is slow: what comes after some pieces waits
    await page.route("**/range/preview?*", (route) => {
      answered += 1;
      return answered > most.pieces ? undefined : route.continue();
    });
    await page.goto(`${bench().url}/console/systems/${IDS.system}/sensors/${IDS.sensor}`);
    await page.getByLabel("Preview over").selectOption("365");
    const preview = page.getByRole("button", { name: "Preview", exact: true });
    await preview.click();
    await page.getByText("Looking at the stored readings: part 4 of 12").waitFor();
    const progress = page.getByRole("progressbar", { name: "Progress of the preview" });
    expect(await progress.evaluate((bar) => [bar.getAttribute("value"), bar.getAttribute("max")])).toEqual([
      "3",
      "12",
    ]);
    expect(await seriousFaults(page)).toEqual([]);
    const ended = page.waitForEvent("requestfailed", (request) => request.url().includes("/range/preview?"));
    await page.getByRole("button", { name: "Stop" }).click();
    await ended;
    await progress.waitFor({ state: "detached" });
    const isAtPreview = () => preview.evaluate((button) => button === button.ownerDocument.activeElement);
    await until("the focus is back at what was pressed", isAtPreview);
    expect(await page.getByRole("button", { name: "Set the range" }).isDisabled()).toBe(true);
    expect(await page.getByRole("alert").count()).toBe(0);
    most.pieces = 100;
    await page.keyboard.press("Enter");
    await page.getByText("14,448 of 7,257,600 stored readings").waitFor();
    await until("the focus is there after a preview that ended by itself too", isAtPreview);
    expect(complaints).toEqual([]);
    await close();
  });

  test("a failed job is replayed; an engineer may look, not act", async () => {
    const { page, complaints, close } = await enter(`/jobs/${IDS.failedJob}`);
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByRole("dialog").waitFor();
    expect(await faultsOf(page, "dialog-confirm")).toEqual([]);
    await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
    await page.getByText("The job was sent again.").waitFor();
    expect(bench().posts).toContain(`/api/v1/jobs/${IDS.failedJob}/replay`);
    bench().role = "engineer";
    await page.goto(`${bench().url}/console/quarantine`);
    await page.getByText("Your role may look, not act.").waitFor();
    await settled(page);
    expect(await page.getByRole("link", { name: "Audit" }).count()).toBe(0);
    for (const key of ["j", "x", "a"]) await page.keyboard.press(key);
    await page.getByText("1 incident selected").waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.goto(`${bench().url}/console/audit`);
    await page.getByText("This page is for admins").waitFor();
    await page.getByRole("link", { name: "To the first page" }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
    // A reviewer decides about readings, not about what they are judged by.
    bench().role = "reviewer";
    const system = `${bench().url}/console/systems/${IDS.system}`;
    await page.goto(`${system}/sensors/${IDS.sensor}`);
    await page.getByText("In force", { exact: true }).waitFor();
    await settled(page);
    expect(await page.getByRole("button", { name: "Set the range" }).count()).toBe(0);
    await page.goto(`${system}/mappings`);
    await page.getByText("S7-1200/DB1.PT4").first().waitFor();
    await settled(page);
    expect(await page.getByRole("button", { name: /mapping|Import/ }).count()).toBe(0);
    expect(complaints).toEqual([]);
    await close();
  });
});
