/** The agreed direction of imports: main → {api, ingest, console, feed, services} → {stream, store} → contract; no circles. */
import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { circles, type SourceFile, violations } from "../support/architecture.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SRC = `${ROOT}src/`;

async function sources(folder: string, pattern = "**/*.{ts,tsx,js}"): Promise<SourceFile[]> {
  const paths = await Array.fromAsync(new Glob(pattern).scan(folder));
  return Promise.all(paths.map(async (path) => ({ path, text: await Bun.file(folder + path).text() })));
}

test("src obeys: imports go one way, and only src/config.ts reads the environment", async () => {
  const files = await sources(SRC);
  expect(files.length).toBeGreaterThan(100);
  expect(violations(files)).toEqual([]);
});

test("no files import each other in a circle", async () => {
  const files = await sources(ROOT, "{src,tests,load,deploy}/**/*.{ts,tsx,mjs}");
  expect(files.length).toBeGreaterThan(500);
  expect(circles(files)).toEqual([]);
});

test("circles are found however long, with types and without them, and each once", () => {
  const file = (path: string, ...imports: string[]) => ({ path, text: imports.join("\n") });
  const files = [
    file("a.ts", 'import type { B } from "./b/b.ts";', 'import { other } from "./other.ts";'),
    file("b/b.ts", 'export { c } from "./c.ts";'),
    file("b/c.ts", 'const a = await import("../a.ts");', 'import { other } from "../other.ts";'),
    file("other.ts", 'import { z } from "zod";', 'new Worker(new URL("./a.ts", import.meta.url));'),
  ];
  expect(circles(files)).toEqual(["a.ts -> b/b.ts -> b/c.ts -> a.ts"]);
  expect(circles(files.filter(({ path }) => path !== "b/c.ts"))).toEqual([]);
});

describe("the check finds", () => {
  test.each([
    ["store/a.ts", 'import { x } from "../ingest/b.ts";', "store imports ingest"],
    ["stream/a.ts", 'import type { X } from "../store/b.ts";', "stream imports store"],
    ["contract/a.ts", 'export * from "../stream/b.ts";', "contract imports stream"],
    ["contract/a.ts", 'import type { Config } from "../config.ts";', "contract imports config"],
    ["ops/a.ts", 'import { x } from "../contract/b.ts";', "ops imports contract"],
    ["api/a/b.ts", 'import {\n  x,\n  y,\n} from "../../ingest/b.ts";', "api imports ingest"],
    ["api/a.ts", 'import { configuration } from "../config.ts";', "api imports config"],
    ["ingest/a.ts", 'const x = await import("../services/b.ts");', "ingest imports services"],
    ["ingest/a.ts", 'import "../commands/b.ts";', "ingest imports commands"],
    ["ingest/a.ts", 'new Worker(new URL("../feed/b.ts", import.meta.url));', "ingest imports feed"],
    ["commands/a.ts", 'import { x } from "../main.ts";', "commands imports main"],
    ["api/a.ts", 'import { x } from "../../tests/b.ts";', "outside src"],
    ["drawer/a.ts", "", 'no rule says what "drawer" may import'],
    ["client/a.ts", 'import { isUuid } from "../contract/job-id.ts";', "client imports contract"],
    ["client/spool/a.ts", 'import { sleep } from "../../ops/retry.ts";', "client imports ops"],
    [
      "client/a.ts",
      'import { Type } from "@sinclair/typebox";',
      "client imports the package @sinclair/typebox",
    ],
    ["client/a.ts", 'import { file } from "bun";', "client imports the package bun"],
    ["api/a.ts", "const port = process.env.PORT;", "reads the environment"],
    ["ops/a.ts", 'const port = Bun.env["PORT"];', "reads the environment"],
    ["services/a.ts", 'const { PATH } = process["env"];', "reads the environment"],
    ["feed/a.ts", "import.meta.env.X", "reads the environment"],
    ["store/a.ts", 'import { env } from "node:process";', "reads the environment"],
  ])("%s: %s", (path, text, found) => {
    const [first, ...more] = violations([{ path, text }]);
    expect(first).toContain(found);
    expect(more).toEqual([]);
  });

  test("nothing in what is allowed", () => {
    const text = `import pg from "pg";
import type { Config } from "../config.ts";
import { a } from "./own.ts";
import { b } from "../store/b.ts";
import { c } from "../ops/clock.ts";
const environment = { env: 1 };`;
    expect(
      violations([
        { path: "api/a.ts", text },
        { path: "config.ts", text: "process.env.PORT" },
      ]),
    ).toEqual([]);
  });
});
