/** A real Redis Cluster on loopback: masters and replicas of one suite alone, each a process that can be killed. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { findEmbedded } from "../../src/services/embedded/bundle.ts";
import { ensureRuntime } from "../../src/services/embedded/install-runtime.ts";
import { choosePort } from "../../src/services/free-port.ts";
import { findLocalRedis } from "../../src/services/local-binaries.ts";
import { until } from "./until.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PASSWORD = "cluster-test";
const SLOTS = 16_384;
/** Silence after which a node counts as failed, ms; in real life 15 s. A busy machine silences none for so long. */
const NODE_TIMEOUT_MS = 3_000;

export interface ClusterShape {
  readonly masters: number;
  /** Of each master. */
  readonly replicas: number;
}

/** One server of the cluster. */
export class ClusterNode {
  #child: Bun.Subprocess | null = null;
  #client: Redis | null = null;
  id = "";

  constructor(
    private readonly server: string,
    private readonly folder: string,
    readonly port: number,
    readonly busPort: number,
  ) {}

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Straight to this server, without redirections. */
  get client(): Redis {
    if (this.#client) return this.#client;
    this.#client = new Redis(this.port, "127.0.0.1", { password: PASSWORD, maxRetriesPerRequest: null });
    this.#client.on("error", () => undefined); // tests kill servers on purpose; commands wait for the reconnect
    return this.#client;
  }

  /** Start the process; after a kill it comes back with its data. */
  async start(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const settings: Record<string, string> = {
      bind: "127.0.0.1",
      port: String(this.port),
      "cluster-port": String(this.busPort),
      "cluster-enabled": "yes",
      "cluster-config-file": "nodes.conf",
      "cluster-node-timeout": String(NODE_TIMEOUT_MS),
      "repl-diskless-sync-delay": "0",
      "repl-ping-replica-period": "1",
      requirepass: PASSWORD,
      masterauth: PASSWORD,
      dir: this.folder,
      appendonly: "yes",
      save: "",
      "maxmemory-policy": "noeviction",
      logfile: "redis.log",
    };
    this.#child = Bun.spawn([this.server, ...Object.entries(settings).flatMap(([k, v]) => [`--${k}`, v])], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    await until(`${this.address} answers`, async () => (await this.client.ping()) === "PONG");
    this.id = await this.client.call("CLUSTER", "MYID").then(String);
  }

  get alive(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** As a crash or the kernel would. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }

  async close(): Promise<void> {
    this.#client?.disconnect();
    await this.kill();
  }

  async info(section: string, field: string): Promise<string | undefined> {
    return new RegExp(`^${field}:(.*?)\r?$`, "m").exec(await this.client.info(section))?.[1];
  }
}

/** The server program, or null on a machine that has Redis only in containers. */
export async function redisProgram(): Promise<string | null> {
  const local = await findLocalRedis();
  if ("found" in local) return local.found.server;
  const embedded = await findEmbedded();
  if (!("found" in embedded)) return null;
  const quiet = { info: () => undefined, warn: () => undefined };
  const silent = { step: () => undefined, amount: () => undefined };
  return (await ensureRuntime(join(ROOT, ".data/runtime"), embedded.found.architecture, silent, quiet))
    .redisServer;
}

export class RedisCluster {
  private constructor(
    private readonly folder: string,
    readonly nodes: readonly ClusterNode[],
  ) {}

