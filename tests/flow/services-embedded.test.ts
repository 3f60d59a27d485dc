/** The embedded bundle: fetched with a private apt, unpacked, run in place; and what happens when that fails. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLEAN_ENV, runCommand } from "../../src/services/command.ts";
import { findEmbedded } from "../../src/services/embedded/bundle.ts";
import { ensureRuntime } from "../../src/services/embedded/install-runtime.ts";
import { PrivateApt } from "../../src/services/embedded/private-apt.ts";
import { findLinker, unpackDeb } from "../../src/services/embedded/unpack.ts";

const QUIET = { info: () => undefined, warn: () => undefined };
const finding = await findEmbedded();
const architecture = "found" in finding ? finding.found.architecture : "";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bundle-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(architecture === "")("the embedded bundle", () => {
  test(
    "is fetched and unpacked once, runs where it is put, and also after it was moved",
    async () => {
      const labels = new Set<string>();
      const progress = { step: () => undefined, amount: (label: string) => labels.add(label) };
      mkdirSync(join(folder, "a/tmp-1/of-a-killed-start"), { recursive: true });
      const install = () => ensureRuntime(join(folder, "a"), architecture, progress, QUIET);
      const [runtime, again] = await Promise.all([install(), install()]);
      expect(again).toEqual(runtime);
      expect([...labels]).toEqual(["Downloading", "Unpacking"]);
      expect(readdirSync(join(folder, "a")).filter((name) => name.startsWith("tmp-"))).toEqual([]);
      renameSync(join(folder, "a"), join(folder, "b"));
      const moved = (path: string) => path.replace(join(folder, "a"), join(folder, "b"));
      for (const [path, words] of [
        [join(runtime.postgresBinDir, "initdb"), /^initdb \(PostgreSQL\) 17/],
        [join(runtime.postgresBinDir, "psql"), /^psql \(PostgreSQL\) 17/],
        [runtime.redisServer, /^Redis server v=\d/],
      ] as const) {
        const result = await runCommand([moved(path), "--version"], { deadlineMs: 60_000, env: CLEAN_ENV });
        expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(words) });
      }
    },
    10 * 60_000,
  );

  test("a mirror that cannot be reached is told with apt's words and a way out", async () => {
    const apt = new PrivateApt(folder, architecture);
    const update = apt.update({ list: "deb http://127.0.0.1:9/debian trixie main\n" });
    await expect(update).rejects.toMatchObject({
      code: "download",
      message: expect.stringContaining("127.0.0.1"),
      remedy: expect.stringContaining("DATABASE_URL"),
    });
  });

  test("a mirror without a valid signature is refused", async () => {
    const mirror = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response("Origin: Debian\n"),
    });
    try {
      const apt = new PrivateApt(folder, architecture);
      const update = apt.update({ list: `deb http://127.0.0.1:${mirror.port}/debian trixie main\n` });
      await expect(update).rejects.toMatchObject({ code: "download" });
    } finally {
      await mirror.stop(true);
    }
  });

  test("a broken package is told by name", async () => {
    const deb = join(folder, "broken_1_all.deb");
    writeFileSync(deb, "not a package");
    const unpacked = unpackDeb(deb, folder);
    await expect(unpacked).rejects.toMatchObject({
      code: "unpack",
      message: expect.stringContaining("broken_1"),
    });
    expect(existsSync(join(folder, "usr"))).toBe(false);
  });

  test("packages without a dynamic linker are no bundle", () => {
    expect(() => findLinker(folder)).toThrow(expect.objectContaining({ code: "unpack" }));
  });
});
