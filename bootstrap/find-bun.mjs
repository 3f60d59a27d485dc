/** Gets the Bun of the pinned version: the one on PATH, else one of our own below .data/bun. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { capture } from "./child.mjs";
import { withCloneLock } from "./clone-lock.mjs";
import { BootstrapFailure, diskFull, isDiskFull } from "./failure.mjs";

const ASK_DEADLINE_MS = 10_000;
const DOWNLOAD_DEADLINE_MS = 15 * 60_000;
const REPORT_MS = 1_000;
const MIB = 1024 * 1024;

/**
 * @param {string} root the clone
 * @param {string} version such as "1.4.5"
 * @param {(text: string) => void} say progress for people
 * @returns {Promise<string>} a path (or name) of bun that can be started
 * @throws BootstrapFailure
 */
export async function findBun(root, version, say) {
  const running = process.versions.bun === version ? process.execPath : "bun";
  if (await isBun(running, version)) return running;
  const dataDir = join(root, ".data");
  const place = join(dataDir, "bun", version);
  const own = join(place, "bin", "bun");
  if (existsSync(own)) return own;
  await withCloneLock(dataDir, say, async () => {
    if (!existsSync(own)) await install(dataDir, place, version, say);
  });
  return own;
}

/** True when `program` starts and is of `version`. */
async function isBun(program, version) {
  const answer = await capture([program, "--version"], { cwd: "/", deadlineMs: ASK_DEADLINE_MS });
  return answer.code === 0 && answer.stdout.trim() === version;
}

/** Installs into a folder beside `place` and renames it, so that a broken try leaves nothing that counts. */
async function install(dataDir, place, version, say) {
  const parent = join(place, "..");
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) {
    if (name.startsWith("tmp-")) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const staged = join(parent, `tmp-${process.pid}`);
  try {
    mkdirSync(join(staged, "bin"), { recursive: true });
    writeFileSync(join(staged, "package.json"), `${JSON.stringify({ private: true })}\n`);
    const command = fetchCommand(staged, version);
    say(`Getting Bun ${version} (about 40 MB, first start only)`);
    await download(command, staged, version, say);
    symlinkSync("../node_modules/bun/bin/bun.exe", join(staged, "bin", "bun"));
    if (!(await isBun(join(staged, "bin", "bun"), version))) throw broken(version, "it does not start");
    renameSync(staged, place);
  } catch (error) {
    throw isDiskFull(dataDir) ? diskFull(dataDir) : error;
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}

/**
 * Fetches the package with npm (its settings decide the registry), or with a Bun of another version. Install
 * scripts are switched off and the one that matters is run by hand: npm 12 blocks it unless asked.
 */
async function download(command, staged, version, say) {
  const reporter = setInterval(
    () => say.progress(`${Math.round(folderBytes(staged) / MIB)} MB so far`),
    REPORT_MS,
  );
  try {
    const fetched = await capture(command, {
      cwd: staged,
      deadlineMs: DOWNLOAD_DEADLINE_MS,
    });
    if (fetched.code !== 0) throw broken(version, lastLines(fetched.output));
    const script = join(staged, "node_modules", "bun", "install.js");
    const placed = await capture([process.execPath, script], {
      cwd: staged,
      deadlineMs: DOWNLOAD_DEADLINE_MS,
    });
    if (placed.code !== 0) throw broken(version, lastLines(placed.output));
    chmodSync(join(staged, "node_modules", "bun", "bin", "bun.exe"), 0o755);
  } finally {
    clearInterval(reporter);
  }
}

function fetchCommand(staged, version) {
  if (findOnPath("npm")) {
    const quiet = ["--no-audit", "--no-fund", "--no-save", "--no-package-lock", "--loglevel=error"];
    const whole = [
      "--ignore-scripts",
      "--include=optional",
      "--fetch-retries=1",
      "--fetch-retry-mintimeout=1000",
    ];
    return ["npm", "install", "--prefix", staged, ...quiet, ...whole, `bun@${version}`];
  }
  if (findOnPath("bun"))
    return ["bun", "add", "--cwd", staged, "--ignore-scripts", "--exact", `bun@${version}`];
  throw new BootstrapFailure(
    `Bun ${version} is needed, and there is neither npm nor another Bun here to fetch it with.`,
    `Install Node.js 20 or newer with npm (https://nodejs.org), or Bun ${version} (https://bun.com), and start again.`,
  );
}

function findOnPath(program) {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .some((folder) => folder !== "" && existsSync(join(folder, program)));
}

/** The lines of an error that say why, not those that name log files. */
function lastLines(output) {
  const lines = output
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.includes("complete log of this run"));
  return lines.slice(0, 4).join("\n  ") || "no output";
}

function broken(version, why) {
  return new BootstrapFailure(
    `Bun ${version} could not be fetched:\n  ${why}`,
    "Check the network, the proxy and npm's registry setting, then start again; nothing half-done is kept. " +
      `Or put Bun ${version} on PATH yourself (https://bun.com).`,
  );
}

function folderBytes(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true })) {
    const file = statSync(join(folder, entry), { throwIfNoEntry: false });
    if (file?.isFile() && !entry.endsWith("bunx.exe")) bytes += file.size;
  }
  return bytes;
}
