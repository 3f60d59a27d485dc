/** The dashboards are what their source says, in Grafana's own types, and show figures that the program has. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { Glob } from "bun";
import { DASHBOARDS, textOfDashboard } from "../../../deploy/grafana/source/write.ts";
import { documentsOf, metricsIn, ROOT, textOf, type Yaml } from "../../support/deploy.ts";

const sources = (
  await Promise.all((await Array.fromAsync(new Glob("src/**/*-metrics.ts").scan(ROOT))).map(textOf))
).join("\n");
const isRegistered = (metric: string) => sources.includes(`"${metric}"`);

test("there is a file for each, and no other", () => {
  expect(readdirSync(`${ROOT}deploy/grafana/dashboards`).sort()).toEqual(Object.keys(DASHBOARDS).sort());
  const uids = Object.values(DASHBOARDS).map(({ uid }) => uid);
  expect(new Set(uids).size).toBe(uids.length);
});

describe.each(Object.entries(DASHBOARDS))("%s", (name, dashboard) => {
  test("is as its source says", async () => {
    expect(await textOf(`deploy/grafana/dashboards/${name}`)).toBe(textOfDashboard(dashboard));
  });

  test("asks the data source that is provisioned, for figures that the program has", async () => {
    const [{ datasources }] = await documentsOf("deploy/grafana/provisioning/datasources/prometheus.yaml");
    for (const { title, datasource, targets } of dashboard.panels) {
      for (const asked of [datasource, ...targets.map((target) => target.datasource)])
        expect(asked?.uid).toBe(datasources[0].uid);
      for (const { expr } of targets) {
        expect({ title, unknown: metricsIn(expr).filter((metric) => !isRegistered(metric)) }).toEqual({
          title,
          unknown: [],
        });
        if (!expr.includes("up{job")) expect(metricsIn(expr)).not.toEqual([]);
      }
    }
  });

  test("has no variable but those that it defines, and leads to the others", () => {
    const defined = dashboard.templating.list!.map((variable) => variable.name);
    const used = dashboard.panels.flatMap(({ targets }) =>
      targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, variable]) => variable!)),
    );
    expect(new Set(used)).toEqual(new Set([...defined, "__rate_interval"]));
    const [link] = dashboard.links!;
    expect(dashboard.tags).toContain(link!.tags[0]!);
  });

  test("says of every panel what it shows and in what, and puts none upon another", () => {
    const cells = new Set<string>();
    for (const { title, description, fieldConfig, gridPos, targets } of dashboard.panels) {
      expect(description).toEndWith(".");
      expect(fieldConfig?.defaults.unit, title).toBeTruthy();
      expect(targets.every(({ legendFormat }) => legendFormat)).toBe(true);
      const { x, y, w, h } = gridPos!;
      expect(x + w).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column++)
        for (let row = y; row < y + h; row++) {
          expect(cells.has(`${column} ${row}`), title).toBe(false);
          cells.add(`${column} ${row}`);
        }
    }
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const titles = dashboard.panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

test("every metric is on a dashboard or in an alert, but for those that are for a closer look", async () => {
  const alerts = await Promise.all(
    (await Array.fromAsync(new Glob("deploy/prometheus/alerts/*.yml").scan(ROOT))).map(textOf),
  );
  const shown = new Set(
    metricsIn(
      [
        ...alerts,
        ...Object.values(DASHBOARDS).flatMap(({ panels }) =>
          panels.flatMap((p: Yaml) => p.targets.map((t: Yaml) => t.expr)),
        ),
      ].join("\n"),
    ),
  );
  const registered = [...sources.matchAll(/"((?:hydraulic|http|access|identity)_[a-z_]+)"/g)].map(
    ([, metric]) => metric!,
  );
  // Of an outside identity provider and of Redis' replicas, which few have; what disables webhooks, which the record tells.
  const closer = [
    // Only where there is a read replica; the remedy of its alert names them.
    "hydraulic_database_read_replica_fallbacks_total",
    "hydraulic_database_read_replica_lag_seconds",
    "hydraulic_database_read_replica_queries_total",
    "hydraulic_replica_wait_seconds",
    "hydraulic_webhook_disabled_total",
    "hydraulic_webhook_overflows_total",
    "identity_provider_keys_age_seconds",
    "identity_provider_looks_total",
  ];
  expect([...new Set(registered)].filter((metric) => !shown.has(metric)).sort()).toEqual(closer);
});

test("every metric that docs/deploy.md names is one of the program's", async () => {
  const code = [...(await textOf("docs/deploy.md")).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!);
  const names = code.flatMap(metricsIn).filter((name) => !name.endsWith("_"));
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((metric) => !isRegistered(metric))).toEqual([]);
});
