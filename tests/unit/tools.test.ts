/** Tools that tests fetch for themselves: what is not to be had is told with its reason, and a mistake stays an error. */
import { afterEach, beforeEach, expect, setSystemTime, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServicesError } from "../../src/services/services-error.ts";
import { tool } from "../support/tools/debian-tools.ts";
import { describeWith } from "../support/tools/describe-with.ts";
import { obtain } from "../support/tools/obtain.ts";

let folder: string;
let asked: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tools-"));
  asked = 0;
});
afterEach(() => {
  setSystemTime();
  rmSync(folder, { recursive: true });
});

const away = (): Promise<never> => {
  asked += 1;
  return Promise.reject(new ServicesError("download", `no network, asked ${asked}`, ""));
};

test("what cannot be had now is not asked for again within ten minutes, but later", async () => {
  setSystemTime(new Date("2026-01-01T00:00:00Z"));
  expect(await obtain("x", away, folder)).toEqual({ missing: "no network, asked 1" });
  setSystemTime(new Date("2026-01-01T00:09:59Z"));
  expect(await obtain("x", away, folder)).toEqual({ missing: "no network, asked 1" });
  setSystemTime(new Date("2026-01-01T00:10:00Z"));
  expect(await obtain("x", away, folder)).toEqual({ missing: "no network, asked 2" });
  setSystemTime(new Date("2026-01-01T00:20:00Z"));
  expect(await obtain("x", async () => ({ path: "/x" }), folder)).toEqual({ path: "/x" });
});

test("a mistake of ours is no missing tool", async () => {
  const mistake = obtain("x", () => Promise.reject(new TypeError("undefined is not a function")), folder);
  await expect(mistake).rejects.toThrow(TypeError);
  expect(existsSync(join(folder, "x.failed.json"))).toBe(false);
});

describeWith("promtool", await tool("promtool"), (promtool) => {
  test("runs from where it is", async () => {
    const child = Bun.spawn([promtool, "--version"], { stdout: "pipe" });
    expect(await child.stdout.text()).toStartWith("promtool, version ");
  });
});
