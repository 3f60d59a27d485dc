/** The lists of quarantine with wide data on the small screens of desks, in a real browser over fixtures. */
import { expect, test } from "bun:test";
import type { Page } from "playwright-core";
import type { Incident, QuarantinedReading } from "../../src/contract/quarantine-review.ts";
import { consoleSuite } from "../support/console-bench-suite.ts";
import { faultsOf, NARROW } from "../support/console-browser.ts";
import { IDS, INCIDENTS, REFUSED, SENSORS } from "../support/console-fixtures.ts";
import { until } from "../support/until.ts";

const DESKS = [
  { width: 1280, height: 800 },
  { width: 1366, height: 768 },
];
const LONG_NAME = "Main pump pressure downstream of the pressure filter, PT-104A";
const UNBROKEN_NAME = "PT-104A/pilot-pressure-transmitter-of-proportional-valve-2";
const UNNAMED = SENSORS.at(-1)!;
const CONFLICT =
  "123485.789 psi = 8514.0500644002641 bar differs from 169.123456789 bar, which this sensor already has at this timestamp";

const readings: readonly QuarantinedReading[] = REFUSED.slice(0, 12).map((reading, index) => ({
  ...reading,
  id: 1_048_576 - index,
  sensor_id: [IDS.sensor, SENSORS[1]!.id, UNNAMED.id][index % 3]!,
  timestamp: "2026-11-28T02:07:05.893Z",
  value: [123_485.789, -0.000_012_345_6, 2_175.567, 1][index % 4]!,
  unit: ["psi", "bar", "celsius", "pounds per square inch gauge"][index % 4]!,
  reason: index % 2 ? "duplicate" : "invalid_timestamp",
  reason_details: CONFLICT,
  review_status: (["pending", "approved", "rejected", "fixed"] as const)[index % 4]!,
}));
const incidents: readonly Incident[] = INCIDENTS.map((incident, index) => ({
  ...incident,
  sensor_name: index % 2 ? UNBROKEN_NAME : LONG_NAME,
  system_name: "Endurance rig for axial piston pumps, hall 3",
  unit: "psi",
  count: 1_000_000,
  statuses: { pending: 999_000, approved: 400, rejected: 300, fixed: 300 },
  sample: readings[index]!,
}));

/** How many rows are in sight, and whether they are cards. */
const look = (page: Page) =>
  page.evaluate<{ cards: boolean; rows: number }>(`({
    cards: document.querySelector(".table-scroll").matches(".cards"),
    rows: [...document.querySelectorAll("tbody tr")]
      .filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length,
  })`);

consoleSuite("wide data in the lists of quarantine", ({ bench, enter }) => {
  const withWide = async () => {
    const visitor = await enter("/no-such-page");
    await visitor.page.route("**/api/v1/quarantine?*", (route) =>
      route.fulfill({ json: { items: readings, next: null } }),
    );
    await visitor.page.route("**/api/v1/quarantine/incidents?*", (route) =>
      route.fulfill({ json: { items: incidents, next: null } }),
    );
    await visitor.page.route("**/api/v1/quarantine/counts?*", async (route) => {
      const counts = await (await route.fetch()).json();
      const names = [LONG_NAME, UNBROKEN_NAME];
      for (const [at, sensor] of counts.sensors.entries()) sensor.name = names[at] ?? sensor.name;
      await route.fulfill({ json: counts });
    });
    return visitor;
  };

  for (const [path, least] of [
    ["/quarantine/readings", 4],
    ["/quarantine", 3],
  ] as const)
    test(`${path} is a table at a desk, with several rows in sight, nothing cut off, and no time broken`, async () => {
      const { page, complaints, close } = await withWide();
      await page.goto(`${bench().url}/console${path}`);
      await page.locator("tbody").getByText(LONG_NAME).first().waitFor();
      for (const size of DESKS) {
        await page.setViewportSize(size);
        await until(`a table at ${size.width}`, async () => !(await look(page)).cards);
        expect((await look(page)).rows).toBeGreaterThanOrEqual(least);
      }
      expect(await faultsOf(page, `wide${path.replaceAll("/", "-")}`)).toEqual([]);
      // What has no room is told whole where one points at it
      expect(await page.getByTitle(LONG_NAME).count()).toBeGreaterThan(0);
      expect(await page.locator("tbody").getByTitle(CONFLICT).count()).toBe(
        path === "/quarantine" ? incidents.length : readings.length,
      );
      // Cards have room for all of it
      await page.setViewportSize(NARROW);
      await until("cards", async () => (await look(page)).cards);
      const isWhole =
        "[...document.querySelectorAll('tbody .clamp')].every((text) => text.scrollHeight <= text.clientHeight + 1)";
      expect(await page.evaluate<boolean>(isWhole)).toBe(true);
      expect(complaints).toEqual([]);
      await close();
    });
});
