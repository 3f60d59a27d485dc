/** The threat model names tests that are there, for every kind of threat, and alerts and files that exist. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { ROOT, textOf } from "../support/deploy.ts";

const text = await textOf("docs/threat-model.md");
const rows = text.split("\n").filter((line) => /^\|.*\| \[.*\] \|$/.test(line));

/** `a/b, c, d/e` are a/b, a/c and d/e. */
function testsOf(cell: string): string[] {
  let folder = "";
  return cell.split(", ").map((name) => {
    if (!name.includes("/")) return `${folder}/${name}`;
    folder = name.slice(0, name.lastIndexOf("/"));
    return name;
  });
}

test("every threat has an answer and a test that is there", () => {
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows) {
    const [, answer = "", tests = ""] = /\| ([^|]+) \| \[(.*)\] \|$/.exec(row) ?? [];
    expect(answer.length, row).toBeGreaterThan(20);
    const missing = testsOf(tests).filter(
      (name) => !existsSync(`${ROOT}tests/${name}.test.ts`) && !existsSync(`${ROOT}tests/${name}`),
    );
    expect(missing).toEqual([]);
  }
});

test("every kind of STRIDE is thought of", () => {
  const kinds = [...text.matchAll(/^\| \*\*([STRIDE])\*\*/gm)].map(([, letter]) => letter);
  expect(kinds.join("")).toBe("STRIDE");
});

test("what it leads to exists", async () => {
  for (const [, file = "", anchor = ""] of text.matchAll(/\]\(([\w./-]+)#?([\w-]*)\)/g)) {
    const linked = (await textOf(`docs/${file}`)).toLowerCase();
    if (anchor !== "") expect(linked).toMatch(new RegExp(`^#+ ${anchor}$`, "m"));
  }
});
