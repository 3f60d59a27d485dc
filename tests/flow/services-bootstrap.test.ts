/** The bootstrap with Node alone, in a small project of its own: installing once, signals, and clear failures. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isAlive, stopProcess } from "../../src/services/process-control.ts";
import { until } from "../support/until.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NODE = Bun.which("node") ?? process.execPath;
/** Bun puts itself on PATH as node where there is none; what only Node.js shows is left out then. */
const IS_NODE =
  Bun.spawnSync([NODE, "-p", "process.versions.bun ?? 'node'"]).stdout.toString().trim() === "node";
const NO_REGISTRY = { npm_config_registry: "http://127.0.0.1:9/" };
/** Tells its pid and each signal; ends with 7 a while after its file "over" was written. */
const PROGRAM = `import { existsSync } from "node:fs";
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => console.log("got", signal));
console.log("ready", process.pid, process.argv.slice(2).join(" "));
if (process.argv.includes("end")) process.exit(3);
setInterval(() => existsSync(new URL("over", import.meta.url)) && setTimeout(() => process.exit(7), 300), 20);`;

/** Bun writes no lockfile for a project without dependencies; this one needs no network. */
const MANIFEST = { name: "p", bunVersion: Bun.version, dependencies: { dep: "file:./dep" } };

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "bootstrap-"));
  cpSync(join(ROOT, "bootstrap"), join(project, "bootstrap"), { recursive: true });
  mkdirSync(join(project, "src"));
  writeFileSync(join(project, "src/main.ts"), PROGRAM);
  mkdirSync(join(project, "dep"));
  writeFileSync(join(project, "dep/package.json"), '{ "name": "dep", "version": "1.0.0" }');
  writeFileSync(join(project, "package.json"), JSON.stringify(MANIFEST));
  const locked = Bun.spawnSync([process.execPath, "install", "--lockfile-only"], {
    cwd: project,
    stderr: "pipe",
  });
  if (locked.exitCode !== 0) throw new Error(locked.stderr.toString());
});

afterEach(() => rmSync(project, { recursive: true, force: true }));

/** PATH with this Bun first, as on a machine that has the pinned version. */
const WITH_BUN = { PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) };

/** A folder with nothing but the named programs, to be the whole PATH. */
function pathWith(...programs: string[]): { PATH: string } {
  const folder = join(project, "path");
  mkdirSync(folder);
  for (const program of programs) {
    const found = Bun.which(program);
    if (found) writeFileSync(join(folder, program), `#!/bin/sh\nexec "${found}" "$@"\n`, { mode: 0o755 });
  }
  return { PATH: folder };
}

