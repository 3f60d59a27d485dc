/** A Chromium for the tests of pages: one of this machine, else Debian's, unpacked below .data/tools without root. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { findLinker } from "../../../src/services/embedded/unpack.ts";
import { type BundleRecipe, bundleName, debianBundle, proveProgram } from "./debian-bundle.ts";
import type { Tool } from "./obtain.ts";

/** Chromium without windows, which needs no desktop; a font, since a fresh machine may have none. */
const PACKAGES = ["chromium-headless-shell", "fonts-dejavu-core"];
/** What draws by a graphics card, and what its compiler needs: a third of the download. */
const GRAPHICS = /^(libllvm|libz3|mesa-|libgl1-mesa|libglx-mesa)/;
const PROGRAM = "usr/bin/chromium-headless-shell";
const FOLDER = "usr/lib/chromium";
const FONTS = "usr/share/fonts";

/**
 * Chromium finds its own files beside what the kernel says is running, which is the linker: so the linker stands
 * there, too. It starts its processes by the path of the script; the one that would fork them without a path, and the
 * sandbox that needs it, are left out, as is the graphics card.
 */
const script = (linker: string) => `#!/bin/sh
r=\${0%/*}/../..; r=$(cd "$r" && pwd -P) || exit 126
libraries=$r/${dirname(linker)}
export FONTCONFIG_FILE="$r/${FONTS}/fonts.conf" XDG_CACHE_HOME="$r/var/cache"
exec "$r/${FOLDER}/linker" --inhibit-cache --argv0 "$0" --library-path "$libraries:$libraries/pulseaudio" \\
  "$r/${FOLDER}/chromium-headless-shell" --browser-subprocess-path="$r/${PROGRAM}" --no-zygote --no-sandbox --disable-gpu "$@"
`;

const FONTS_CONF = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir prefix="relative">.</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`;

const RECIPE: BundleRecipe = {
  name: bundleName("chromium", [PACKAGES, GRAPHICS.source, FONTS_CONF, script("")]),
  contents: "Chromium for the tests of pages",
  packages: PACKAGES,
  isNeeded: (name) => !GRAPHICS.test(name),
  wrap: (root) => {
    const linker = findLinker(root);
    copyFileSync(join(root, linker), join(root, FOLDER, "linker"));
    writeFileSync(join(root, FONTS, "fonts.conf"), FONTS_CONF);
    writeFileSync(join(root, PROGRAM), script(linker));
    chmodSync(join(root, PROGRAM), 0o755);
  },
  prove: async (root) => {
    const profile = mkdtempSync(join(tmpdir(), "chromium-"));
    try {
      await proveProgram(
        root,
        PROGRAM,
        `--user-data-dir=${profile}`,
        "--dump-dom",
        "data:text/html,<p>drawn",
      );
    } finally {
      rmSync(profile, { recursive: true, force: true });
    }
  },
  roomBytes: 1024 ** 3,
};

/**
 * The executable: of CHROMIUM_PATH, else `chromium` on PATH, else of Debian's package (0.35 GB unpacked).
 * Never throws for what a machine lacks: the reason is in `missing`.
 */
export async function chromiumTool(): Promise<Tool> {
  const here = process.env.CHROMIUM_PATH || Bun.which("chromium");
  if (here) return { path: here };
  const found = await debianBundle(RECIPE);
  return "missing" in found ? found : { path: join(found.path, PROGRAM) };
}

export function launchChromium(executablePath: string): Promise<Browser> {
  // Chromium's sandbox does not start as root.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, args, timeout: 30_000 });
}
