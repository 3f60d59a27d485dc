/** Durations of one question, in ms. */
export interface Latency {
  readonly n: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly max_ms: number;
}

/** Nearest-rank percentiles. @throws {RangeError} without observations */
export function latency(durations_ms: readonly number[]): Latency {
  if (durations_ms.length === 0) throw new RangeError("nothing was measured");
  const sorted = durations_ms.toSorted((a, b) => a - b);
  const rank = (share: number) => round(sorted[Math.ceil(share * sorted.length) - 1]!);
  return { n: sorted.length, p50_ms: rank(0.5), p95_ms: rank(0.95), max_ms: rank(1) };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}

const round = (ms: number) => Math.round(ms * 100) / 100;
