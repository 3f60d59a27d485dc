/** The alerts ask for what the program tells, fire when they must and only then, and each has its remedy in the docs. */
import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { alertGroups, documentsOf, metricsIn, ROOT, textOf, type Yaml } from "../../support/deploy.ts";
import { tool } from "../../support/tools/debian-tools.ts";
import { describeWith } from "../../support/tools/describe-with.ts";

const pathsOf = async (pattern: string) => (await Array.fromAsync(new Glob(pattern).scan(ROOT))).sort();
const dataOf = async (pattern: string): Promise<Yaml[]> =>
  (await Promise.all((await pathsOf(pattern)).map(documentsOf))).flat();

const groups = await alertGroups();
const alerts: [string, Yaml][] = groups.flatMap(({ rules }) => rules.map((rule: Yaml) => [rule.alert, rule]));
const checks: Yaml[] = (await dataOf("tests/unit/deploy/alerts/*.yaml")).flatMap((file) => file.tests);
const sources = (await Promise.all((await pathsOf("src/**/*-metrics.ts")).map(textOf))).join("\n");
const guide = await textOf("docs/operate.md");

test("Prometheus loads every file of alerts, and an alert has one name", async () => {
  const [prometheus] = await documentsOf("deploy/prometheus/prometheus.yml");
  expect(prometheus.rule_files).toEqual(["alerts/*.yml"]);
  expect(new Set(alerts.map(([name]) => name)).size).toBe(alerts.length);
  expect(alerts.length).toBeGreaterThan(20);
});

describe.each(alerts)("%s", (name, { expr, labels, annotations }) => {
  test("asks for metrics that the program has", () => {
    const unknown = metricsIn(expr).filter((metric) => !sources.includes(`"${metric}"`));
    expect(unknown).toEqual([]);
    // `up` is Prometheus' own.
    if (!expr.includes("up{job")) expect(metricsIn(expr)).not.toEqual([]);
  });

  test("says how urgent it is, and leads to its remedy", () => {
    expect(["page", "ticket"]).toContain(labels.severity);
    expect(annotations.summary).toEndWith(".");
    expect(annotations.runbook).toBe(`docs/operate.md#${name.toLowerCase()}`);
    const section = guide.split(`\n### ${name}\n`)[1]?.split("\n#")[0] ?? "";
    expect(section).toMatch(/\*\*Check\.\*\*[\s\S]*\*\*Do\.\*\*/);
  });

  test("has a test in which it fires, and one in which it must not", () => {
    const [quiet, fires] = ["quiet", "fires"].map((kind) =>
      checks.find((check) => check.name === `${name} ${kind}`),
    );
    for (const check of [quiet, fires]) {
      expect(check.promql_expr_test[0].expr).toContain(`alertname="${name}",alertstate="firing"`);
    }
    expect(quiet.promql_expr_test[0].exp_samples).toEqual([]);
    expect(fires.promql_expr_test[0].exp_samples).toHaveLength(1);
  });
});

test("every metric that the guide names is the program's", () => {
  const named = [...guide.matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) => metricsIn(code!));
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((metric) => !sources.includes(`"${metric}"`))).toEqual([]);
});

test("no section of the guide is about an alert that is gone", () => {
  const sections = [...guide.matchAll(/^### (Hydraulic\w+)$/gm)].map(([, name]) => name!);
  expect(sections.sort()).toEqual(alerts.map(([name]) => name).sort());
});

describeWith("promtool", await tool("promtool"), (promtool) => {
  const run = async (...args: string[]) => {
    const child = Bun.spawn([promtool, ...args], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, said: code === 0 ? "" : out + err };
  };

  test("takes the configuration with its rules", async () => {
    expect(await run("check", "config", "deploy/prometheus/prometheus.yml")).toEqual({ code: 0, said: "" });
  }, 60_000);

  test("each alert fires when it must, and only then", async () => {
    const files = await pathsOf("tests/unit/deploy/alerts/*.yaml");
    expect(await run("test", "rules", ...files)).toEqual({ code: 0, said: "" });
  }, 120_000);
});
