/** Names of sources in a real browser against the real service: mapped from a refused reading, from a table, and removed. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { MappingView } from "../../src/contract/mapping.ts";
import type { AuditEntry } from "../../src/contract/oversight.ts";
import type { Sensor } from "../../src/contract/registry.ts";
import { faultsOf } from "../support/console-browser.ts";
import { decisionOf, SYSTEM, serviceSuite } from "../support/console-service.ts";
import { until } from "../support/until.ts";

const NAME = "S7-1200/DB1.PT4";
const READINGS = 6;
const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name, exact: true });
const row = (page: Page, text: string) => page.locator("tbody tr", { hasText: text });

serviceSuite("mappings in the console of a running service", ({ service, enter }) => {
  const mappings = async () =>
    (await service().api<{ items: MappingView[] }>(`/api/v1/systems/${SYSTEM}/mappings`)).items;
  const newSensor = (name: string) =>
    service().api<Sensor>(`/api/v1/systems/${SYSTEM}/sensors`, {
      method: "POST",
      body: { name, unit: "bar" },
    });

  /** Readings that name a sensor and say no unit. */
  async function sendNamed(name: string): Promise<void> {
    const readings = Array.from({ length: READINGS }, (_, i) => ({
      sensor: name,
      timestamp: new Date(Date.now() - i * 1_000).toISOString(),
      value: 1_450,
    }));
    const { job_id } = await service().api<{ job_id: string }>("/api/v1/data/ingest", {
      method: "POST",
      body: { system_id: SYSTEM, readings },
    });
    await until(
      "the batch is judged",
      async () => (await service().api<{ is_completed: boolean }>(`/api/v1/jobs/${job_id}/`)).is_completed,
    );
  }

  test("an unknown name is read where its readings wait, mapped there, and its readings are stored after a revalidation", async () => {
    const { id } = await newSensor("Supply pressure");
    await sendNamed(NAME);
    const { page, complaints, close } = await enter("/quarantine?reason=invalid_unit");
    await row(page, NAME).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByText("means no sensor that the system knows").waitFor();
    await button(page, "Map it to a sensor").click();
    const dialog = page.getByRole("dialog", { name: "New mapping" });
    await dialog.getByText(NAME).waitFor();
    expect(await faultsOf(page, "new-mapping")).toEqual([]);
    await dialog.getByLabel("Means the sensor").fill("Suply pressure");
    await page.keyboard.press("Enter");
    await dialog.getByText('No sensor of this system in use is called "Suply pressure".').waitFor();
    await dialog.getByLabel("Means the sensor").fill("Supply pressure");
    await dialog.getByLabel("Unit").fill("celsius");
    await page.keyboard.press("Enter");
    await dialog.getByText("/unit: unit must be bar").waitFor();
    await dialog.getByLabel("Unit").fill("psi");
    await page.keyboard.press("Enter");
    await page.getByText("now: judged again, its readings go there.").waitFor();
    expect(await mappings()).toMatchObject([{ name: NAME, sensor_id: id, unit: "psi" }]);
    expect(await faultsOf(page, "mapped-name")).toEqual([]);

    await button(page, "Revalidate").last().click();
    const decision = decisionOf(page);
    await decision.getByText(`the whole incident: ${READINGS} readings`).waitFor();
    expect(await decision.getByLabel("Revalidate").isChecked()).toBe(true);
    await page.keyboard.press("Enter");
    await decision.getByText(`${READINGS} would be stored`).waitFor();
    await page.keyboard.press("Enter");
    await decision.getByText(`${READINGS} of ${READINGS}`).waitFor();
    await decision.getByText("completed").waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".page-head").getByText("approved").waitFor();
    const { items } = await service().api<{ items: { value: number; unit: string }[] }>(
      `/api/v1/systems/${SYSTEM}/sensors/${id}/readings`,
    );
    expect(items.map(({ value }) => Math.round(value))).toEqual(Array(READINGS).fill(100));
    const record = await service().api<{ items: AuditEntry[] }>("/api/v1/audit?subject_type=mapping");
    expect(record.items).toMatchObject([{ action: "mapping.set", actor_name: "admin" }]);
    expect(complaints).toEqual([]);
    await close();
  });

  test("mappings come from a table once every line is right, are changed, found, and removed; a producer may look", async () => {
    await newSensor("Return pressure");
    const path = `/systems/${SYSTEM}/mappings`;
    const { page, complaints, close } = await enter(path);
    await button(page, "Import").click();
    const dialog = page.getByRole("dialog", { name: "Import mappings" });
    const table = (sensor: string) =>
      [
        "name;measurement;field;tags;sensor;unit",
        `${NAME};;;;Supply pressure;psi`,
        `;pump;pressure;"line=1, host=hall 3; left";${sensor};`,
        "Out, of the ordinary;;;;Supply pressure;kPa;more",
        '"P""5";;;;Supply pressure;',
        "",
      ].join("\r\n");
    await dialog.getByLabel("Or paste it here").fill(table("nobody"));
    await button(page, "Look at it").click();
    await dialog.getByText("Line 4 has").waitFor();
    await dialog.getByLabel("From a file").setInputFiles({
      name: "names.csv",
      mimeType: "text/csv",
      buffer: Buffer.from(table("nobody").replace(";more", "")),
    });
    const pasted = dialog.getByLabel("Or paste it here");
    await until("the file is read", async () => !(await pasted.inputValue()).includes(";more"));
    await button(page, "Look at it").click();
    await dialog.getByText('No sensor of this system in use is called "nobody".').waitFor();
    expect(await dialog.locator(".outcome").textContent()).toBe("1 wrong2 new1 same");
    expect(await button(page, "Set 2 mappings").isDisabled()).toBe(true);
    expect(await faultsOf(page, "import-mappings")).toEqual([]);
    const text = await pasted.inputValue();
    await pasted.fill(text.replace("nobody", "Return pressure"));
    await button(page, "Look at it").click();
    await button(page, "Set 3 mappings").click();
    await page.getByText("3 mappings set.").waitFor();
    await page.getByText("4 shown, no more").waitFor();
    const known = await mappings();
    expect(known.map(({ name }) => name).sort()).toEqual(["Out, of the ordinary", 'P"5', NAME, null].sort());
    expect(known.find(({ field }) => field !== null)).toMatchObject({
      measurement: "pump",
      field: "pressure",
      tags: { line: "1", host: "hall 3; left" },
      sensor_name: "Return pressure",
      unit: null,
    });

    await button(page, /^Change the mapping of pump/).click();
    const changing = page.getByRole("dialog", { name: "Change the mapping" });
    await changing.getByLabel("Unit").fill("mbar");
    await changing.getByRole("button", { name: "Change" }).click();
    await row(page, "mbar").waitFor();
    await page.getByLabel("Name, unit or sensor").fill("ordinary");
    await page.getByText("1 shown, no more").waitFor();
    await button(page, /^Remove the mapping of Out/).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("No mappings").waitFor();
    // The row is gone that had the focus: the list has it, and Tab goes on from there.
    await until("the list has the focus", () =>
      page.evaluate<boolean>(`document.activeElement.closest("section[aria-label=Mappings]") !== null`),
    );
    expect(await mappings()).toHaveLength(3);
    expect(complaints).toEqual([]);
    await close();

    const producer = await enter(path, "feeder-1");
    await row(producer.page, NAME).waitFor();
    for (const name of ["Import", "New mapping"]) expect(await button(producer.page, name).count()).toBe(0);
    expect(await producer.page.getByRole("button", { name: /the mapping of/ }).count()).toBe(0);
    await producer.close();
  });
});
