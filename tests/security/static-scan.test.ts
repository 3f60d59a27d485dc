/** The code is scanned by semgrep: it finds planted defects, and nothing in the code that is not explained. */
import { beforeAll, expect, test } from "bun:test";
import { globSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ROOT } from "../support/deploy.ts";
import { type FindingOfScan, judgeFindings } from "../support/security/findings.ts";
import { type SemgrepReport, scan } from "../support/security/semgrep.ts";
import { describeWith } from "../support/tools/describe-with.ts";
import { pythonTool } from "../support/tools/python-tools.ts";

/** What runs where the service does, or starts it. */
const SCANNED = ["src", "bootstrap", "deploy"];
/** What njsscan must find in the planted defects, beside our own rules: `rule line`. */
const PLANTED = "tests/security/planted.txt";

describeWith("semgrep", await pythonTool("semgrep"), (program) => {
  let report: SemgrepReport;
  let planted: string;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "hydraulic-planted-"));
    try {
      planted = join(folder, "planted.ts");
      await writeFile(planted, await readFile(join(ROOT, PLANTED), "utf8"));
      report = await scan(program, [...SCANNED, planted], ROOT);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 15 * 60_000);

  test("finds every planted defect, and nothing beside it", async () => {
    const lines = (await readFile(join(ROOT, PLANTED), "utf8")).split("\n");
    const expected = lines.flatMap((line, index) =>
      (line.split("; // ")[1] ?? "").split(" ").flatMap((rule) => (rule ? [`${index + 1} ${rule}`] : [])),
    );
    const found = report.findings
      .filter(({ path }) => path === planted)
      .map(({ rule, line }) => `${line} ${rule}`);
    expect([...new Set(found)].sort()).toEqual(expected.sort());
  });

  test("has read every file", () => {
    const scanned = new Set(report.scanned);
    const files = SCANNED.flatMap((folder) => globSync(`${folder}/**/*.{ts,tsx,mjs}`, { cwd: ROOT }));
    expect(files.length).toBeGreaterThan(300);
    expect(files.filter((file) => !scanned.has(file))).toEqual([]);
  });

  test("has understood every one of them: of what it cannot parse it looks at nothing", () => {
    expect(report.notUnderstood).toEqual([]);
  });

  test("finds nothing in the code that is not explained", async () => {
    const lineOf = async (path: string, line: number) =>
      (await readFile(join(ROOT, path), "utf8")).split("\n")[line - 1]!.trim();
    const ours = report.findings.filter(({ path }) => path !== planted);
    const found: FindingOfScan[] = await Promise.all(
      ours.map(async ({ rule, path, line }) => ({
        tool: "semgrep" as const,
        rule,
        file: relative(ROOT, join(ROOT, path)),
        what: await lineOf(path, line),
      })),
    );
    expect(judgeFindings("semgrep", found)).toEqual({ open: [], stale: [] });
  });
});
