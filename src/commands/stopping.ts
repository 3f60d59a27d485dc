/**
 * The ordered stop. Each part says how it stops when it has started; parts stop one after another, the last one
 * started first, which is the order in which a batch flows: server, threads, mirror, connections, services.
 */
import type { Logger } from "../ops/log.ts";
import { sleep, withDeadline } from "../ops/retry.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** npm and a terminal may each deliver the same Ctrl-C; only a later one is meant as "at once". */
const SAME_WISH_MS = 1_500;
/** Private services write everything to disk when they stop; they get longer than the rest. */
const SERVICES_MS = 60_000;
/** What a part gets although the parts before have used the grace period up. */
const LEAST_MS = 250;

interface Part {
  readonly name: string;
  /** @param left_ms of the grace period, for this part and those after it */
  readonly stop: (left_ms: number) => Promise<unknown> | unknown;
  readonly outsideGrace: boolean;
}

export class Stopping {
  readonly #parts: Part[] = [];
  readonly #wanted = new AbortController();
  #grace_ms = 20_000;
  #delay_ms = 0;
  #log: Logger | null = null;
  #firstWish_ms: number | null = null;
  #isOver = false;

  readonly #wish = new Promise<void>((resolve) => {
    this.wanted.addEventListener("abort", () => resolve(), { once: true });
  });

  /** Fires at the first SIGINT or SIGTERM. */
  get wanted(): AbortSignal {
    return this.#wanted.signal;
  }

  /** Obey signals from now on. A second signal ends the process at once; the next start recovers. */
  listen(): void {
    for (const signal of SIGNALS) process.on(signal, this.#hear);
  }

  /** The stop may take so long from now on; what it does is logged. */
  bound(grace_ms: number, log: Logger): void {
    this.#grace_ms = grace_ms;
    this.#log = log;
  }

  /**
   * Go on serving for so long after the wish to stop, before the grace period begins: balancers learn from `/readyz`,
   * and only at their next look, that others should be asked.
   */
  delay(delay_ms: number): void {
    this.#delay_ms = delay_ms;
  }

  /** Register a part that has started; it stops before those registered earlier. */
  last(name: string, stop: Part["stop"]): void {
    this.#add({ name, stop, outsideGrace: false });
  }

  /** Register the services, whose stop the grace period does not bound. */
  services(stop: Part["stop"]): void {
    this.#add({ name: "services", stop, outsideGrace: true });
  }

  /**
   * Start, then wait until a stop is wanted. When it is wanted before the start is done, the start is left as it is:
   * nothing in it (a migration, a Redis that is silent) may keep the process from stopping. What it still starts
   * afterwards is stopped at once.
   * @throws what the start throws before a stop is wanted
   */
  async untilWanted(start: () => Promise<void>): Promise<void> {
    if (this.wanted.aborted) return;
    const started = start().catch((error: unknown) => {
      if (!this.wanted.aborted) throw error;
      this.#log?.info({ err: (error as Error).message }, "the start was broken off");
    });
    await Promise.race([started, this.#wish]);
    await this.#wish;
  }

  /**
   * Stop everything within the grace period. A part that fails or is too slow is logged, and the next one stops all
   * the same.
   */
  async runAll(): Promise<void> {
    if (this.wanted.aborted) await this.#linger();
    const end = performance.now() + this.#grace_ms;
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) {
      await this.#stop(part, Math.max(LEAST_MS, end - performance.now()));
    }
    this.#isOver = true;
    for (const signal of SIGNALS) process.off(signal, this.#hear);
    this.#log?.info("stopped");
  }

  async #linger(): Promise<void> {
    const delay_ms = this.#parts.length > 0 ? this.#delay_ms : 0;
    this.#log?.info({ delay_ms, grace_ms: this.#grace_ms }, "stopping");
    await sleep(delay_ms);
  }

  async #stop({ name, stop, outsideGrace }: Part, left_ms: number): Promise<void> {
    const begin = performance.now();
    const deadline_ms = outsideGrace ? SERVICES_MS : left_ms;
    try {
      await withDeadline(Promise.resolve(stop(deadline_ms)), deadline_ms, `stopping the ${name}`);
      this.#log?.debug({ ms: Math.round(performance.now() - begin) }, `${name} stopped`);
    } catch (error) {
      process.exitCode = 1;
      this.#log?.error({ err: error }, `the ${name} did not stop well`);
    }
  }

  #add(part: Part): void {
    if (this.#isOver) void this.#stop(part, LEAST_MS);
    else this.#parts.push(part);
  }

  readonly #hear = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (this.#firstWish_ms === null) {
      this.#firstWish_ms = now;
      this.#wanted.abort();
    } else if (now - this.#firstWish_ms > SAME_WISH_MS) {
      process.stderr.write(`${signal} again: ending at once; what was accepted stays in Redis\n`);
      process.exit(130);
    }
  };
}
