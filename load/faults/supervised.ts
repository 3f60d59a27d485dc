/**
 * A process and its supervisor, which does what systemd or Kubernetes would: starts it again when it has ended, and
 * nothing else. Faults end it by signals and keep it from coming back for a while.
 */
import { isAlive, pollUntil } from "../../src/services/process-control.ts";

/** How a process is started, and how one sees that it can be used. */
export interface Life {
  /** Resolves with a process that runs; it need not be ready. */
  launch(): Promise<{ readonly pid: number; readonly code?: () => Promise<number | null> }>;
  isReady(pid: number): Promise<boolean>;
}

/** A process that ended although nobody ended it. */
export interface OwnEnd {
  readonly name: string;
  readonly at_ms: number;
  readonly was_ready: boolean;
  readonly code: number | null;
}

/** As systemd has it (RestartSec), ms. */
const RESTART_MS = 100;
const LOOK_MS = 20;
const GONE_DEADLINE_MS = 10_000;

export class Supervised {
  #pid: number | null = null;
  #code: () => Promise<number | null> = async () => null;
  #wanted = false;
  #wasReady = false;
  #heldUntil_ms = 0;
  #closing = false;
  #running: Promise<void> | null = null;
  readonly ownEnds: OwnEnd[] = [];
  /** Starts that failed: what it depends on was away. */
  failedStarts = 0;
  lives = 0;

  constructor(
    readonly name: string,
    private readonly life: Life,
  ) {}

  get pid(): number | null {
    return this.#pid;
  }

  start(): void {
    this.#running = this.#supervise();
  }

  async isReady(): Promise<boolean> {
    const pid = this.#pid;
    if (pid === null || !(await this.life.isReady(pid))) return false;
    if (this.#pid === pid) this.#wasReady = true;
    return this.#pid === pid;
  }

  /**
   * SIGKILL, and no new life before `hold_ms` have passed. @returns when it is gone
   * @throws {Error} when it did not run, or lives on
   */
  async kill(hold_ms: number): Promise<void> {
    const pid = this.#expectEnd(hold_ms);
    process.kill(pid, "SIGKILL");
    await this.#gone(pid, GONE_DEADLINE_MS);
  }

  /**
   * An ordered end by `signal`. @returns its exit code, if that can be known
   * @throws {Error} when it does not end within `grace_ms`
   */
  async end(signal: NodeJS.Signals, grace_ms: number, hold_ms: number): Promise<number | null> {
    const pid = this.#expectEnd(hold_ms);
    const code = this.#code;
    process.kill(pid, signal);
    await this.#gone(pid, grace_ms);
    return code();
  }

  /** No new life any more; the last one is ended by `signal`, and killed after `grace_ms`. @returns its exit code */
  async close(signal: NodeJS.Signals, grace_ms: number): Promise<number | null> {
    this.#closing = true;
    const pid = this.#pid;
    const code = this.#code;
    if (pid !== null && isAlive(pid)) {
      this.#wanted = true;
      process.kill(pid, signal);
      if (!(await pollUntil(() => !isAlive(pid), grace_ms))) process.kill(pid, "SIGKILL");
    }
    await this.#running;
    return code();
  }

  #expectEnd(hold_ms: number): number {
    const pid = this.#pid;
    if (pid === null || !isAlive(pid)) throw new Error(`${this.name} does not run`);
    this.#wanted = true;
    this.#heldUntil_ms = performance.now() + hold_ms;
    return pid;
  }

  async #gone(pid: number, deadline_ms: number): Promise<void> {
    if (!(await pollUntil(() => !isAlive(pid), deadline_ms)))
      throw new Error(`${this.name} (process ${pid}) has not ended within ${deadline_ms} ms`);
  }

  async #supervise(): Promise<void> {
    while (!this.#closing) {
      try {
        const { pid, code } = await this.life.launch();
        this.#begun(pid, code ?? (async () => null));
        while (isAlive(pid)) await Bun.sleep(LOOK_MS);
        await this.#ended();
      } catch {
        // The log of the process says why; health waits for a life that gets ready.
        this.failedStarts += 1;
      }
      do await Bun.sleep(RESTART_MS);
      while (!this.#closing && performance.now() < this.#heldUntil_ms);
    }
  }

  #begun(pid: number, code: () => Promise<number | null>): void {
    this.lives += 1;
    this.#code = code;
    this.#wasReady = false;
    this.#wanted = false;
    this.#pid = pid;
  }

  async #ended(): Promise<void> {
    this.#pid = null;
    if (this.#wanted || this.#closing) return;
    const end = { name: this.name, at_ms: Date.now(), was_ready: this.#wasReady, code: await this.#code() };
    if (end.was_ready) this.ownEnds.push(end);
    else this.failedStarts += 1;
  }
}
