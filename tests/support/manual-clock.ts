/** A clock for tests: the date stands still until it is told, durations are real. */
import type { Clock } from "../../src/ops/clock.ts";

export class ManualClock implements Clock {
  /** @param time_ms ms since the epoch */
  constructor(public time_ms = Date.UTC(2026, 0, 1)) {}
  now_ms = () => this.time_ms;
  monotonic_ms = () => performance.now();
}
