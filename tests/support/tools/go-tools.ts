/** Programs in Go that Debian does not package, built by this machine's Go by way of its module proxy. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../../src/services/command.ts";
import { ServicesError } from "../../../src/services/services-error.ts";
import { obtain, TOOLS_FOLDER, type Tool } from "./obtain.ts";

/** Programs by name: what `go install` is told. Go checks each module against its checksum database. */
const MODULES = {
  actionlint: "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
} as const;
const BUILD_DEADLINE_MS = 10 * 60_000;

export type GoTool = keyof typeof MODULES;

/**
 * The program of this name, below .data/tools, built by the first who asks (5 s). Never throws for what a machine
 * lacks: the reason is in `missing`.
 */
export async function goTool(name: GoTool): Promise<Tool> {
  const onPath = Bun.which(name);
  if (onPath !== null) return { path: onPath };
  return obtain(`go-${name}`, async () => {
    const [, version = ""] = MODULES[name].split("@");
    const folder = join(TOOLS_FOLDER, `${name}-${version}`);
    const path = join(folder, name);
    if (existsSync(path)) return { path };
    if (Bun.which("go") === null)
      return { missing: "it is not on PATH, and there is no Go to build it with" };
    mkdirSync(folder, { recursive: true });
    // Go writes beside and renames: two who build at once do not harm each other.
    const { code, stderr } = await runCommand(["go", "install", MODULES[name]], {
      deadlineMs: BUILD_DEADLINE_MS,
      env: { ...(process.env as Record<string, string>), GOBIN: folder },
    });
    if (code === 0) return { path };
    throw new ServicesError("download", `go install: ${stderr.trim().split("\n").at(-1)}`, "");
  });
}
