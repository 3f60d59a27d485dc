/** Time as a dependency, so that tests decide what it is. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now_ms(): number;
  /** Milliseconds of a clock that never goes back, for durations. */
  monotonic_ms(): number;
}

export const systemClock: Clock = {
  now_ms: () => Date.now(),
  monotonic_ms: () => performance.now(),
};
