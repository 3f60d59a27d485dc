/** What the documentation names is there: pages, files, scripts and their options, routes, variables, metrics. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import pack from "../../package.json";
import { VARIABLES } from "../../src/config/variables.ts";
import { createUnitRegistry, parseUnitDefinitions } from "../../src/contract/units.ts";
import { ACCESS_TABLE } from "../support/access-table.ts";
import { ROOT } from "../support/deploy.ts";
import { brokenLinks, pages, textOfAll, unknown } from "../support/docs.ts";
import { blocksOf } from "../support/markdown-blocks.ts";

const all = await pages();
const sources = await textOfAll([
  "src/**/*.ts",
  "load/**/*.ts",
  "tests/e2e/**/*.ts",
  "tests/support/**/*.ts",
  "tests/unit/fuzz/**/*.ts",
  "tests/flow/schemathesis/**/*.ts",
  "bootstrap/*",
  "deploy/**/*.{ts,sh,yaml,yml}",
  "deploy/Dockerfile",
]);

/** Of other programs, or the reader's own. */
const FOREIGN_VARIABLES: readonly string[] = [
  "ADMIN_URL",
  "CERT_HAS_EXPIRED",
  "HYDRAULIC_API_KEY",
  "HYDRAULIC_URL",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "OTEL_EXPORTER_OTLP_TIMEOUT",
  "REPLICATION_URL",
];
/** The reader makes it: a file, a role of the database. */
const MADE_BY_READER = /^(deploy\/(\.env|settings\.env)|hydraulic_record)$/;

test("there are pages to look at, and each kind of name is found in them", () => {
  expect(all.length).toBeGreaterThan(30);
  const text = all.map((page) => page.text).join("\n");
  for (const known of [
    "npm run verify",
    "/api/v1/data/ingest",
    "hydraulic_stream_",
    "DATABASE_URL",
    "src/api/",
  ])
    expect(text).toContain(known);
});

test("links lead to files and headings", () => expect(brokenLinks(all)).toEqual([]));

test("a link to nothing is found", () => {
  const text =
    "[a](docs/none.md) [b](#here) [c](#nowhere) [d](https://example.com/x) [e](docs/load.md#nothing)\n## Here";
  const page = { path: "README.md", text };
  expect(brokenLinks([page])).toEqual([
    "README.md: ](docs/none.md)",
    "README.md: ](#nowhere)",
    "README.md: ](docs/load.md#nothing)",
  ]);
});

test("files that are named exist", () => {
  const path = /`((?:src|tests|load|deploy|sql|bootstrap|docs)\/[\w./-]*[\w-])`/g;
  const isThere = (file: string, page: { path: string }) =>
    existsSync(ROOT + file) || existsSync(join(ROOT, dirname(page.path), file)) || MADE_BY_READER.test(file);
  expect(unknown(all, path, isThere)).toEqual([]);
});

test("README tells what each folder of the program is for", () => {
  const readme = all.find(({ path }) => path === "README.md")!.text;
  const folders = readdirSync(`${ROOT}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.length).toBeGreaterThan(10);
  expect(folders.filter(({ name }) => !readme.includes(`| \`src/${name}\` |`))).toEqual([]);
});

test("scripts are in package.json, and their options in the programs", () => {
  expect(unknown(all, /\bnpm run ([\w:-]+)/g, (name) => Object.hasOwn(pack.scripts, name))).toEqual([]);
  const commands = all.map(({ path, text }) => ({
    path,
    text: (text.match(/npm run [^\n`]*/g) ?? []).join("\n"),
  }));
  expect(unknown(commands, /(?<=\s)(--[a-z][a-z0-9-]+)/g, (option) => sources.includes(option))).toEqual([]);
});

test("routes are those of the service", () => {
  const routes = Object.keys(ACCESS_TABLE).map((row) => row.slice(row.indexOf(" ") + 1).split("/"));
  const isRoute = (path: string) => {
    const parts = path.replace(/[/.:]+$/, "").split("/");
    return routes.some((route) => {
      const isSame = (part: string, i: number) => part.startsWith(":") || part === parts[i];
      return route.length === parts.length && route.every(isSame);
    });
  };
  expect(unknown(all, /(?<![\w.])(\/api\/v[12]\/[\w{}/$<>:.…-]*)/g, isRoute)).toEqual([]);
});

test("environment variables are the service's, or of a program beside it", () => {
  const isKnown = (name: string) =>
    Object.hasOwn(VARIABLES, name) || FOREIGN_VARIABLES.includes(name) || sources.includes(name);
  expect(unknown(all, /\b([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)\b/g, isKnown)).toEqual([]);
});

test("the file of units in formats.md is taken as it stands", () => {
  const page = all.find(({ path }) => path === "docs/formats.md")!;
  const { text } = blocksOf(page.text).find(({ section }) => section === "Units of your own")!;
  const units = createUnitRegistry(parseUnitDefinitions(JSON.parse(text)));
  expect(units.lookup("newton")?.unit.symbol).toBe("kN");
});

test("metrics are those of the service", () => {
  const metrics = new Set(sources.match(/\bhydraulic_[a-z_]+/g));
  const isKnown = (name: string) =>
    MADE_BY_READER.test(name) ||
    (name.endsWith("_")
      ? [...metrics].some((metric) => metric.startsWith(name))
      : metrics.has(name) || metrics.has(name.replace(/_(bucket|sum|count)$/, "")));
  expect(unknown(all, /\b(hydraulic_[a-z_]+)/g, isKnown)).toEqual([]);
});
