/** gitleaks, over the files as they are and over the history. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../../src/services/command.ts";
import type { FindingOfScan } from "./findings.ts";

const CONFIG = new URL("../../../.gitleaks.toml", import.meta.url).pathname;
const DEADLINE_MS = 5 * 60_000;
const FOUND_SOMETHING = 1;

interface Leak {
  readonly RuleID: string;
  readonly File: string;
  readonly Secret: string;
}

/** Lists the files of `root` that git knows or would take; throws what git says where there is no repository. */
async function filesOfGit(root: string): Promise<string> {
  const listed = await runCommand(["git", "ls-files", "-z", "-co", "--exclude-standard"], {
    deadlineMs: DEADLINE_MS,
    cwd: root,
  });
  if (listed.code !== 0) throw new Error(`git ls-files: ${listed.stderr}`);
  return listed.stdout;
}

/**
 * What looks like a secret. Secrets themselves are not told: each stands as its SHA-256.
 *
 * @param where the folder `root` as git sees it, without what it ignores; or every commit that led to HEAD
 */
export async function findSecrets(
  program: string,
  root: string,
  where: "files" | "history",
): Promise<FindingOfScan[]> {
  const folder = await mkdtemp(join(tmpdir(), "hydraulic-gitleaks-"));
  try {
    const source = where === "files" ? await copyOf(root, folder) : root;
    const report = join(folder, "report.json");
    const argv = [program, "detect", "--no-banner", "--config", CONFIG, "--source", source];
    const result = await runCommand(
      [
        ...argv,
        "--report-format=json",
        "--report-path",
        report,
        where === "files" ? "--no-git" : "--log-opts=HEAD",
      ],
      { deadlineMs: DEADLINE_MS },
    );
    if (result.code !== 0 && result.code !== FOUND_SOMETHING)
      throw new Error(`gitleaks ended with ${result.code}: ${result.stderr}`);
    const leaks: Leak[] = JSON.parse(await readFile(report, "utf8"));
    return leaks.map(({ RuleID, File, Secret }) => ({
      tool: "gitleaks",
      rule: RuleID,
      file: File.startsWith(source) ? File.slice(source.length + 1) : File,
      what: Bun.CryptoHasher.hash("sha256", Secret, "hex"),
    }));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A copy of what git sees: gitleaks would read node_modules and .data, too. */
async function copyOf(root: string, folder: string): Promise<string> {
  const copy = join(folder, "files");
  const list = join(folder, "list");
  const there = (await filesOfGit(root)).split("\0").filter(Boolean);
  const present = await Promise.all(
    there.map(async (path) => [path, await Bun.file(join(root, path)).exists()]),
  );
  await Bun.write(list, present.flatMap(([path, is]) => (is ? [path] : [])).join("\0"));
  const script = 'mkdir "$3" && tar -c -C "$1" --null -T "$2" -f - | tar -x -C "$3" -f -';
  const copied = await runCommand(["sh", "-c", script, "sh", root, list, copy], { deadlineMs: DEADLINE_MS });
  if (copied.code !== 0) throw new Error(`copying the files: ${copied.stderr}`);
  return copy;
}
