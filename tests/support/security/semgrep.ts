/** semgrep with rules of our own and those of njsscan, which are for JavaScript only as they come. */
import { globSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { YAML } from "bun";
import { runCommand } from "../../../src/services/command.ts";

const OWN_RULES = new URL("../../security/rules/", import.meta.url).pathname;
const DEADLINE_MS = 15 * 60_000;
/** For one rule and one file; after semgrep's own 5 s a busy machine has not understood the larger ones. */
const RULE_S = 120;
const LANGUAGES = ["javascript", "typescript"];

/** Folders of njsscan's rules: the others are about Express and its requests, which this service has not. */
const TAKEN = "{crypto,eval,exec,generic,jwt,xml}";
/**
 * Rules that are left out. Names of variables are no secrets, gitleaks looks for those; a comparison with undefined
 * tells nobody the time, `secret-compared` of ours is about the others.
 */
const LEFT_OUT = ["node_username", "node_password", "node_secret", "node_api_key", "node_timing_attack"];

/** A finding of semgrep. */
export interface SemgrepFinding {
  /** Without the folders that semgrep puts before it. */
  readonly rule: string;
  readonly path: string;
  /** From 1. */
  readonly line: number;
}

export interface SemgrepReport {
  readonly findings: readonly SemgrepFinding[];
  readonly scanned: readonly string[];
  /** Files of which it did not understand something, with the line. */
  readonly notUnderstood: readonly string[];
}

interface Output {
  readonly results: readonly { check_id: string; path: string; start: { line: number } }[];
  readonly paths: { readonly scanned: readonly string[] };
  readonly errors: readonly { path?: string; message: string }[];
}

/**
 * @param program semgrep in an environment that has njsscan, too
 * @param targets folders or files, relative to `cwd`
 */
export async function scan(program: string, targets: readonly string[], cwd: string): Promise<SemgrepReport> {
  const folder = await mkdtemp(join(tmpdir(), "hydraulic-semgrep-"));
  try {
    await writeFile(join(folder, "njsscan.json"), JSON.stringify({ rules: await rulesOfNjsscan(program) }));
    const output = join(folder, "found.json");
    const result = await runCommand(
      [
        ...[program, "scan", "--config", OWN_RULES, "--config", join(folder, "njsscan.json")],
        ...["--oss-only", "--metrics=off", "--disable-version-check", "--no-git-ignore", "--jobs=2"],
        `--timeout=${RULE_S}`,
        ...["--quiet", "--json", "--output", output, ...targets],
      ],
      {
        deadlineMs: DEADLINE_MS,
        cwd,
        env: { PATH: `${dirname(program)}:${process.env.PATH}`, HOME: folder, LC_ALL: "C.UTF-8" },
      },
    );
    if (result.code !== 0) throw new Error(`semgrep ended with ${result.code}: ${result.stderr}`);
    return reportOf(JSON.parse(await readFile(output, "utf8")));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function reportOf({ results, paths, errors }: Output): SemgrepReport {
  return {
    findings: results.map(({ check_id, path, start }) => ({
      rule: check_id.split(".").at(-1)!,
      path,
      line: start.line,
    })),
    scanned: paths.scanned,
    notUnderstood: errors.map(({ path, message }) => `${path}: ${message.split("\n")[0]}`),
  };
}

async function rulesOfNjsscan(program: string): Promise<object[]> {
  const pattern = join(
    dirname(program),
    `../lib/python3*/site-packages/njsscan/rules/semantic_grep/${TAKEN}/*.yaml`,
  );
  const files = globSync(pattern);
  if (files.length === 0) throw new Error(`no rules at ${pattern}`);
  const texts = await Promise.all(files.map((path) => readFile(path, "utf8")));
  return texts
    .flatMap((text) => (YAML.parse(text) as { rules: { id: string }[] }).rules)
    .filter(({ id }) => !LEFT_OUT.includes(id))
    .map((rule) => ({ ...rule, languages: LANGUAGES }));
}