  /** @throws {Error} when it does not form in time, or there is no program */
  static async start({ masters, replicas }: ClusterShape): Promise<RedisCluster> {
    const server = await redisProgram();
    if (server === null) throw new Error("no redis-server on this machine");
    await mkdir(join(ROOT, ".data"), { recursive: true });
    const folder = await mkdtemp(join(ROOT, ".data/test-cluster-"));
    const ports: number[] = [];
    for (let i = 0; i < 2 * masters * (1 + replicas); i += 1) ports.push(await choosePort(undefined, ports));
    const nodes = Array.from(
      { length: masters * (1 + replicas) },
      (_, i) => new ClusterNode(server, join(folder, String(i)), ports[2 * i]!, ports[2 * i + 1]!),
    );
    const cluster = new RedisCluster(folder, nodes);
    try {
      await Promise.all(nodes.map((node) => node.start()));
      await cluster.#join(masters);
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  /** What REDIS_URL is to be. */
  get url(): string {
    return `redis-cluster://:${PASSWORD}@${this.nodes.map(({ address }) => address).join(",")}`;
  }

  /** As `redis-cli --cluster create` does it. */
  async #join(masters: number): Promise<void> {
    const [first] = this.nodes;
    for (const [i, node] of this.nodes.entries()) {
      await node.client.cluster("SET-CONFIG-EPOCH", i + 1);
      if (i > 0) await node.client.call("CLUSTER", "MEET", "127.0.0.1", first!.port, first!.busPort);
    }
    for (const [i, node] of this.nodes.slice(0, masters).entries()) {
      const from = Math.floor((i * SLOTS) / masters);
      const to = Math.floor(((i + 1) * SLOTS) / masters) - 1;
      await node.client.call("CLUSTER", "ADDSLOTSRANGE", from, to);
    }
    await until(
      "all nodes know each other",
      () => this.#all((node) => node.knows(this.nodes.length)),
      60_000,
    );
    for (const [i, node] of this.nodes.slice(masters).entries()) {
      await node.client.call("CLUSTER", "REPLICATE", this.nodes[i % masters]!.id);
    }
    await this.settled();
  }

  async #all(holds: (node: ClusterView) => Promise<boolean>): Promise<boolean> {
    const living = this.nodes.filter(({ alive }) => alive);
    const answers = await Promise.all(living.map((node) => holds(new ClusterView(node))));
    return answers.every(Boolean);
  }

  /** Every living node sees all slots served, and every living replica follows its master. */
  async settled(deadline_ms = 60_000): Promise<void> {
    await until("the cluster is settled", () => this.#all((node) => node.isSettled()), deadline_ms);
  }

  /** The master that serves a slot, as a living node sees it. @param silent is not asked */
  async masterOf(slot: number, silent?: ClusterNode): Promise<ClusterNode> {
    const witness = this.nodes.find((node) => node.alive && node !== silent)!;
    const ranges = (await witness.client.cluster("SLOTS")) as unknown as [number, number, [string, number]][];
    const range = ranges.find(([from, to]) => slot >= from && slot <= to);
    return this.nodes.find(({ port }) => port === range![2][1])!;
  }

  /** A replica of a master. */
  async replicaOf(master: ClusterNode): Promise<ClusterNode> {
    for (const node of this.nodes) {
      if (!node.alive || node === master) continue;
      if ((await node.info("replication", "master_port")) === String(master.port)) return node;
    }
    throw new Error(`${master.address} has no replica`);
  }

  /** Move a slot with all its keys, as `redis-cli --cluster reshard` does it. */
  async moveSlot(slot: number, from: ClusterNode, to: ClusterNode): Promise<void> {
    await to.client.call("CLUSTER", "SETSLOT", slot, "IMPORTING", from.id);
    await from.client.call("CLUSTER", "SETSLOT", slot, "MIGRATING", to.id);
    for (;;) {
      const keys = (await from.client.cluster("GETKEYSINSLOT", slot, 100)) as string[];
      if (keys.length === 0) break;
      const address = ["127.0.0.1", to.port, "", 0, 5_000] as const;
      await from.client.call("MIGRATE", ...address, "AUTH", PASSWORD, "KEYS", ...keys);
    }
    for (const node of [to, from]) await node.client.call("CLUSTER", "SETSLOT", slot, "NODE", to.id);
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** What one node says of the cluster. */
class ClusterView {
  constructor(private readonly node: ClusterNode) {}

  async #field(name: string): Promise<string | undefined> {
    const info = String(await this.node.client.cluster("INFO"));
    return new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1];
  }

  async knows(nodes: number): Promise<boolean> {
    return Number(await this.#field("cluster_known_nodes")) === nodes;
  }

  async isSettled(): Promise<boolean> {
    if ((await this.#field("cluster_state")) !== "ok") return false;
    if (Number(await this.#field("cluster_slots_ok")) !== SLOTS) return false;
    const role = await this.node.info("replication", "role");
    return role === "master" || (await this.node.info("replication", "master_link_status")) === "up";
  }
}
