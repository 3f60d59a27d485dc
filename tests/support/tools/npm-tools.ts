/** npm packages that only tests use and that would bring many others into our own lockfile: each with one of its own. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../../src/services/command.ts";
import { ProgramLock, waitForLock } from "../../../src/services/program-lock.ts";
import { ServicesError } from "../../../src/services/services-error.ts";
import { obtain, TOOLS_FOLDER, type Tool } from "./obtain.ts";

const FOLDER = new URL("npm/", import.meta.url).pathname;
const INSTALL_DEADLINE_MS = 5 * 60_000;

/**
 * The folder whose `node_modules` has these packages, below .data/tools, installed from the lockfile by the first who
 * asks (2 s). No script of a package is run. Never throws for what a machine lacks: the reason is in `missing`.
 */
export async function npmPackages(name: "retire"): Promise<Tool> {
  const list = join(FOLDER, name);
  const place = join(
    TOOLS_FOLDER,
    `${name}-${Bun.hash.crc32(readFileSync(join(list, "bun.lock"))).toString(16)}`,
  );
  const isComplete = (): boolean => existsSync(join(place, "complete"));
  return obtain(`npm-${name}`, async () => {
    if (isComplete()) return { path: place };
    mkdirSync(TOOLS_FOLDER, { recursive: true });
    const lock = new ProgramLock(join(TOOLS_FOLDER, "npm.lock"));
    try {
      await waitForLock(
        () => lock.tryExclusive(),
        INSTALL_DEADLINE_MS,
        () => console.log("Another process of this clone is installing packages for tests; waiting for it"),
      );
      if (!isComplete()) await install(list, place);
    } finally {
      lock.close();
    }
    return { path: place };
  });
}

async function install(list: string, place: string): Promise<void> {
  rmSync(place, { recursive: true, force: true });
  cpSync(list, place, { recursive: true });
  const argv = [process.execPath, "install", "--frozen-lockfile", "--ignore-scripts", "--no-progress"];
  const { code, stderr } = await runCommand(argv, { cwd: place, deadlineMs: INSTALL_DEADLINE_MS });
  if (code !== 0) throw new ServicesError("download", stderr.trim().split("\n").at(-1) ?? "", "");
  writeFileSync(join(place, "complete"), "");
}
