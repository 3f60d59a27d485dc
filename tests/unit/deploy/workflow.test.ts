/** The workflow for others runs what everybody runs, with no more rights and no longer than it needs. */
import { expect, test } from "bun:test";
import { Glob } from "bun";
import { documentsOf, ROOT, textOf } from "../../support/deploy.ts";
import { describeWith } from "../../support/tools/describe-with.ts";
import { goTool } from "../../support/tools/go-tools.ts";

const PATH = ".github/workflows/ci.yml";
const [workflow] = await documentsOf(PATH);
const { steps, ...job } = workflow.jobs.test;

test("it is the only one, and runs .ci/run and nothing of its own", async () => {
  expect(await Array.fromAsync(new Glob(".github/workflows/*").scan({ cwd: ROOT, dot: true }))).toEqual([
    PATH,
  ]);
  expect(Object.keys(workflow.jobs)).toEqual(["test"]);
  const commands = steps.flatMap(({ run }: { run?: string }) => run ?? []);
  expect(commands).toEqual(["bash .ci/run"]);
  expect(await textOf(".ci/run")).toContain("npm test");
});

test("it may only read, ends in time, and is given up when it is overtaken", () => {
  expect(workflow.permissions).toEqual({ contents: "read" });
  expect(job.permissions).toBeUndefined();
  expect(job["timeout-minutes"]).toBeLessThanOrEqual(90);
  expect(workflow.concurrency.group).toContain("github.ref");
  const [checkout] = steps;
  expect(checkout.with["persist-credentials"]).toBe(false);
});

test("actions are GitHub's own, at a version; no registry and no secret is named", async () => {
  const used = steps.flatMap(({ uses }: { uses?: string }) => uses ?? []);
  expect(used.length).toBeGreaterThan(0);
  for (const action of used) expect(action).toMatch(/^actions\/[a-z-]+@(v\d+|[0-9a-f]{40})$/);
  expect(await textOf(PATH)).not.toMatch(/https?:|registry|secrets\./);
});

test("what fails leaves its logs behind", () => {
  const upload = steps.at(-1);
  expect(upload).toMatchObject({ if: "failure()", with: { "if-no-files-found": "ignore" } });
  expect(upload.with.path).toContain("coverage");
});

describeWith("actionlint", await goTool("actionlint"), (program) => {
  test("has nothing to say about it", async () => {
    const child = Bun.spawn([program, PATH], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect({ code, said: out + err }).toEqual({ code: 0, said: "" });
  });
});
