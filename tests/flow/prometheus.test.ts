/** A real Prometheus on the real service: it has what alerts and dashboard ask for, and tells when a worker is gone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DASHBOARDS } from "../../deploy/grafana/source/write.ts";
import { choosePort } from "../../src/services/free-port.ts";
import { alertGroups, metricsIn, ROOT, type Yaml } from "../support/deploy.ts";
import type { Load } from "../support/fault/load.ts";
import type { Program } from "../support/fault/program.ts";
import { makeAllHappen } from "../support/metrics-traffic.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { Stack } from "../support/stack.ts";
import { tool } from "../support/tools/debian-tools.ts";
import { describeWith } from "../support/tools/describe-with.ts";

import { until } from "../support/until.ts";

const TEST_MS = 180_000;
const WAIT_MS = 60_000;
/** Told only where there is a read replica: tests/fault/replica.test.ts asks for it. */
const OF_REPLICA = "hydraulic_database_read_replica_up";

describeWith("prometheus", await tool("prometheus"), (program) => {
  let stack: Stack;
  let folder: string;
  let url: string;
  let worker: Program;
  let load: Load;
  let receiver: Receiver;
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
    const every = { scrape_interval: "2s", scrape_timeout: "2s", evaluation_interval: "1s" };
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
    const proxied = await Stack.createProxied({ WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8" });
    stack = proxied.stack;
    receiver = await startReceiver();
    const opsPort = String(await choosePort(undefined, []));
    worker = await stack.start("worker", { WORKER_OPS_PORT: opsPort });
    const api = await stack.start("api");
    await scrape({ "hydraulic-api": new URL(api.url).port, "hydraulic-worker": opsPort });
    load = await stack.load(8, { rate: 10 });
    await makeAllHappen({ stack, postgres: proxied.postgres, receiver });
  }, TEST_MS);
  afterAll(async () => {
    prometheus?.kill();
    await prometheus?.exited;
    await load?.stop().catch(() => undefined);
    await receiver?.close();
    await stack.close();
    await rm(folder, { recursive: true });
  }, TEST_MS);

  test.each(Object.entries(DASHBOARDS))(
    "has data for every expression of %s while batches come",
    async (_, { panels }) => {
      const asked = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));
      expect(asked.length).toBeGreaterThan(10);
      for (const { title, expr } of asked) {
        const now = expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*");
        await until(`"${title}" has data: ${now}`, () => some(now), WAIT_MS);
      }
    },
    TEST_MS,
  );

  test("has the processes that dashboards may be narrowed to", async () => {
    const [{ query }] = DASHBOARDS["ingest.json"]!.templating.list as [Yaml];
    const [, selector = ""] = /^label_values\((.+), instance\)$/.exec(query.query) ?? [];
    await until("both are there", async () => {
      const { result } = await ask(`query?query=${encodeURIComponent(selector)}`);
      return result.length === 2;
    });
  });

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
      names.delete(OF_REPLICA);
      // Again, because a scrape that a busy machine answers too late leaves a gap.
      for (const name of names)
        await until(`${name} is there`, () => some(`{__name__=~"${name}(_bucket)?"}`));
    },
    TEST_MS,
  );

  test(
    "says that a worker which was killed is gone",
    async () => {
      await load.stop();
      await stack.reckoning.drained(WAIT_MS);
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
