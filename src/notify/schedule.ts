/** When a delivery that failed is tried again: the schedule that Standard Webhooks 1.0.0 suggests, with jitter. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Delays after the first attempt, the second and so on; given up after the last, about three days after the first. */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];
/** A receiver may put itself off by so much. */
export const MAX_PAUSE_MS = HOUR_MS;
/** Share of a delay by which it is longer or shorter. */
const JITTER = 0.2;

/**
 * Time to the next attempt, ms; null when there is none.
 * @param attempts made so far
 * @param asked_s Retry-After of the receiver
 */
export function nextDelay_ms(
  delays_ms: readonly number[],
  attempts: number,
  asked_s: number | null,
  random: () => number = Math.random,
): number | null {
  const step_ms = delays_ms[attempts - 1];
  if (step_ms === undefined) return null;
  const delay_ms = step_ms * (1 - JITTER + 2 * JITTER * random());
  return Math.max(delay_ms, Math.min(MAX_PAUSE_MS, (asked_s ?? 0) * SECOND_MS));
}
