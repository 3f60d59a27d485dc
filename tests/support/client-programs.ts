/** Programs that use the client as other projects do: on Bun from its source, on Node.js from the package. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PRODUCER = fileURLToPath(new URL("client-producer.mjs", import.meta.url));

/** Where the client is for a program, and what runs the program. */
export interface Runtime {
  readonly name: string;
  readonly program: string;
  readonly module: string;
}

export const ON_BUN: Runtime = {
  name: "Bun",
  program: process.execPath,
  module: join(ROOT, "src/client/index.ts"),
};

/** Why Node.js cannot be tried on this machine, or null. */
export function withoutNode(): string | null {
  const node = Bun.which("node");
  if (node === null) return "there is no node on PATH";
  const version = Bun.spawnSync([node, "--version"]).stdout.toString().trim();
  const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
  return major > 20 || (major === 20 && minor >= 15) ? null : `node is ${version}, older than 20.15`;
}

/** Makes the package and unpacks it as npm would. @returns the project's folder */
export async function consumerProject(folder: string): Promise<string> {
  await run([process.execPath, "bootstrap/pack-client.ts", "--to", join(folder, "dist")], ROOT);
  const [tarball] = (await readdir(join(folder, "dist"))).filter((name) => name.endsWith(".tgz"));
  const project = join(folder, "project");
  const home = join(project, "node_modules/hydraulic-ingest");
  await mkdir(home, { recursive: true });
  await run(["tar", "xzf", join(folder, "dist", tarball!), "--strip-components=1", "-C", home], folder);
  await Bun.write(join(project, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  return project;
}

/** What a program printed. @throws {Error} with everything it said, when its status is not 0 */
export async function run(argv: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...argv], { cwd, stdout: "pipe", stderr: "pipe", timeout: 120_000 });
  const [out, err, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}\n${out}${err}`);
  return out;
}

export interface ProducerSettings {
  readonly url: string;
  readonly folder: string;
  readonly fsync?: "always" | "interval" | "never";
  /** Number of the first reading. */
  readonly first: number;
  readonly count: number;
  readonly batch?: { readonly max_readings?: number; readonly max_age_ms?: number };
  readonly after: "close" | "stay" | "exit";
}

/** One life of the producer. */
export class Producer {
  /** Numbers of the readings that the client has taken. */
  readonly taken: number[] = [];
  /** Names of the errors that writes ended with. */
  readonly errors: string[] = [];
  stderr = "";
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #heard: Promise<unknown>;

  /** @param before a command that starts the program, such as a shell that sets limits */
  constructor(runtime: Runtime, settings: ProducerSettings, before: readonly string[] = []) {
    const argv = [...before, runtime.program, PRODUCER, runtime.module, JSON.stringify(settings)];
    this.#child = Bun.spawn(argv, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    this.#heard = Promise.all([this.#hear(), this.#hearErrors()]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** As a power cut would, as far as the process can tell. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#heard;
  }

  async hasTaken(count: number): Promise<void> {
    await until(`${count} readings are taken`, () => this.#hasEnded(this.taken.length >= count), 60_000);
  }

  /** @throws {Error} when its status is not 0 */
  async end(): Promise<void> {
    await this.#heard;
    const status = await this.#child.exited;
    if (status !== 0) throw new Error(`the producer ended with ${status}\n${this.stderr}`);
  }

  #hasEnded(enough: boolean): boolean {
    if (!enough && this.#child.exitCode !== null) throw new Error(`the producer ended\n${this.stderr}`);
    return enough;
  }

  async #hear(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.#child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (/^\d+$/.test(line)) this.taken.push(Number(line));
        else this.errors.push(line);
      }
    }
  }

  async #hearErrors(): Promise<void> {
    this.stderr = await new Response(this.#child.stderr).text();
  }
}
