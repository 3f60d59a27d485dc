/** What Docker's compose and kustomize themselves make of the files of deploy/. */
import { expect, test } from "bun:test";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alertGroups, documentsOf, ROOT, textOf, type Yaml } from "../../support/deploy.ts";
import { tool } from "../../support/tools/debian-tools.ts";
import { describeWith } from "../../support/tools/describe-with.ts";

async function run(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([program, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? "", HOME: "/nonexistent", ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
}

describeWith("docker-compose config", await tool("docker-compose"), (program) => {
  const config = (file: string, env: Record<string, string>) =>
    run(program, ["-f", file, "config", "--format", "json"], env);
  const secrets = async () =>
    Object.fromEntries(
      [...(await textOf("deploy/compose.yaml")).matchAll(/\$\{(\w+):\?/g)].map(([, name]) => [
        name!,
        "0123456789abcdef".repeat(4),
      ]),
    );

  test("takes compose.yaml, and what it makes of it has no variable left", async () => {
    const { code, out, err } = await config("deploy/compose.yaml", await secrets());
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const { services } = JSON.parse(out);
    expect(Object.keys(services).sort()).toEqual([
      ...["api", "grafana", "prometheus", "redis", "timescaledb", "worker"],
    ]);
    expect(out).not.toContain("${");
    for (const [name, service] of Object.entries<Yaml>(services)) {
      expect(service.image, name).toMatch(/^[\w./-]+:[\w.-]+$/);
      expect(service.image, name).not.toEndWith(":latest");
      for (const { host_ip } of service.ports ?? []) expect(host_ip).toBe("127.0.0.1");
    }
  });

  test("gives both roles what settings.env says, and only the API the keys of tokens", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hydraulic-compose-"));
    try {
      await cp(join(ROOT, "deploy/compose.yaml"), join(folder, "compose.yaml"));
      await Bun.write(join(folder, "settings.env"), "QUERY_POOL_SIZE=7\nSTREAM_PARTITIONS=3\n");
      const { code, out } = await config(join(folder, "compose.yaml"), await secrets());
      expect(code).toBe(0);
      const { api, worker } = JSON.parse(out).services;
      for (const { environment } of [api, worker])
        expect(environment).toMatchObject({ QUERY_POOL_SIZE: "7", STREAM_PARTITIONS: "3" });
      expect(api.environment).toHaveProperty("JWT_SECRET_KEY");
      expect(worker.environment).not.toHaveProperty("JWT_SECRET_KEY");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("refuses it without the secrets, and says where they come from", async () => {
    const { code, err } = await config("deploy/compose.yaml", {});
    expect(code).not.toBe(0);
    expect(err).toContain("run deploy/up.sh");
  });

  test("takes the one for development", async () => {
    const names = [...(await textOf("deploy/compose.dev.yaml")).matchAll(/\$\{(\w+)/g)];
    const env = Object.fromEntries(names.map(([, name]) => [name!, "15432"]));
    expect((await config("deploy/compose.dev.yaml", env)).code).toBe(0);
  });
});

describeWith("kustomize build", await tool("kustomize"), (program) => {
  test("makes of the overlay what an installation has, in one namespace, with one image", async () => {
    const { code, out, err } = await run(program, ["build", "deploy/kubernetes/overlays/production"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const parsed = Bun.YAML.parse(out);
    const objects: Yaml[] = Array.isArray(parsed) ? parsed : [parsed];
    const count = (kind: string) => objects.filter((object) => object.kind === kind).length;
    expect([count("Deployment"), count("Job"), count("PodDisruptionBudget"), count("ScaledObject")]).toEqual([
      2, 1, 2, 1,
    ]);
    expect(count("PrometheusRule")).toBe(1);
    for (const { kind, metadata } of objects)
      if (kind !== "Namespace")
        expect({ kind, namespace: metadata.namespace }).toEqual({ kind, namespace: "hydraulic-ingest" });
    const images = objects
      .flatMap((object) => object.spec?.template?.spec?.containers ?? [])
      .map((c: Yaml) => c.image);
    expect(new Set(images).size).toBe(1);
    // The name of the settings has their hash: pods restart when they change.
    const [settings] = objects.filter((object) => object.kind === "ConfigMap");
    expect(settings.metadata.name).toMatch(/-[a-z0-9]{10}$/);
    expect(out.split(settings.metadata.name).length).toBeGreaterThan(3);
  });
});

test("the rules for the Prometheus Operator are those of Prometheus", async () => {
  const [rule] = await documentsOf("deploy/kubernetes/components/prometheus-rules/prometheus-rule.yaml");
  expect(rule).toMatchObject({ apiVersion: "monitoring.coreos.com/v1", kind: "PrometheusRule" });
  // To make it anew: bun deploy/prometheus/operator-rules.ts
  expect(rule.spec.groups).toEqual(await alertGroups());
});
