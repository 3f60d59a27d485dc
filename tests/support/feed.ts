/** For tests of the feeders: time that passes only when somebody waits, and clients of a fake service. */
import { HydraulicClient, type RetryPolicy, type Surroundings } from "../../src/client/index.ts";

/** Sleeps end at once and are written down; the clock moves on by what was slept. */
export class JumpingTime implements Surroundings {
  readonly slept: number[] = [];
  elapsed_ms = 0;
  readonly clock = {
    now_ms: () => Date.UTC(2026, 0, 1) + this.elapsed_ms,
    monotonic_ms: () => this.elapsed_ms,
  };
  readonly random = () => 0.5;
  readonly sleep = async (ms: number) => {
    this.slept.push(ms);
    this.elapsed_ms += ms;
  };
}

const QUICK_RETRY: RetryPolicy = {
  attempt_timeout_ms: 60_000,
  deadline_ms: 60_000,
  first_backoff_ms: 100,
  max_backoff_ms: 1000,
};

export function clientOf(
  url: string,
  surroundings: Surroundings,
  retry: Partial<RetryPolicy> = {},
  account = { username: "feeder-1", password: "password" },
): HydraulicClient {
  return new HydraulicClient({ url, auth: account, retry: { ...QUICK_RETRY, ...retry }, surroundings });
}
