/** A real Prometheus on the real service: it has what alerts and dashboard ask for, and tells when a worker is gone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choosePort } from "../../src/services/free-port.ts";
import { alertGroups, metricsIn, ROOT, textOf, type Yaml } from "../support/deploy.ts";
import type { Load } from "../support/fault/load.ts";
import type { Program } from "../support/fault/program.ts";
import { Stack } from "../support/stack.ts";
import { tool } from "../support/tools/debian-tools.ts";
import { describeWith } from "../support/tools/describe-with.ts";

import { until } from "../support/until.ts";

const TEST_MS = 90_000;
const WAIT_MS = 60_000;
/** Has a series only once Redis or PostgreSQL was away. */
const OF_FAULTS = "hydraulic_ingest_retries_total";

describeWith("prometheus", await tool("prometheus"), (program) => {
  let stack: Stack;
  let folder: string;
  let url: string;
  let worker: Program;
  let load: Load;
  let prometheus: Bun.Subprocess;

  /** `rules`, `alerts` or `query?query=…` of its HTTP API. */
  const ask = async (path: string): Promise<Yaml> => {
    const response = await fetch(`${url}/api/v1/${path}`);
    return ((await response.json()) as Yaml).data;
  };
  const some = async (expression: string) =>
    (await ask(`query?query=${encodeURIComponent(expression)}`)).result.length > 0;

  async function scrape(ports: Readonly<Record<string, string>>): Promise<void> {
    const jobs = Object.entries(ports).map(([job_name, port]) => ({
      job_name,
      static_configs: [{ targets: [`127.0.0.1:${port}`] }],
    }));
    const every = { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" };
    const rule_files = [join(ROOT, "deploy/prometheus/alerts/*.yml")];
    // JSON is YAML.
    const config = JSON.stringify({ global: every, rule_files, scrape_configs: jobs });
    await Bun.write(join(folder, "prometheus.yml"), config);
    const port = await choosePort(undefined, Object.values(ports).map(Number));
    url = `http://127.0.0.1:${port}`;
    const args = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
    prometheus = Bun.spawn([program, ...args, `--web.listen-address=127.0.0.1:${port}`], {
      stdout: "ignore",
      stderr: Bun.file(join(folder, "log")),
    });
    await until(
      "Prometheus is ready",
      () =>
        fetch(`${url}/-/ready`).then(
          (r) => r.ok,
          () => false,
        ),
      WAIT_MS,
    );
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hydraulic-prometheus-"));
    stack = await Stack.create();
    const opsPort = String(await choosePort(undefined, []));
    worker = await stack.start("worker", { WORKER_OPS_PORT: opsPort });
    const api = await stack.start("api");
    await scrape({ "hydraulic-api": new URL(api.url).port, "hydraulic-worker": opsPort });
    load = await stack.load(8, { rate: 10 });
  }, TEST_MS);
  afterAll(async () => {
    prometheus?.kill();
    await prometheus?.exited;
    await load?.stop().catch(() => undefined);
    await stack.close();
    await rm(folder, { recursive: true });
  }, TEST_MS);

  test(
    "has data for every expression of the dashboard while batches come",
    async () => {
      const { panels } = JSON.parse(await textOf("deploy/grafana/dashboards/ingest.json"));
      const expressions: string[] = panels.flatMap(({ targets }: Yaml) => targets.map((t: Yaml) => t.expr));
      const asked = expressions.filter((expression) => !expression.includes(OF_FAULTS));
      expect(asked.length).toBeGreaterThan(10);
      for (const expression of asked) {
        const now = expression.replaceAll("$__rate_interval", "10s");
        await until(`there is data for ${now}`, () => some(now), WAIT_MS);
      }
    },
    TEST_MS,
  );

  test(
    "evaluates every alert on series that are there, and none fires",
    async () => {
      const rules = await until("all rules have been evaluated", async () => {
        const all: Yaml[] = (await ask("rules")).groups.flatMap((group: Yaml) => group.rules);
        return all.every(({ health }) => health !== "unknown") && all;
      });
      const expected = (await alertGroups()).flatMap((group) => group.rules.map((rule: Yaml) => rule.alert));
      expect(rules.map((rule) => rule.name).sort()).toEqual(expected.sort());
      for (const { name, health, state } of rules)
        expect({ name, health, fires: state === "firing" }).toEqual({ name, health: "ok", fires: false });
      const names = new Set(rules.flatMap(({ query }) => metricsIn(query)));
      names.delete(OF_FAULTS);
      for (const name of names)
        expect({ name, there: await some(`{__name__=~"${name}(_bucket)?"}`) }).toEqual({ name, there: true });
    },
    TEST_MS,
  );

  test(
    "says that a worker which was killed is gone",
    async () => {
      await load.stop();
      await stack.settle(load);
      await worker.kill();
      await until(
        "the alert is on its way",
        async () =>
          (await ask("alerts")).alerts.some(
            (alert: Yaml) => alert.labels.alertname === "HydraulicWorkersGone",
          ),
        WAIT_MS,
      );
    },
    TEST_MS,
  );
});
