/** A Redis of one suite alone, with its append-only file: killed, emptied, set back, or cut off from its power. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { choosePort } from "../../../src/services/free-port.ts";
import { isAlive } from "../../../src/services/process-control.ts";
import { redisProgram } from "../redis-cluster.ts";
import { until } from "../until.ts";
import { emptyDiskOf, fillDiskOf, type ServersDisk, serversDisk } from "./small-disk.ts";
import { TRACED_CALLS, writesOf } from "./synced-writes.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const AOF = "appendonlydir";

export interface OwnRedisOptions {
  /** In place of the defaults, as in redis.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Path of strace: makes `cutPower` possible. */
  readonly tracer?: string;
  /** Size of a disk of its own for its data, which `fillDisk` fills; without it, or where none can be mounted: a folder. */
  readonly disk_mib?: number;
}

export class OwnRedis {
  /** Without a disk of its own: the server, or strace, which has written its trace when it ends. */
  #child: Bun.Subprocess | null = null;
  #shell: Bun.Subprocess<"pipe", "ignore", "ignore"> | null = null;
  #pid = 0;
  #admin: Redis | null = null;
  /** Sizes of the append-only files, and of the trace, when the server was ready. */
  #base = new Map<string, number>();
  #traced = 0;

  private constructor(
    private readonly server: string,
    private readonly root: string,
    readonly port: number,
    private readonly options: OwnRedisOptions,
    readonly disk: ServersDisk,
  ) {}

  static async start(options: OwnRedisOptions = {}): Promise<OwnRedis> {
    await mkdir(join(ROOT, ".data"), { recursive: true });
    const root = await mkdtemp(join(ROOT, ".data/test-redis-"));
    const disk = options.disk_mib
      ? await serversDisk({ path: join(root, "disk"), mebibytes: options.disk_mib })
      : { missing: "none was asked for" };
    const port = await choosePort(undefined, []);
    const server = await redisProgram();
    if (server === null) throw new Error("no redis-server on this machine");
    const redis = new OwnRedis(server, root, port, options, disk);
    await redis.start();
    return redis;
  }

  /** Of its data. */
  get folder(): string {
    return "missing" in this.disk ? this.root : this.disk.path;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** For the test itself. */
  get admin(): Redis {
    if (!this.#admin) throw new Error("Redis does not run");
    return this.#admin;
  }

  /** Start it, on the data that is in its folder. */
  async start(): Promise<void> {
    const settings: Record<string, string> = {
      bind: "127.0.0.1",
      port: String(this.port),
      dir: this.folder,
      appendonly: "yes",
      appendfsync: "everysec",
      save: "",
      "maxmemory-policy": "noeviction",
      logfile: "redis.log",
      ...this.options.settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const { tracer } = this.options;
    const trace = tracer
      ? [tracer, "-f", "-y", "-s", "0", "-e", `trace=${TRACED_CALLS}`, "-o", this.#trace]
      : [];
    this.#launch([...trace, this.server, ...flags]);
    this.#admin?.disconnect();
    const admin = new Redis(this.url, { maxRetriesPerRequest: null, commandTimeout: 10_000 });
    admin.on("error", () => undefined); // tests kill it on purpose
    this.#admin = admin;
    const info = await until("Redis answers", () => admin.info("server").catch(() => undefined), 20_000);
    this.#pid = Number(/^process_id:(\d+)/m.exec(info)![1]);
    if (!tracer) return;
    this.#base = await this.#sizes();
    this.#traced = (await stat(this.#trace)).size;
  }

  /** On a disk of its own within a shell that stays, because the disk ends with the last process that has it. */
  #launch(command: readonly string[]): void {
    if ("missing" in this.disk) {
      this.#child = Bun.spawn([...command], { stdio: ["ignore", "ignore", "ignore"] });
    } else if (this.#shell) {
      this.#shell.stdin.write("again\n");
      this.#shell.stdin.flush();
    } else {
      const again = 'while :; do "$@"; read -r line || exit 0; done';
      this.#shell = Bun.spawn([...this.disk.prefix, "sh", "-c", again, "sh", ...command], {
        stdio: ["pipe", "ignore", "ignore"],
      });
    }
  }

  /** False once it was killed, or has ended by itself. */
  get alive(): boolean {
    return this.#pid > 0 && isAlive(this.#pid);
  }

  /** kill -9: what was written is there, synced or not, because the machine lives. */
  async kill(): Promise<void> {
    this.#admin?.disconnect();
    if (this.alive) process.kill(this.#pid, "SIGKILL");
    await until("Redis has ended", () => !this.alive);
    await this.#child?.exited;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  fillDisk(): void {
    fillDiskOf(this.#shell!.pid, this.disk);
  }

  async emptyDisk(): Promise<void> {
    await emptyDiskOf(this.#shell!.pid, this.disk);
  }

  /** Bytes that would be kept by a power cut now, and bytes that would be lost whatever sync is under way. */
  async keeping(): Promise<{ kept: number; lost: number }> {
    const files = [...(await this.#writes()).values()];
    return {
      kept: files.reduce((sum, { synced }) => sum + synced, 0),
      lost: files.reduce((sum, { written, syncing }) => sum + written - syncing, 0),
    };
  }

  /** kill -9, and whatever was not synced is gone. @returns bytes that were lost */
  async cutPower(): Promise<number> {
    await this.kill();
    const files = await this.#writes();
    let lost = 0;
    for (const [path, size] of await this.#sizes()) {
      const kept = (this.#base.get(path) ?? 0) + (files.get(path)?.synced ?? 0);
      if (kept > size) throw new Error(`${path} is shorter than what was synced`);
      lost += size - kept;
      await truncate(path, kept);
    }
    return lost;
  }

  /** Delete all data, while it does not run. */
  async wipe(): Promise<void> {
    await rm(join(this.folder, AOF), { recursive: true, force: true });
  }

  /** The data as it is on the disk now, to be put back while it does not run. */
  async snapshot(): Promise<() => Promise<void>> {
    const copy = join(this.folder, `copy-${crypto.randomUUID()}`);
    await cp(join(this.folder, AOF), copy, { recursive: true });
    return async () => {
      await this.wipe();
      await cp(copy, join(this.folder, AOF), { recursive: true });
    };
  }

  async close(): Promise<void> {
    await this.kill();
    await this.#shell?.stdin.end();
    await this.#shell?.exited;
    await rm(this.root, { recursive: true, force: true });
  }

  get #trace(): string {
    return join(this.folder, "trace");
  }

  async #writes() {
    const text = (await readFile(this.#trace)).subarray(this.#traced).toString("latin1");
    return new Map([...writesOf(text)].filter(([path]) => path.endsWith(".incr.aof")));
  }

  /** Of the files that grow. */
  async #sizes(): Promise<Map<string, number>> {
    const folder = join(this.folder, AOF);
    const names = (await readdir(folder)).filter((name) => name.endsWith(".incr.aof"));
    const sizes = names.map(
      async (name) => [join(folder, name), (await stat(join(folder, name))).size] as const,
    );
    return new Map(await Promise.all(sizes));
  }
}
