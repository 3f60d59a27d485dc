/** deploy/kubernetes asks of the program what it does, and gives it no more than it needs. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Hono } from "hono";
import { Registry } from "prom-client";
import packageFile from "../../../package.json" with { type: "json" };
import type { AppEnv } from "../../../src/api/app-env.ts";
import type { RouteDeps } from "../../../src/api/deps.ts";
import { mountMetrics } from "../../../src/api/routes/metrics.ts";
import { mountProbes } from "../../../src/api/routes/probes.ts";
import { createWorkerApp, type WorkerAppDeps } from "../../../src/api/worker-app.ts";
import { VARIABLES } from "../../../src/config/variables.ts";
import { loadConfig } from "../../../src/config.ts";
import {
  documentsOf,
  kubernetesObjects,
  purposeOf,
  ROOT,
  type Yaml,
  yamlFiles,
} from "../../support/deploy.ts";

const objects = await kubernetesObjects();
const [base] = await documentsOf("deploy/kubernetes/base/kustomization.yaml");
const [overlay] = await documentsOf("deploy/kubernetes/overlays/production/kustomization.yaml");
const literals = (kustomization: Yaml): Record<string, string> =>
  Object.fromEntries(kustomization.configMapGenerator[0].literals.map((text: string) => text.split("=", 2)));
const settings = { ...literals(base), ...literals(overlay) };
const ofKind = (kind: string) => objects.filter((object) => object.kind === kind);

/** Pods by the name of who makes them. */
const pods: [string, Yaml][] = [...ofKind("Deployment"), ...ofKind("Job")].map(({ metadata, spec }) => [
  metadata.name,
  spec.template.spec,
]);
const containerOf = (pod: Yaml) => pod.containers[0];
const byComponent = (component: string): Yaml =>
  ofKind("Deployment").find(({ metadata }) => metadata.labels["app.kubernetes.io/component"] === component)
    .spec.template.spec;

/** What GET answers on each port. */
function pathsOf(port: string): string[] {
  if (port === "ops") {
    const deps = { metrics: new Registry() } as unknown as WorkerAppDeps;
    return createWorkerApp(deps).routes.map(({ path }) => path);
  }
  const app = new Hono<AppEnv>();
  mountProbes(app, {} as RouteDeps);
  mountMetrics(app, { metrics: new Registry() });
  return app.routes.map(({ path }) => path);
}

describe("a pod of", () => {
  test.each(pods)("%s gets settings that the program knows and takes", (_, pod) => {
    const { env, args } = containerOf(pod);
    const secret: Record<string, string> = {
      DATABASE_URL: "postgres://u:p@db/hydraulic",
      REDIS_URL: "redis://:p@cache:6379/0",
      JWT_SECRET_KEY: "x".repeat(48),
      JWT_ACCEPTED_KEY: "y".repeat(48),
    };
    const given = env.map(({ name, valueFrom: { secretKeyRef } }: Yaml) => [name, secret[secretKeyRef.key]]);
    const all = { ...settings, ...Object.fromEntries(given) };
    for (const name of Object.keys(all)) expect(Object.keys(VARIABLES)).toContain(name);
    expect(loadConfig(all, purposeOf(args)).APP_ENV).toBe("production");
    expect("JWT_SECRET_KEY" in all).toBe(purposeOf(args) === "serve");
  });

  test.each(pods)("%s is restricted, bounded, and knows nothing of the cluster", (_, pod) => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
    });
    expect(containerOf(pod)).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      resources: {
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { cpu: expect.any(String), memory: expect.any(String) },
      },
    });
    expect(ofKind("ServiceAccount").map(({ metadata }) => metadata.name)).toContain(pod.serviceAccountName);
  });

  test.each(["api", "worker"])("%s is asked on a port and a path that it has", (component) => {
    const { ports, startupProbe, readinessProbe, livenessProbe } = containerOf(byComponent(component));
    const [{ name, containerPort }] = ports;
    expect(String(containerPort)).toBe(settings[component === "api" ? "PORT" : "WORKER_OPS_PORT"]!);
    const asked = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => [
      httpGet.port,
      httpGet.path,
    ]);
    expect(asked).toEqual([
      [name, "/livez"],
      [name, "/livez"],
      [name, "/readyz"],
    ]);
    for (const [port, path] of asked) expect(pathsOf(port)).toContain(path);
  });

  test.each(["api", "worker"])("%s has longer to stop than it takes", (component) => {
    const pod = byComponent(component);
    const { SHUTDOWN_GRACE_MS, SHUTDOWN_DELAY_MS } = loadConfig({
      SHUTDOWN_GRACE_MS: settings.SHUTDOWN_GRACE_MS,
      SHUTDOWN_DELAY_MS: settings.SHUTDOWN_DELAY_MS,
    });
    const delay_ms = component === "api" ? SHUTDOWN_DELAY_MS : 0;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan((delay_ms + SHUTDOWN_GRACE_MS) / 1000);
  });

  test("an api goes on serving until balancers have heard of its end, and is told by no pause that it ends", () => {
    expect(Number(settings.SHUTDOWN_DELAY_MS)).toBeGreaterThanOrEqual(3_000);
    expect(containerOf(byComponent("api"))).not.toHaveProperty("lifecycle");
  });
});

