/** Programs that tests need and a fresh machine lacks, from Debian's packages: without root, below .data/tools. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { CLEAN_ENV, runCommand } from "../../../src/services/command.ts";
import { type BundleRecipe, ensureBundle, findEmbedded } from "../../../src/services/embedded/bundle.ts";
import { findLinker, wrapProgram } from "../../../src/services/embedded/unpack.ts";
import { ServicesError } from "../../../src/services/services-error.ts";
import { obtain, TOOLS_FOLDER, type Tool } from "./obtain.ts";

/** Programs by name: the package, where it puts them, and what prints their version with exit code 0. */
const PROGRAMS = {
  "docker-compose": {
    package: "docker-compose",
    path: "usr/libexec/docker/cli-plugins/docker-compose",
    version: "version",
  },
  gitleaks: { package: "gitleaks", path: "usr/bin/gitleaks", version: "version" },
  kustomize: { package: "kustomize", path: "usr/bin/kustomize", version: "version" },
  prometheus: { package: "prometheus", path: "usr/bin/prometheus", version: "--version" },
  promtool: { package: "promtool", path: "usr/bin/promtool", version: "--version" },
  strace: { package: "strace", path: "usr/bin/strace", version: "--version" },
} as const;

export type DebianTool = keyof typeof PROGRAMS;

const ALL = Object.values(PROGRAMS);
const PACKAGES: readonly string[] = [...new Set(ALL.map((program) => program.package))];
/** All that these programs load; the rest of what apt resolves is for web pages and for installing a service. */
const LIBRARIES: readonly string[] = ["libc6", "libgcc-s1", "liblzma5", "libunwind8"];
const PROVE_DEADLINE_MS = 20_000;
const QUIET_LOG = { info: () => undefined, warn: () => undefined };

const RECIPE: BundleRecipe = {
  // Another list of packages or libraries makes another bundle.
  name: `tools-${Bun.hash.crc32(JSON.stringify([ALL, LIBRARIES])).toString(16)}`,
  contents: "the tools of the tests",
  packages: PACKAGES,
  isNeeded: (name) => PACKAGES.includes(name) || LIBRARIES.includes(name),
  wrap: (root) => {
    const linker = findLinker(root);
    for (const { path } of ALL) wrapProgram(root, path, path, linker);
  },
  prove: async (root) => {
    for (const { path, version } of ALL) {
      const { code, stderr } = await runCommand([join(root, path), version], {
        deadlineMs: PROVE_DEADLINE_MS,
        env: CLEAN_ENV,
      });
      if (code !== 0) throw new ServicesError("unpack", `${path} does not run here: ${stderr.trim()}`, "");
    }
  },
  roomBytes: 1024 ** 3,
};

/**
 * The program of this name: on PATH, else in the bundle of all these tools, which the first who asks installs
 * (0.3 GB unpacked) and later runs find. Never throws for what a machine lacks: the reason is in `missing`.
 */
export async function tool(name: DebianTool): Promise<Tool> {
  const onPath = Bun.which(name);
  if (onPath !== null) return { path: onPath };
  const found = await obtain(RECIPE.name, bundle);
  return "missing" in found ? found : { path: join(found.path, PROGRAMS[name].path) };
}

async function bundle(): Promise<Tool> {
  const embedded = await findEmbedded();
  if ("missing" in embedded) return { missing: "it is not on PATH, and Debian's packages need apt and dpkg" };
  mkdirSync(TOOLS_FOLDER, { recursive: true });
  const progress = { step: (text: string) => console.log(text), amount: () => undefined };
  const place = await ensureBundle(TOOLS_FOLDER, embedded.found.architecture, RECIPE, progress, QUIET_LOG);
  for (const name of readdirSync(TOOLS_FOLDER)) {
    const isOlder = /-tools-[0-9a-f]+$/.test(name) && name !== basename(place);
    if (isOlder) rmSync(join(TOOLS_FOLDER, name), { recursive: true, force: true });
  }
  return { path: place };
}
