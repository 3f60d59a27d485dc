/** deploy/compose.yaml gives the program what it understands, and the world nothing. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, cp, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VARIABLES } from "../../../src/config/variables.ts";
import { loadConfig } from "../../../src/config.ts";
import {
  documentsOf,
  imageEnvironment,
  interpolated,
  purposeOf,
  ROOT,
  textOf,
  type Yaml,
} from "../../support/deploy.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const [compose] = await documentsOf("deploy/compose.yaml");
const services: [string, Yaml][] = Object.entries(compose.services);
const own = services.filter(([, { image }]) => image.startsWith("hydraulic-ingest:"));

describe("of the program's own services", () => {
  test("there are api and worker", () => {
    expect(own.map(([name]) => name)).toEqual(["api", "worker"]);
  });

  test.each(own)("%s has settings that the program knows and takes", async (_, { environment, command }) => {
    const given = Object.entries<string>(environment).map(([name, value]) => [
      name,
      interpolated(String(value), SECRET),
    ]);
    for (const [name] of given) expect(Object.keys(VARIABLES)).toContain(name!);
    const all = { ...(await imageEnvironment()), ...Object.fromEntries(given) };
    const config = loadConfig(all, purposeOf(command));
    expect(config.DATABASE_URL).toBe(`postgres://hydraulic:${SECRET}@timescaledb:5432/hydraulic`);
    expect(config.REDIS_URL).toBe(`redis://:${SECRET}@redis:6379/0`);
  });

  test("a worker gets no key for tokens, and starts although the API is not ready: the backlog may be full", () => {
    expect(compose.services.worker.environment).not.toHaveProperty("JWT_SECRET_KEY");
    expect(Object.keys(compose.services.worker.depends_on).sort()).toEqual(["redis", "timescaledb"]);
  });

  test.each(own)("%s is held tight, and has longer to stop than it takes", (_, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
    const grace_s = Number(/^(\d+)s$/.exec(service.stop_grace_period)?.[1]);
    expect(grace_s * 1000).toBeGreaterThan(VARIABLES.SHUTDOWN_GRACE_MS.fallback);
  });
});

describe("of all services", () => {
  test.each(services)(
    "%s is reached from this machine only, unless it is asked otherwise",
    (_, { ports = [] }) => {
      for (const port of ports) expect(interpolated(port, "")).toStartWith("127.0.0.1:");
    },
  );

  test.each(services)("%s has a pinned image, and files that exist", (_, { image, volumes = [], build }) => {
    if (build) expect(existsSync(join(ROOT, "deploy", build.context, build.dockerfile))).toBe(true);
    else expect(image).toMatch(/:v?\d+\.\d+\.\d+(-|$)/);
    for (const volume of volumes as string[]) {
      const [from = ""] = volume.split(":");
      if (from.startsWith(".")) expect(existsSync(join(ROOT, "deploy", from))).toBe(true);
      else expect(compose.volumes).toHaveProperty(from);
    }
  });

  test.each(["compose.yaml", "compose.dev.yaml"])(
    "Redis of %s keeps what was accepted, as the private one does",
    async (file) => {
      const [{ services }] = await documentsOf(`deploy/${file}`);
      const words = services.redis.command.join(" ");
      const conf = await textOf("src/services/redis-instance.ts");
      for (const setting of [
        "appendonly yes",
        "auto-aof-rewrite-min-size 256mb",
        "maxmemory-policy noeviction",
      ]) {
        expect(words).toContain(`--${setting}`);
        expect(conf).toContain(`\n${setting}\n`);
      }
    },
  );

  test("no secret is written down, and the file that has them is not committed", async () => {
    const guarded = /^\$\{\w+:\?[^}]*\}$/;
    const [development] = await documentsOf("deploy/compose.dev.yaml");
    for (const service of [...services, ...Object.entries<Yaml>(development.services)].map(([, s]) => s)) {
      for (const [name, value] of Object.entries(service.environment ?? {}).map(([n, v]) => [n, String(v)])) {
        if (/PASSWORD|SECRET|AUTH/.test(name!)) expect(value).toMatch(guarded);
        const [, password] = /\/\/\w*:(\$\{[^}]*\}|[^@]*)@/.exec(value!) ?? [];
        if (password !== undefined) expect(password).toMatch(guarded);
      }
      const words: string[] = service.command ?? [];
      if (words.includes("--requirepass")) expect(words[words.indexOf("--requirepass") + 1]).toMatch(guarded);
    }
    const ignored = (await textOf(".gitignore")).split("\n");
    expect(ignored).toEqual(expect.arrayContaining([".env", "deploy/settings.env"]));
  });
});

test("Prometheus asks the ports that the roles answer on, and Grafana asks Prometheus", async () => {
  const [prometheus] = await documentsOf("deploy/prometheus/prometheus.yml");
  const { PORT, WORKER_OPS_PORT } = await imageEnvironment();
  const asked = prometheus.scrape_configs.flatMap((job: Yaml) =>
    (job.dns_sd_configs ?? []).map(({ names, port }: Yaml) => [...names, String(port)]),
  );
  expect(asked).toEqual([
    ["api", PORT],
    ["worker", WORKER_OPS_PORT],
  ]);
  const [{ datasources }] = await documentsOf("deploy/grafana/provisioning/datasources/prometheus.yaml");
  expect(datasources[0].url).toBe("http://prometheus:9090");
});

describe("up.sh", () => {
  /** A copy of deploy/ and a docker that only tells what it was asked. */
  async function withFolder(
    use: (run: (...args: string[]) => Promise<string>, folder: string) => Promise<void>,
  ) {
    const folder = await mkdtemp(join(tmpdir(), "hydraulic-up-"));
    try {
      await cp(`${ROOT}deploy/up.sh`, join(folder, "deploy/up.sh"));
      const docker = join(folder, "docker");
      await Bun.write(docker, '#!/bin/sh\necho "docker $*"\n');
      await chmod(docker, 0o755);
      const run = async (...args: string[]) => {
        const child = Bun.spawn(["sh", join(folder, "deploy/up.sh"), ...args], {
          env: { PATH: `${folder}:/usr/bin:/bin` },
          stdout: "pipe",
          stderr: "inherit",
        });
        const out = await new Response(child.stdout).text();
        expect(await child.exited).toBe(0);
        return out;
      };
      await use(run, join(folder, "deploy"));
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test("makes every secret that compose wants once, for its owner's eyes only, and passes words on", async () => {
    await withFolder(async (run, folder) => {
      const first = await run("--scale", "worker=3");
      expect(first).toEndWith("docker compose -f compose.yaml up -d --build --wait --scale worker=3\n");
      const made = await Bun.file(join(folder, ".env")).text();
      expect((await stat(join(folder, ".env"))).mode & 0o777).toBe(0o600);
      const secrets = new Map([...made.matchAll(/^([A-Z_]+)=([0-9a-f]{64})$/gm)].map(([, n, v]) => [n, v]));
      expect(new Set(secrets.values()).size).toBe(secrets.size);
      const wanted = new Set(
        [...(await textOf("deploy/compose.yaml")).matchAll(/\$\{(\w+):\?/g)].map(([, n]) => n),
      );
      expect([...secrets.keys()].sort()).toEqual([...wanted].sort());
      expect(first).not.toContain([...secrets.values()][0]!);
      await run();
      expect(await Bun.file(join(folder, ".env")).text()).toBe(made);
    });
  });
});
