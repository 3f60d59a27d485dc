/** Makes the PrometheusRule of deploy/kubernetes from deploy/prometheus/alerts; a test holds both together. */
import { Glob, YAML } from "bun";

const ALERTS = new URL("alerts/", import.meta.url).pathname;
const TARGET = new URL("../kubernetes/components/prometheus-rules/prometheus-rule.yaml", import.meta.url);

const files = (await Array.fromAsync(new Glob("*.yml").scan(ALERTS))).sort();
const groups = await Promise.all(
  files.map(
    async (file) => (YAML.parse(await Bun.file(ALERTS + file).text()) as { groups: object[] }).groups,
  ),
);
const rule = {
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PrometheusRule",
  metadata: { name: "hydraulic-ingest" },
  spec: { groups: groups.flat() },
};
await Bun.write(
  TARGET,
  `# Made from deploy/prometheus/alerts: bun deploy/prometheus/operator-rules.ts\n${YAML.stringify(rule, null, 2)}\n`,
);
