/**
 * The whole way in a real browser against the real service: faults arrive, an incident is opened, a fix is tried,
 * applied, stored and on record. By keyboard, wide and narrow.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { start } from "../../src/commands/start.ts";
import { choosePort } from "../../src/services/free-port.ts";
import { findChromium, launchChromium } from "../support/chromium.ts";
import { NARROW, visit, WIDE } from "../support/console-browser.ts";
import { createTestDatabase, createTestRedis, type TestService } from "../support/test-services.ts";
import { until } from "../support/until.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const executable = findChromium();

describe.skipIf(!executable)(
  `the console of a running service${executable ? "" : " (skipped: no Chromium)"}`,
  () => {
    let services: TestService[];
    let url: string;
    let ended: Promise<void>;
    let browser: Browser;
    let token: string;
    const before = { ...process.env };
    beforeAll(async () => {
      services = await Promise.all([createTestDatabase(), createTestRedis()]);
      const port = await choosePort(undefined, []);
      url = `http://127.0.0.1:${port}`;
      Object.assign(process.env, {
        APP_ENV: "development",
        DATABASE_URL: services[0]!.url,
        REDIS_URL: services[1]!.url,
        PORT: String(port),
        WORKER_THREADS: "1",
        LOG_LEVEL: "error",
      });
      ended = start("all");
      await until(
        "the service is ready",
        async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok,
        20_000,
      );
      token = await logIn();
      browser = await launchChromium(executable ?? "");
    }, 60_000);
    afterAll(async () => {
      await browser?.close();
      process.emit("SIGTERM");
      await ended;
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      Object.assign(process.env, before);
      process.exitCode = 0;
      for (const { drop } of services ?? []) await drop();
    }, 60_000);

    /** Once: log-ins are throttled. */
    async function logIn(): Promise<string> {
      const answer = await fetch(`${url}/api/v1/auth/login`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ username: "admin", password: "password" }),
      });
      return ((await answer.json()) as { access_token: string }).access_token;
    }

    const api = async (path: string, init: RequestInit = {}) => {
      const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
      return (await (await fetch(url + path, { ...init, headers })).json()) as Record<string, unknown>;
    };

    /** Good readings of a sensor, then some in psi that say bar. */
    async function send(sensor_id: string, faults: number): Promise<void> {
      const from_ms = Date.now() - 60_000;
      const readings = Array.from({ length: 20 }, (_, i) => ({
        sensor_id,
        timestamp: new Date(from_ms + i * 1000).toISOString(),
        value: i < 20 - faults ? 125 : 1813,
        unit: "bar",
      }));
      await api("/api/v1/data/ingest", {
        method: "POST",
        body: JSON.stringify({ system_id: SYSTEM, readings }),
      });
      const path = `/api/v1/quarantine/counts?sensor_id=${sensor_id}`;
      await until("the refusals", async () => {
        const { total } = (await api(path)) as { total: { count: number } };
        return total.count === faults;
      });
    }

    async function signIn(page: Page): Promise<void> {
      await page.goto(`${url}/console`);
      await page.getByLabel("User name").fill("admin");
      await page.getByLabel("Password").fill("password");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
    }

    test.each([
      ["wide, by keyboard", "light", WIDE, "550e8400-e29b-41d4-a716-4466554400a1", 4],
      ["narrow", "dark", NARROW, "550e8400-e29b-41d4-a716-4466554400a2", 3],
    ] as const)(
      "%s: psi that says bar is tried, fixed, stored and on record",
      async (_name, theme, viewport, sensor_id, faults) => {
        const { page, complaints, close } = await visit(browser, theme, viewport);
        await signIn(page);
        await send(sensor_id, faults);
        await page.goto(`${url}/console/quarantine?sensor_id=${sensor_id}`);
        await page.getByText("above 700 bar").first().waitFor();
        if (viewport === WIDE) for (const key of ["j", "x", "f"]) await page.keyboard.press(key);
        else {
          await page.getByRole("checkbox").last().check();
          await page.getByRole("button", { name: "Fix" }).click();
        }
        const dialog = page.getByRole("dialog", { name: "Act on quarantine" });
        await dialog.getByLabel("Relabel the unit as").fill("psi");
        await page.keyboard.press("Enter");
        await dialog.getByText("would be stored").waitFor();
        expect((await api(`/api/v1/quarantine/counts?sensor_id=${sensor_id}`)).total).toEqual({
          count: faults,
          capped: false,
        });
        await dialog.getByRole("button", { name: "Apply" }).click();
        await dialog.getByText(`${faults} of ${faults}`).waitFor();
        await dialog.getByText("completed").waitFor();
        const { items } = (await api(`/api/v1/systems/${SYSTEM}/sensors/${sensor_id}/readings`)) as {
          items: { value: number }[];
        };
        expect(items).toHaveLength(20);
        expect(Math.round(items.at(-1)!.value)).toBe(125);
        const list = (await api(`/api/v1/quarantine?sensor_id=${sensor_id}&status=fixed`)) as {
          items: { id: number }[];
        };
        expect(list.items).toHaveLength(faults);
        await page.goto(`${url}/console/quarantine/readings/${list.items[0]!.id}`);
        const history = page.locator(".history");
        await history.getByText("by admin").first().waitFor();
        await history.getByText("fixed").first().waitFor();
        expect(complaints).toEqual([]);
        await close();
      },
      60_000,
    );
  },
);
