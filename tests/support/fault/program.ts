/** The program as a child process: started with an environment of its own, heard line by line, ended by signals. */
import { fileURLToPath } from "node:url";
import { choosePort } from "../../../src/services/free-port.ts";
import { until } from "../until.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const KEPT_LINES = 4_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | number | null;
}

/** What a command printed, and how it ended. */
export interface Outcome extends Ended {
  readonly stdout: string;
  readonly stderr: string;
}

/** Only what a program needs from this process, so that nothing of the runner's settings leaks into it. */
function environmentOf(settings: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "/tmp", ...settings };
}

/** One life of the program. */
export class Program {
  readonly lines: string[] = [];
  readonly ended: Promise<Ended>;
  #end: Ended | null = null;
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;

  /** @param args after `src/main.ts` */
  constructor(
    args: readonly string[],
    settings: Readonly<Record<string, string>>,
    /** Where its API answers, if it has one. */
    readonly url: string,
  ) {
    this.#child = Bun.spawn([process.execPath, "src/main.ts", ...args], {
      cwd: ROOT,
      env: environmentOf(settings),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const heard = [this.#hear(this.#child.stdout), this.#hear(this.#child.stderr)];
    this.ended = Promise.all([this.#child.exited, ...heard]).then(() => {
      const end: Ended = { code: this.#child.exitCode, signal: this.#child.signalCode };
      this.#end = end;
      return end;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it logs that it is ready. @throws {Error} when it ends instead, or after `deadline_ms` */
  async ready(deadline_ms = 60_000): Promise<this> {
    await until(
      "the program is ready",
      () => {
        if (this.#end) throw new Error(`the program ended (${JSON.stringify(this.#end)})\n${this.tail()}`);
        return this.logged("ready");
      },
      deadline_ms,
    );
    return this;
  }

  /** True when a log line has exactly this message. */
  logged(message: string): boolean {
    return this.lines.some((line) => line.endsWith(`"msg":${JSON.stringify(message)}}`));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As a power cut would: no handler runs. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.end(30_000);
  }

  /** @throws {Error} when it has not ended after `deadline_ms` */
  async end(deadline_ms: number): Promise<Ended> {
    return until(`the program ended\n${this.tail()}`, () => this.#end ?? undefined, deadline_ms);
  }

  /** Last lines, for messages of failing tests. */
  tail(count = 15): string {
    return this.lines.slice(-count).join("\n");
  }

  async #hear(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      this.lines.push(...parts);
      if (this.lines.length > 2 * KEPT_LINES) this.lines.splice(0, this.lines.length - KEPT_LINES);
    }
    if (rest !== "") this.lines.push(rest);
  }
}

/** Start the service in a role, on a port of its own. It is not ready yet. */
export async function startService(
  role: "all" | "api" | "worker",
  settings: Readonly<Record<string, string>>,
): Promise<Program> {
  const port = settings.PORT ?? String(await choosePort(undefined, []));
  return new Program(["start", role], { ...settings, PORT: port }, `http://127.0.0.1:${port}`);
}

/** Run a command to its end. @param input what it reads from standard input */
export async function runProgram(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  input = "",
  deadline_ms = 60_000,
): Promise<Outcome> {
  const child = Bun.spawn([process.execPath, "src/main.ts", ...args], {
    cwd: ROOT,
    env: environmentOf(settings),
    stdin: new TextEncoder().encode(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  const late = setTimeout(() => child.kill("SIGKILL"), deadline_ms);
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearTimeout(late);
  return { code: child.exitCode, signal: child.signalCode, stdout, stderr };
}