describe("what stands around the pods", () => {
  const components = ofKind("Deployment").map(({ spec }) => spec.selector.matchLabels);

  test("selects them, and leads to ports that they have", () => {
    const names = { api: "http", worker: "ops" } as Record<string, string>;
    const selected: [Yaml, string[]][] = [
      ...ofKind("Service").map(({ spec }): [Yaml, string[]] => [spec.selector, [spec.ports[0].targetPort]]),
      ...ofKind("PodDisruptionBudget").map(({ spec }): [Yaml, string[]] => [spec.selector.matchLabels, []]),
      ...ofKind("PodMonitor").map(({ spec }): [Yaml, string[]] => [
        spec.selector.matchLabels,
        spec.podMetricsEndpoints.map(({ port, path }: Yaml) => {
          expect(pathsOf(port)).toContain(path);
          return port;
        }),
      ]),
      ...ofKind("NetworkPolicy")
        .filter(({ spec }) => spec.ingress)
        .map(({ spec }): [Yaml, string[]] => [spec.podSelector.matchLabels, [spec.ingress[0].ports[0].port]]),
    ];
    expect(selected.length).toBeGreaterThanOrEqual(7);
    for (const [labels, ports] of selected) {
      expect(components).toContainEqual(labels);
      for (const port of ports) expect(port).toBe(names[labels["app.kubernetes.io/component"]]!);
    }
    for (const component of ["api", "worker"]) {
      const budgets = ofKind("PodDisruptionBudget").filter(
        ({ spec }) => spec.selector.matchLabels["app.kubernetes.io/component"] === component,
      );
      expect(budgets).toHaveLength(1);
    }
  });

  test("scales a Deployment by a figure that the service has", async () => {
    const [{ spec }] = ofKind("ScaledObject");
    expect(ofKind("Deployment").map(({ metadata }) => metadata.name)).toContain(spec.scaleTargetRef.name);
    const [, figure = ""] = /^max\((\w+)\)$/.exec(spec.triggers[0].metadata.query) ?? [];
    expect(await Bun.file(`${ROOT}src/stream/stream-metrics.ts`).text()).toContain(`"${figure}"`);
    expect(spec.minReplicaCount).toBeGreaterThanOrEqual(2);
  });

  test("has no secret in it: only references", () => {
    expect(ofKind("Secret")).toEqual([]);
    expect(Object.keys(settings).filter((name) => /SECRET|PASSWORD|TOKEN|_URL$/.test(name))).toEqual([]);
  });
});

test("every kustomization names files that are there, and the version of the package", async () => {
  const kustomizations = (await yamlFiles()).filter((path) => path.endsWith("/kustomization.yaml"));
  expect(kustomizations.length).toBeGreaterThanOrEqual(4);
  for (const path of kustomizations) {
    const [{ resources = [], components = [], images = [] }] = await documentsOf(path);
    for (const named of [...resources, ...components]) {
      expect({ named, there: existsSync(join(ROOT, dirname(path), named)) }).toEqual({ named, there: true });
    }
    for (const { newTag } of images) expect(newTag).toBe(packageFile.version);
  }
});
