/** Packages are those of the lockfile, run nothing when they are installed, and have no open advisory. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageFile from "../../package.json" with { type: "json" };
import { ROOT } from "../support/deploy.ts";
import { audit } from "../support/security/audit.ts";
import { judgeFindings } from "../support/security/findings.ts";
import { findRetired } from "../support/security/retire.ts";
import { describeWith } from "../support/tools/describe-with.ts";
import { npmPackages } from "../support/tools/npm-tools.ts";

/** Of bun.lock: name and version, registry (empty: the machine's), dependencies, hash. */
type Locked = readonly [id: string, registry?: string, about?: object, integrity?: string];
/** JSON with commas after the last members. */
const lock = JSON.parse(readFileSync(`${ROOT}bun.lock`, "utf8").replaceAll(/,(?=\s*[}\]])/g, "")) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

test("every package of the lockfile is from the registry and has its hash", () => {
  const packages = Object.entries(lock.packages);
  expect(packages.length).toBeGreaterThan(100);
  const odd = packages.filter(
    ([, [id, registry, , integrity]]) =>
      registry !== "" ||
      !/^(@[\w.-]+\/)?[\w.-]+@\d[\w.+-]*$/.test(id) ||
      !/^sha512-.{86}==$/.test(integrity ?? ""),
  );
  expect(odd).toEqual([]);
});

test("no package runs a script when it is installed, and direct ones have one version", () => {
  // Without the list Bun has one of its own, of packages that it trusts.
  expect(packageFile.trustedDependencies).toEqual([]);
  const direct = { ...packageFile.dependencies, ...packageFile.devDependencies };
  expect(Object.entries(direct).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

describe("bun audit", async () => {
  const real = await audit(ROOT);
  const why = "missing" in real ? real.missing : "";
  if (why !== "") console.log(`The advisories about packages could not be asked for: ${why}.`);
  test.skipIf(why !== "")(`knows of nothing that is not explained${why && ` (left out: ${why})`}`, () => {
    expect(judgeFindings("audit", "found" in real ? real.found : [])).toEqual({ open: [], stale: [] });
  });

  test("an advisory is a finding, and without an answer nothing is said to be well", async () => {
    const url = "https://github.com/advisories/GHSA-0000-0000-0000";
    const advisory = { id: 1, url, title: "x", severity: "high", vulnerable_versions: "<999.0.0" };
    let answer: () => Response = () => Response.json({ hono: [advisory] });
    const registry = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => answer() });
    try {
      const found = [{ tool: "audit", rule: "high", file: "hono", what: url }] as const;
      expect(await audit(ROOT, registry.url.href)).toEqual({ found });
      expect(judgeFindings("audit", found, [])).toEqual({
        open: [`audit | high | hono | ${url}`],
        stale: [],
      });
      answer = () => Response.json({});
      expect(await audit(ROOT, registry.url.href)).toEqual({ found: [] });
      answer = () => new Response("not here", { status: 405 });
      expect(await audit(ROOT, registry.url.href)).toEqual({
        missing: "the registry answers no audit (405)",
      });
    } finally {
      await registry.stop(true);
    }
  });
});

describeWith("Retire.js", await npmPackages("retire"), (tool) => {
  test("knows of nothing in node_modules that is not explained", async () => {
    expect(judgeFindings("retire", await findRetired(tool, `${ROOT}node_modules`))).toEqual({
      open: [],
      stale: [],
    });
  });

  test("finds a library with a hole, also where another has bundled it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hydraulic-retired-"));
    try {
      const bundled = '/**\n * @license\n * Lodash <https://lodash.com/>\n */\nvar VERSION = "4.17.20";\n';
      await Bun.write(join(folder, "bundle.js"), bundled);
      const found = await findRetired(tool, folder);
      expect(found.map(({ file }) => file)).toContain("lodash@4.17.20");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test("an explanation holds for its finding, as long as it says, and not without a reason", () => {
  const finding = { tool: "audit", rule: "high", file: "x", what: "https://x" } as const;
  const name = "audit | high | x | https://x";
  const judged = (entry: object) =>
    judgeFindings(
      "audit",
      [finding],
      [{ ...finding, reason: "Only in tests, never served.", ...entry }],
      "2026-06-01",
    );
  expect(judged({ until: "2026-06-01" })).toEqual({ open: [], stale: [] });
  expect(judged({ until: "2026-05-31" })).toEqual({ open: [name], stale: [name] });
  expect(judged({})).toEqual({ open: [name], stale: [name] });
  expect(judged({ until: "2026-06-01", reason: "ok" })).toEqual({ open: [name], stale: [name] });
  expect(judged({ until: "2026-06-01", file: "y" }).open).toEqual([name]);
});
