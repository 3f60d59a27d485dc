/** The test runner's own judgement: what counts as passed, what is run, what is covered. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addLcov, addUnloaded, type FileCoverage, totals } from "../../bootstrap/coverage.ts";
import { CHECKS, planTests } from "../../bootstrap/test-plan.ts";
import { addCounts, closingLine, readCounts, readFailures } from "../../bootstrap/test-summary.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "runner-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("bun's summary", () => {
  test("is read as it really is printed", async () => {
    const file = join(folder, "a.test.ts");
    const body = `import { test } from "bun:test"; test("12 pass", () => console.log(" 7 fail"));
      test.skip("s", () => {}); test.todo("t"); test("bad", () => { throw new Error(); });`;
    writeFileSync(file, body);
    const run = Bun.spawn([process.execPath, "test", file], { cwd: folder, stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    expect(readCounts(out + err, code)).toEqual({ passed: 1, failed: 1, skipped: 2 });
  });

  test("tells each failure once, with its file and its error, however many tests there are", async () => {
    const body = `import { expect, test } from "bun:test";
      for (let i = 0; i < 60; i += 1) test("t" + i, () => expect(i % 25).not.toBe(7));`;
    writeFileSync(join(folder, "a.test.ts"), "import { test } from 'bun:test'; test('well', () => {});");
    writeFileSync(join(folder, "b.test.ts"), body);
    const run = Bun.spawn([process.execPath, "test"], { cwd: folder, stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    const failures = readFailures(out + err);
    expect(failures.map(({ file }) => file)).toEqual(["b.test.ts", "b.test.ts", "b.test.ts"]);
    expect(failures.map(({ lines }) => /^\(fail\) (t\d+)/.exec(lines.at(-1)!)?.[1])).toEqual([
      "t7",
      "t32",
      "t57",
    ]);
    for (const { lines } of failures) expect(lines.join("\n")).toContain("Expected: not 7");
  });

  test("is missing when a test ends the process with success: that is a failure", async () => {
    const file = join(folder, "b.test.ts");
    writeFileSync(file, 'import { test } from "bun:test"; test("x", () => process.exit(0));');
    const run = Bun.spawn([process.execPath, "test", file], { cwd: folder, stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
    expect([code, readCounts(out + err, code)]).toEqual([0, { passed: 0, failed: 1, skipped: 0 }]);
  });

  const SUMMARY = "\n 3 pass\n 0 fail\nRan 3 tests across 1 file. [7.00ms]\n";
  test.each([
    [SUMMARY, 0, 0],
    [SUMMARY, 1, 1],
    [SUMMARY, null, 1],
    ["", 0, 1],
    [" 3 pass\n 0 fail\n", 0, 1],
    ["\n 3 pass\n 2 fail\nRan 5 tests across 1 file.\n", 1, 2],
  ])("%j with exit code %p has %i failures", (output, code, failed) => {
    expect(readCounts(output, code).failed).toBe(failed);
  });

  test("sums to one closing line", () => {
    const sum = addCounts({ passed: 2, failed: 0, skipped: 0 }, { passed: 1, failed: 1, skipped: 0 });
    expect(closingLine(sum)).toBe("3 passed, 1 failed");
    expect(closingLine({ ...sum, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
  });
});

describe("the plan", () => {
  beforeEach(() => {
    for (const file of ["unit/a.test.ts", "unit/deep/b.test.ts", "flow/a.test.ts", "unit/helper.ts"]) {
      const path = join(folder, "tests", file);
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, "");
    }
  });
  const files = (filters: string[]) => planTests(folder, filters).suites.flatMap((planned) => planned.files);

  test("without filters is everything that exists", () => {
    const plan = planTests(folder, []);
    expect(plan).toMatchObject({ checks: CHECKS, whole: true, unmatched: [] });
    expect(plan.suites.map(({ suite }) => suite.name)).toEqual(["unit", "flow"]);
  });

  test("is narrowed by suite, check, and path", () => {
    expect(files(["unit"])).toEqual(["tests/unit/a.test.ts", "tests/unit/deep/b.test.ts"]);
    expect(files(["./tests/flow/a.test.ts"])).toEqual(["tests/flow/a.test.ts"]);
    expect(files(["a.test"])).toEqual(["tests/unit/a.test.ts", "tests/flow/a.test.ts"]);
    expect(planTests(folder, ["lint"])).toMatchObject({ checks: ["lint"], suites: [], whole: false });
  });

  test("tells filters that match nothing", () => {
    expect(planTests(folder, ["unit", "fault", "nonsense"]).unmatched).toEqual(["fault", "nonsense"]);
  });
});

describe("coverage", () => {
  const lcov = (path: string, hits: number[], functionsHit: number) =>
    `TN:\nSF:${path}\nFNF:2\nFNH:${functionsHit}\n${hits.map((n, i) => `DA:${i + 1},${n}`).join("\n")}\nend_of_record\n`;

  test("unites lines over suites; of functions the best suite counts", () => {
    const known = new Map<string, FileCoverage>();
    addLcov(known, lcov("src/a.ts", [1, 0, 0, 0], 1));
    addLcov(known, lcov("src/a.ts", [0, 2, 0, 1], 2) + lcov("tests/t.ts", [0, 0], 0));
    expect(totals(known)).toEqual({
      lines: 0.75,
      functions: 1,
      worst: ["src/a.ts (1 of 4 lines uncovered)"],
    });
  });

  test("files that nothing loaded count as uncovered, types alone do not count", () => {
    const known = new Map<string, FileCoverage>();
    addLcov(known, lcov("src/a.ts", [1], 2));
    const code = join(folder, "code.ts");
    const types = join(folder, "types.ts");
    writeFileSync(code, "import x from 'y';\n// c\nexport function f(): number {\n  return x;\n}\n");
    writeFileSync(types, "export interface A { a: number }\nexport type B = A;\n");
    addUnloaded(known, [code, types, "src/a.ts"]);
    expect(known.get(code)).toMatchObject({ functionsFound: 1, functionsHit: 0 });
    expect([known.get(code)?.lines.size, known.get(types)?.lines.size]).toEqual([2, 0]);
  });

  test("nothing covered is zero, not a division by it", () => {
    expect(totals(new Map())).toEqual({ lines: 0, functions: 0, worst: [] });
  });

  test("what runs in threads is left out when named", () => {
    const known = new Map<string, FileCoverage>();
    addLcov(known, lcov("src/a.ts", [1], 2) + lcov("src/thread.ts", [0], 0));
    expect(totals(known).lines).toBe(0.5);
    expect(totals(known, ["src/thread.ts"]).lines).toBe(1);
  });
});
