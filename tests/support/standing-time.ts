/** Time that stands still until a test moves it on: a sleep ends when its time has come, or its signal fires. */
import type { Surroundings } from "../../src/client/time.ts";

export class StandingTime implements Surroundings {
  now = 0;
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  readonly clock = { now_ms: () => Date.UTC(2026, 0, 1) + this.now, monotonic_ms: () => this.now };
  readonly random = () => 0.5;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted || ms <= 0) return resolve();
      const sleeper = { at: this.now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      const end = () => {
        if (this.#sleepers.delete(sleeper)) resolve();
      };
      signal?.addEventListener("abort", end, { once: true });
    });

  /** How long each of those who sleep has left, ms, in ascending order. */
  get asleep(): number[] {
    return [...this.#sleepers].map(({ at }) => at - this.now).sort((a, b) => a - b);
  }

  advance(ms: number): void {
    this.now += ms;
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.at > this.now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }
}
