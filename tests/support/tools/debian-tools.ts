/** Small programs that tests need and a fresh machine lacks, from Debian's packages. */
import { join } from "node:path";
import { findLinker, wrapProgram } from "../../../src/services/embedded/unpack.ts";
import { type BundleRecipe, bundleName, debianBundle, proveProgram } from "./debian-bundle.ts";
import type { Tool } from "./obtain.ts";

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

const RECIPE: BundleRecipe = {
  name: bundleName("tools", [ALL, LIBRARIES]),
  contents: "the tools of the tests",
  packages: PACKAGES,
  isNeeded: (name) => PACKAGES.includes(name) || LIBRARIES.includes(name),
  wrap: (root) => {
    const linker = findLinker(root);
    for (const { path } of ALL) wrapProgram(root, path, path, linker);
  },
  prove: async (root) => {
    for (const { path, version } of ALL) await proveProgram(root, path, version);
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
  const found = await debianBundle(RECIPE);
  return "missing" in found ? found : { path: join(found.path, PROGRAMS[name].path) };
}
