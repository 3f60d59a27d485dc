/** Retire.js over installed packages: it also knows libraries that others have bundled. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../../src/services/command.ts";
import type { FindingOfScan } from "./findings.ts";

const DEADLINE_MS = 3 * 60_000;
const LIST = "node_modules/@salesforce/code-analyzer-retirejs-engine/vulnerabilities/RetireJsVulns.json";
const FOUND_SOMETHING = 13;

interface Output {
  readonly data: readonly {
    readonly file: string;
    readonly results: readonly {
      readonly component: string;
      readonly version: string;
      readonly vulnerabilities?: readonly {
        readonly severity: string;
        readonly identifiers: { readonly summary?: string; readonly githubID?: string };
      }[];
    }[];
  }[];
}

/**
 * @param tool folder with Retire.js and its list
 * @param folder absolute
 * @returns one finding for each advisory, library and version, wherever it lies
 */
export async function findRetired(tool: string, folder: string): Promise<FindingOfScan[]> {
  const work = await mkdtemp(join(tmpdir(), "hydraulic-retire-"));
  try {
    const output = join(work, "found.json");
    const argv = [process.execPath, join(tool, "node_modules/.bin/retire"), "--jsrepo", join(tool, LIST)];
    const result = await runCommand(
      [...argv, "--path", folder, "--outputformat", "json", "--outputpath", output, "--cachedir", work],
      { deadlineMs: DEADLINE_MS, cwd: work },
    );
    if (result.code !== 0 && result.code !== FOUND_SOMETHING)
      throw new Error(`retire ended with ${result.code}: ${result.stderr || result.stdout}`);
    const { data }: Output = JSON.parse(await readFile(output, "utf8"));
    return data.flatMap(({ results }) =>
      results.flatMap(({ component, version, vulnerabilities = [] }) =>
        vulnerabilities.map(({ severity, identifiers }) => ({
          tool: "retire" as const,
          rule: severity,
          file: `${component}@${version}`,
          what: identifiers.githubID ?? identifiers.summary ?? "",
        })),
      ),
    );
  } finally {
    await rm(work, { recursive: true });
  }
}
