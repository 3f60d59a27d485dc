/** Brings node_modules in line with bun.lock, only when they differ. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capture } from "./child.mjs";
import { withCloneLock } from "./clone-lock.mjs";
import { BootstrapFailure, diskFull, isDiskFull } from "./failure.mjs";

const INSTALL_DEADLINE_MS = 15 * 60_000;
const ASK_DEADLINE_MS = 20_000;
const STAMP = ".installed-from";

/**
 * @param {string} root the clone
 * @param {string} bun path of bun
 * @param {(text: string) => void} say progress for people
 * @throws BootstrapFailure
 */
export async function installDependencies(root, bun, say) {
  if (isCurrent(root)) return;
  await withCloneLock(join(root, ".data"), say, async () => {
    if (isCurrent(root)) return;
    say("Installing dependencies from bun.lock");
    const stamp = join(root, "node_modules", STAMP);
    rmSync(stamp, { force: true }); // from here on node_modules counts as unfinished
    const env = { ...process.env, ...(await registryOfNpm(root)) };
    const argv = [bun, "install", "--frozen-lockfile", "--no-progress"];
    const done = await capture(argv, { cwd: root, env, deadlineMs: INSTALL_DEADLINE_MS });
    if (done.code !== 0) throw isDiskFull(root) ? diskFull(root) : failed(done.output);
    writeFileSync(stamp, fingerprint(root));
  });
}

function isCurrent(root) {
  const stamp = join(root, "node_modules", STAMP);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint(root);
}

/** Hash of what decides about node_modules; scripts and descriptions in package.json do not. */
function fingerprint(root) {
  const {
    dependencies,
    devDependencies,
    bunVersion,
    patchedDependencies = {},
  } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const parts = [
    readFileSync(join(root, "bun.lock")),
    JSON.stringify({ dependencies, devDependencies, bunVersion }),
    // bun.lock has their names only.
    ...Object.values(patchedDependencies).map((patch) => readFileSync(join(root, String(patch)))),
  ];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return `${hash.digest("hex")}\n`;
}

/** Bun reads ~/.npmrc, but not npm's global settings; a registry set there is handed on. */
async function registryOfNpm(root) {
  const asked = await capture(["npm", "config", "get", "registry"], {
    cwd: root,
    deadlineMs: ASK_DEADLINE_MS,
  });
  const registry = asked.stdout.trim();
  return asked.code === 0 && URL.canParse(registry) ? { npm_config_registry: registry } : {};
}

function failed(output) {
  const lines = output.split("\n").filter((line) => /error|fail|refused|timeout/i.test(line));
  return new BootstrapFailure(
    `The dependencies could not be installed:\n  ${(lines.length > 0 ? lines : output.trim().split("\n")).slice(-4).join("\n  ")}`,
    "Check the network, the proxy and npm's registry setting, then start again; what is there already is kept.",
  );
}