function bootstrap(args: readonly string[], env: Record<string, string> = WITH_BUN) {
  return Bun.spawn([NODE, join(project, "bootstrap/bootstrap.mjs"), ...args], {
    cwd: tmpdir(), // it must find its project by itself
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function finished(child: ReturnType<typeof bootstrap>) {
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
}

/** Reads stdout until `word` has come; gives all that came. */
async function reader(child: ReturnType<typeof bootstrap>): Promise<(word: string) => Promise<string>> {
  const stream = child.stdout.getReader();
  let text = "";
  return (word) =>
    until(word, async () => {
      if (text.includes(word)) return text;
      const { value, done } = await stream.read();
      text += new TextDecoder().decode(value);
      if (done && !text.includes(word)) throw new Error(`ended without "${word}": ${text}`);
      return text.includes(word) ? text : undefined;
    });
}

describe("the bootstrap", () => {
  test("installs once, hands arguments on, and ends with the program's code", async () => {
    const first = await finished(bootstrap(["run", "a", "end"]));
    expect(first).toMatchObject({ code: 3, err: expect.stringContaining("Installing dependencies") });
    const second = await finished(bootstrap(["start", "end"]));
    expect(second).toMatchObject({ code: 3, err: "", out: expect.stringMatching(/^ready \d+ start end\n/) });
  });

  test("installs again when the lockfile changed, and not when only a script did", async () => {
    await finished(bootstrap(["run", "end"]));
    const changed = { ...MANIFEST, scripts: { x: "y" } };
    writeFileSync(join(project, "package.json"), JSON.stringify(changed));
    expect((await finished(bootstrap(["run", "end"]))).err).toBe("");
    writeFileSync(join(project, "bun.lock"), `${readFileSync(join(project, "bun.lock"), "utf8")}\n`);
    expect((await finished(bootstrap(["run", "end"]))).err).toContain("Installing dependencies");
  });

  test("two first starts at once: one installs, both run", async () => {
    const both = await Promise.all([
      finished(bootstrap(["run", "end"])),
      finished(bootstrap(["run", "end"])),
    ]);
    expect(both.map(({ code }) => code)).toEqual([3, 3]);
    expect(both.filter(({ err }) => err.includes("Installing dependencies"))).toHaveLength(1);
    expect(readdirSync(join(project, ".data"))).toEqual([]);
  });

  test("a lock left by a killed install does not hold the next one up", async () => {
    const gone = Bun.spawn(["true"]);
    await gone.exited;
    mkdirSync(join(project, ".data"));
    writeFileSync(join(project, ".data/bootstrap.lock"), `${gone.pid} 1`);
    expect((await finished(bootstrap(["run", "end"]))).code).toBe(3);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "passes %s on once and waits for the program's own end",
    async (signal) => {
      const child = bootstrap(["start"]);
      const heard = await reader(child);
      const pid = Number(/ready (\d+)/.exec(await heard("start\n"))?.[1]);
      child.kill(signal);
      await heard(`got ${signal}`);
      child.kill(signal); // npm and the terminal may both deliver the same wish
      writeFileSync(join(project, "src/over"), "");
      expect(await child.exited).toBe(7);
      expect(isAlive(pid)).toBe(false);
      expect((await heard("got")).match(/got/g)).toHaveLength(1);
    },
  );

  test("a program that a signal ended is told as the shell does", async () => {
    const child = bootstrap(["start"]);
    const pid = Number(/ready (\d+)/.exec(await (await reader(child))("start\n"))?.[1]);
    await stopProcess(pid, [{ signal: "SIGKILL", graceMs: 5_000 }]);
    expect(await child.exited).toBe(137);
  });

  test("prints its usage, and refuses what it does not know", async () => {
    expect(await finished(bootstrap(["--help"]))).toMatchObject({
      code: 0,
      out: expect.stringContaining("npm test"),
    });
    expect(await finished(bootstrap(["fly"]))).toMatchObject({
      code: 2,
      err: expect.stringContaining("fly"),
    });
  });
});

describe.skipIf(!IS_NODE)("a failure is two clear lines without a stack trace:", () => {
  async function failure(args: readonly string[], env: Record<string, string>) {
    const { err, code } = await finished(bootstrap(args, env));
    expect(code).toBe(1);
    expect(err).not.toMatch(/^\s+at /m);
    return err;
  }

  test("neither Bun nor npm", async () => {
    expect(await failure(["start"], pathWith("sh"))).toMatch(
      /Bun .* is needed[\s\S]*Install Node\.js 20 or newer/,
    );
  });

  test("Bun cannot be downloaded; nothing half-done stays", async () => {
    const err = await failure(["start"], { ...pathWith("sh", "node", "npm"), ...NO_REGISTRY });
    expect(err).toMatch(/could not be fetched[\s\S]*ECONNREFUSED[\s\S]*Check the network/);
    expect(readdirSync(join(project, ".data/bun"))).toEqual([]);
  });

  test("the dependencies cannot be installed; the next start tries again", async () => {
    rmSync(join(project, "bun.lock")); // so that the registry must be asked
    const missing = { ...MANIFEST, dependencies: { "is-odd": "3.0.1" } };
    writeFileSync(join(project, "package.json"), JSON.stringify(missing));
    const err = await failure(["start"], { ...WITH_BUN, ...NO_REGISTRY });
    expect(err).toMatch(/could not be installed[\s\S]*Check the network/);
    expect(existsSync(join(project, "node_modules/.installed-from"))).toBe(false);
  });

  test("a system that the program is not made for", async () => {
    const mask = join(project, "mask.cjs");
    writeFileSync(mask, 'Object.defineProperty(process, "platform", { value: "win32" });');
    const err = await failure(["start"], { ...WITH_BUN, NODE_OPTIONS: `--require=${mask}` });
    expect(err).toMatch(/runs on Linux and macOS, not on win32[\s\S]*WSL/);
  });
});
