/** A Chromium for browser tests: from CHROMIUM_PATH, else `chromium` on the PATH. */
import { type Browser, chromium } from "playwright-core";

/** The executable, or undefined when this machine has none. */
export function findChromium(): string | undefined {
  return process.env.CHROMIUM_PATH || Bun.which("chromium") || undefined;
}

export function launchChromium(executablePath: string): Promise<Browser> {
  // Chromium's sandbox does not start as root.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, args, timeout: 30_000 });
}
