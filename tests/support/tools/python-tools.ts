/** Python programs that tests use: each in a virtual environment of its own, every file pinned by its hash. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { runCommand } from "../../../src/services/command.ts";
import { ProgramLock, waitForLock } from "../../../src/services/program-lock.ts";
import { ServicesError } from "../../../src/services/services-error.ts";
import { obtain, TOOLS_FOLDER, type Tool } from "./obtain.ts";

/**
 * Programs by the list of what is installed for them. A list is made from its `.in` by uv (a Python package):
 * `uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate X.in -o X.txt`
 */
const REQUIREMENTS = { schemathesis: "schemathesis", njsscan: "njsscan", semgrep: "njsscan" } as const;
const FOLDER = new URL("requirements/", import.meta.url).pathname;
const MIN_PYTHON = [3, 11] as const;
const ASK_DEADLINE_MS = 30_000;
const INSTALL_DEADLINE_MS = 10 * 60_000;

export type PythonTool = keyof typeof REQUIREMENTS;

/**
 * The program of this name in its environment below .data/tools, made by the first who asks (10 s) with this
 * machine's Python and pip's own settings. Never throws for what a machine lacks: the reason is in `missing`.
 * A program on PATH is not taken: what these find depends on their version.
 */
export async function pythonTool(name: PythonTool): Promise<Tool> {
  const list = join(FOLDER, `${REQUIREMENTS[name]}.txt`);
  const place = `${REQUIREMENTS[name]}-${Bun.hash.crc32(readFileSync(list)).toString(16)}`;
  const found = await obtain(place, () => environment(join(TOOLS_FOLDER, place), list));
  return "missing" in found ? found : { path: join(found.path, "bin", name) };
}

async function environment(place: string, list: string): Promise<Tool> {
  if (isComplete(place)) return { path: place };
  const missing = await pythonObstacle();
  if (missing !== undefined) return { missing };
  mkdirSync(TOOLS_FOLDER, { recursive: true });
  const lock = new ProgramLock(join(TOOLS_FOLDER, "python.lock"));
  try {
    await waitForLock(
      () => lock.tryExclusive(),
      INSTALL_DEADLINE_MS,
      () => console.log("Another process of this clone is installing Python tools; waiting for it"),
    );
    if (!isComplete(place)) await install(place, list);
  } finally {
    lock.close();
  }
  return { path: place };
}

/** Why no environment can be made here; undefined when one can. */
async function pythonObstacle(): Promise<string | undefined> {
  const [major, minor] = MIN_PYTHON;
  const script = `import sys, venv, ensurepip; sys.exit(sys.version_info < (${major}, ${minor}))`;
  const { code } = await runCommand(["python3", "-c", script], { deadlineMs: ASK_DEADLINE_MS });
  if (code === 0) return undefined;
  return `it needs python3 ${major}.${minor} or newer with venv and pip (Debian: package python3-venv)`;
}

/** A virtual environment has its own path in it, so it is made in place; a file made last makes it count. */
const isComplete = (place: string): boolean => existsSync(join(place, "complete"));

async function install(place: string, list: string): Promise<void> {
  console.log(`Getting ${basename(list, ".txt")} from Python's packages (first time only)`);
  rmSync(place, { recursive: true, force: true });
  const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"];
  await step(["python3", "-m", "venv", place]);
  await step([join(place, "bin/python"), ...pip, "-r", list]);
  writeFileSync(join(place, "complete"), "");
}

async function step(argv: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand(argv, { deadlineMs: INSTALL_DEADLINE_MS });
  if (code === 0) return;
  const said = stderr.split("\n").filter((line) => /^(ERROR|error)/.test(line));
  throw new ServicesError("download", said[0] ?? stderr.trim(), "");
}
