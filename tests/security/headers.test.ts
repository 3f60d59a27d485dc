/** What browsers are told by every kind of answer of every route: pages, API, errors, files, probes. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Registry } from "prom-client";
import { SECURITY_HEADERS } from "../../src/api/security-headers.ts";
import { createWorkerApp, type WorkerAppDeps } from "../../src/api/worker-app.ts";
import { mountConsole } from "../../src/console/console.ts";
import { systemClock } from "../../src/ops/clock.ts";
import { createLogger } from "../../src/ops/log.ts";
import type { Row } from "../support/access/row.ts";
import { ACCESS_TABLE } from "../support/access-table.ts";
import { type Person, World } from "../support/access-world.ts";
import { ApiBench, type TestApi } from "../support/api.ts";

let bench: ApiBench;
let api: TestApi;
let world: World;
let admin: Person;

beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({
    config: { LOGIN_ATTEMPTS_PER_MINUTE: 100_000 },
    resolve: async () => ["93.184.215.14"],
  });
  mountConsole(api.app);
  world = await World.create(bench, api);
  admin = await world.person("admin", false);
});
afterAll(() => bench.close());

/** Answers whose readers may keep a copy, and how. */
const KEPT: Readonly<Record<string, string>> = {
  "GET /docs": "no-cache",
  "GET /docs/:file": "public, max-age=3600",
  "GET /openapi.json": "no-cache",
  "GET /problems/:name": "no-cache",
  "GET /api/v1/units": "private, max-age=300",
  "GET /console": "no-cache",
  "GET /console/assets/:file": "public, max-age=31536000, immutable",
};
/** Pages: they load files of their own. */
const PAGES = ["GET /docs", "GET /console"];

const { "Cache-Control": _, "Content-Security-Policy": NOTHING, ...ALWAYS } = SECURITY_HEADERS;

/** Holds one answer to what a route of this name may say. */
function judge(route: string, response: Response, isRefused = false): void {
  const { headers, status } = response;
  const got = Object.fromEntries(Object.keys(ALWAYS).map((name) => [name, headers.get(name)]));
  expect({ route, status, ...got }).toEqual({ route, status, ...ALWAYS });
  const policy = headers.get("Content-Security-Policy") ?? "";
  if (PAGES.includes(route) && !isRefused) {
    expect(policy).toStartWith("default-src 'none'; script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
  } else expect({ route, policy }).toEqual({ route, policy: NOTHING! });
  const kept = headers.get("Cache-Control");
  const mayKeep = !isRefused && (route in KEPT || headers.has("ETag"));
  // With a version to ask for again, a copy stays with the one who asked.
  if (mayKeep && !(route in KEPT))
    expect(kept).toMatch(/^(no-store|private, (no-cache|max-age=\d+, must-revalidate))$/);
  else expect({ route, status, kept }).toEqual({ route, status, kept: mayKeep ? KEPT[route]! : "no-store" });
  // Told only to those who came by TLS; nothing may be read by pages of others; nothing tells which program answers.
  for (const name of ["Strict-Transport-Security", "Access-Control-Allow-Origin", "Server", "X-Powered-By"])
    expect({ route, name, value: headers.get(name) }).toEqual({ route, name, value: null });
}

/** @param credential undefined: a good one */
async function ask(route: string, row: Row, credential?: string): Promise<Response> {
  const [method = ""] = route.split(" ");
  // A token that logs out is no good for others.
  const me = route.endsWith("/logout") ? await world.person("admin", false) : admin;
  const { path, body } = await row.ask(world, world.own, me);
  const token = credential ?? me.token;
  const client = new AbortController();
  const response = await api.fetch(path, {
    method,
    signal: client.signal,
    headers: {
      ...(token === "" ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (row.endless && response.status === 200) client.abort();
  else await response.arrayBuffer();
  return response;
}

describe.each(Object.entries(ACCESS_TABLE))("%s", (route, row) => {
  test("answers with headers that keep browsers from harm", async () => {
    const response = await ask(route, row, row.may === "public" ? "" : undefined);
    expect(response.status).toBe(row.good ?? 200);
    judge(route, response, response.status >= 400);
  });

  if (row.may === "public") return;
  test("and so when it refuses", async () => {
    judge(route, await ask(route, row, ""), true);
    judge(route, await ask(route, row, "forged.forged.forged"), true);
  });
});

describe("beside the routes,", () => {
  // What is not in the OpenAPI document.
  const get = (path: string, init?: RequestInit) => fetch(api.server.url + path, init);

  test("the console's pages and files are held to the same", async () => {
    const page = await get("/console/jobs");
    judge("GET /console", page);
    const html = await page.text();
    const [, script = ""] = /src="([^"]+)"/.exec(html) ?? [];
    judge("GET /console/assets/:file", await get(script));
    const [, worker = ""] = /data-worker="([^"]+)"/.exec(html) ?? [];
    const policy = (await get(worker)).headers.get("Content-Security-Policy");
    expect(policy).toBe("default-src 'none'; connect-src 'self'");
    judge("GET /console/assets/none", await get("/console/assets/none.js"), true);
  });

  test.each([
    ["an address that is not there", "GET", "/nothing", {}, 404],
    ["a method that is not there", "PUT", "/livez", {}, 405],
    ["a file that is not there", "GET", "/docs/constructor", {}, 404],
    ["a body of a wrong type", "POST", "/api/v1/auth/login", { "Content-Type": "text/plain" }, 415],
    [
      "a page of others that asks before it sends",
      "OPTIONS",
      "/api/v1/data/ingest",
      { Origin: "https://x" },
      405,
    ],
  ] as const)("%s is, too", async (_, method, path, headers, status) => {
    const response = await get(path, { method, headers, ...(method === "POST" ? { body: "x" } : {}) });
    expect(response.status).toBe(status);
    judge(`${method} ${path}`, response, true);
  });

  test("a fault of the program is, too", async () => {
    const broken = await bench.start();
    broken.app.get("/broken", () => {
      throw new Error("inside");
    });
    const response = await fetch(`${broken.server.url}/broken`);
    expect(response.status).toBe(500);
    judge("GET /broken", response, true);
  });

  test("a worker's probes and metrics are, too", async () => {
    const log = createLogger({ level: "error", format: "json" });
    const deps = {
      clock: systemClock,
      log,
      metrics: new Registry(),
      workers: () => [],
    } as unknown as WorkerAppDeps;
    const app = createWorkerApp(deps);
    for (const path of ["/livez", "/metrics", "/nothing"]) {
      const response = await app.request(path);
      judge(`GET ${path}`, response, response.status >= 400);
    }
  });
});

test.each([
  ["https", "max-age=31536000"],
  ["https, http", "max-age=31536000"],
  ["http", null],
])("a browser that came by %s is told %p about TLS", async (proto, expected) => {
  const response = await api.fetch("/livez", { headers: { "X-Forwarded-Proto": proto } });
  expect(response.headers.get("Strict-Transport-Security")).toBe(expected);
});
