/** The image is built from what is there, with the pinned Bun, and runs the program as its other ways do. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import packageFile from "../../../package.json" with { type: "json" };
import { VARIABLES } from "../../../src/config/variables.ts";
import { dockerfile, imageEnvironment, ROOT, textOf } from "../../support/deploy.ts";

const instructions = await dockerfile();
const starting = (word: string) => instructions.filter((line) => line.startsWith(`${word} `));

/** Variables of the image that are not the program's. */
const OF_THE_RUNTIME = ["MIMALLOC_PURGE_DELAY", "BUN_RUNTIME_TRANSPILER_CACHE_PATH", "DO_NOT_TRACK"];

describe("the Dockerfile", () => {
  test("has package.json's Bun in every stage", () => {
    expect(starting("ARG")).toEqual([`ARG BUN_VERSION=${packageFile.bunVersion}`]);
    expect(starting("FROM").length).toBeGreaterThan(1);
    for (const from of starting("FROM"))
      expect(from).toMatch(/^FROM oven\/bun:\$\{BUN_VERSION\}-\w+( AS \w+)?$/);
  });

  test("copies what exists, and the ignore file lets exactly that through", async () => {
    const copied = starting("COPY")
      .filter((line) => !line.includes("--from="))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    for (const path of copied)
      expect({ path, there: existsSync(ROOT + path) }).toEqual({ path, there: true });
    const ignore = (await textOf("deploy/Dockerfile.dockerignore")).split("\n");
    expect(ignore).toContain("*");
    const let_through = ignore.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    expect(let_through.sort()).toEqual(copied.map((path) => path.replace(/^\.\//, "")).sort());
  });

  test("installs what the lockfile says, for production, and runs as a number that is not root's", () => {
    expect(starting("RUN").join("\n")).toContain("bun install --frozen-lockfile --production");
    expect(starting("USER")).toEqual(["USER 65532:65532"]);
    expect(instructions.indexOf("USER 65532:65532")).toBeGreaterThan(
      instructions.findLastIndex((line) => line.startsWith("FROM ")),
    );
  });

  test("sets only what the program or Bun knows", async () => {
    const names = Object.keys(await imageEnvironment());
    expect(names.filter((name) => !(name in VARIABLES)).sort()).toEqual([...OF_THE_RUNTIME].sort());
  });

  test("keeps memory as long as bootstrap does", async () => {
    const { MIMALLOC_PURGE_DELAY } = await imageEnvironment();
    expect(await textOf("bootstrap/bootstrap.mjs")).toContain(
      `GIVE_MEMORY_BACK_MS = "${MIMALLOC_PURGE_DELAY}"`,
    );
  });

  test("opens and checks the ports that it sets", async () => {
    const { PORT, WORKER_OPS_PORT } = await imageEnvironment();
    expect(starting("EXPOSE")).toEqual([`EXPOSE ${PORT} ${WORKER_OPS_PORT}`]);
    const [check = ""] = starting("HEALTHCHECK");
    expect(check).toEndWith(`CMD ["bun", "deploy/healthcheck.ts", "${PORT}", "${WORKER_OPS_PORT}"]`);
  });
});

describe("the health check", () => {
  async function check(...ports: number[]) {
    const child = Bun.spawn([process.execPath, `${ROOT}deploy/healthcheck.ts`, ...ports.map(String)], {
      stdout: "ignore",
      stderr: "pipe",
    });
    const [stderr, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    return { code, stderr };
  }
  function serving(status: number) {
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) =>
        new URL(request.url).pathname === "/readyz" ? new Response("a reason", { status }) : new Response(),
    });
    return { port: server.port!, [Symbol.asyncDispose]: () => server.stop(true) };
  }

  test("passes when one of the ports is ready", async () => {
    await using ready = serving(200);
    await using gone = serving(200);
    await gone[Symbol.asyncDispose]();
    expect(await check(gone.port, ready.port)).toEqual({ code: 0, stderr: "" });
  });
  test("fails when none is, and says why", async () => {
    await using unready = serving(503);
    const { code, stderr } = await check(unready.port);
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${unready.port}: 503 a reason`);
    expect((await check()).stderr).toContain("no port");
  });
});
