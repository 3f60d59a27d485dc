/**
 * The ordered stop. Each part says how it stops when it has started; parts stop one after another, the last one
 * started first, which is the order in which a batch flows: server, threads, mirror, connections, services.
 */
import type { Logger } from "../ops/log.ts";
import { withDeadline } from "../ops/retry.ts";

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
  #grace_ms = 20_000;
  #log: Logger | null = null;
  #wish: () => void = () => undefined;
  #firstWish_ms: number | null = null;
  /** Resolves at the first SIGINT or SIGTERM. */
  readonly wanted = new Promise<void>((resolve) => {
    this.#wish = resolve;
  });

  /** Obey signals from now on. A second signal ends the process at once; the next start recovers. */
  listen(): void {
    for (const signal of SIGNALS) process.on(signal, this.#hear);
  }

  bound(grace_ms: number, log: Logger): void {
    this.#grace_ms = grace_ms;
    this.#log = log;
  }

  /** Register a part that has started; it stops before those registered earlier. */
  last(name: string, stop: Part["stop"]): void {
    this.#parts.push({ name, stop, outsideGrace: false });
  }

  /** Register the services, whose stop the grace period does not bound. */
  services(stop: Part["stop"]): void {
    this.#parts.push({ name: "services", stop, outsideGrace: true });
  }

  /**
   * Stop everything within the grace period. A part that fails or is too slow is logged, and the next one stops all
   * the same.
   */
  async runAll(): Promise<void> {
    const end = performance.now() + this.#grace_ms;
    for (const { name, stop, outsideGrace } of this.#parts.splice(0).reverse()) {
      const begin = performance.now();
      const left_ms = outsideGrace ? SERVICES_MS : Math.max(LEAST_MS, end - begin);
      try {
        await withDeadline(Promise.resolve(stop(left_ms)), left_ms, `stopping the ${name}`);
        this.#log?.debug({ ms: Math.round(performance.now() - begin) }, `${name} stopped`);
      } catch (error) {
        process.exitCode = 1;
        this.#log?.error({ err: error }, `the ${name} did not stop well`);
      }
    }
    for (const signal of SIGNALS) process.off(signal, this.#hear);
    this.#log?.info("stopped");
  }

  readonly #hear = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (this.#firstWish_ms === null) {
      this.#firstWish_ms = now;
      this.#wish();
    } else if (now - this.#firstWish_ms > SAME_WISH_MS) {
      process.stderr.write(`${signal} again: ending at once; what was accepted stays in Redis\n`);
      process.exit(130);
    }
  };
}
