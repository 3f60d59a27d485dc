/** Tests that need a tool, and how they say that it is not there. */
import { describe } from "bun:test";
import type { Tool } from "./obtain.ts";

/** `describe` for tests with a tool: they are skipped when it is missing, and title and output say why. */
export function describeWith(name: string, found: Tool, body: (path: string) => void): void {
  if ("path" in found) {
    describe(name, () => body(found.path));
    return;
  }
  console.log(`Tests with ${name} are left out: ${found.missing}`);
  describe.skip(`${name} (left out: ${found.missing.replaceAll("\n", " ")})`, () => body(""));
}
