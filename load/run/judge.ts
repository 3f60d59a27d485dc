/** The bounds of a scenario: k6's own, and those of what k6 does not see. */
import type { Latency } from "../bench/http-runs.ts";
import type { Bounds } from "../k6/scenarios.ts";
import type { K6Run } from "./k6.ts";
import type { Ramp } from "./knee.ts";
import type { Growth } from "./memory.ts";

export interface Bound {
  /** `accept_ms p(95)<50` */
  readonly rule: string;
  /** What was measured, for people. */
  readonly found: string;
  /** null: it could not be judged, and `found` says why. */
  readonly ok: boolean | null;
}

/** What the command measured; null: it could not. */
export interface Measured {
  readonly stored: Latency | null;
  readonly growth: Growth | null;
  readonly ramp: Ramp | null;
}

/** `p(95)<50` is about the value `p(95)`. */
const VALUE = /^[^<>=!]+/;

export function judge(
  bounds: Bounds,
  run: Pick<K6Run, "thresholds" | "metrics">,
  measured: Measured,
): Bound[] {
  const ofK6 = run.thresholds.map(({ metric, rule, ok }): Bound => {
    const value = run.metrics[metric]?.[VALUE.exec(rule)?.[0].trim() ?? ""];
    return { rule: `${metric} ${rule}`, found: value === undefined ? "-" : shown(value), ok };
  });
  return [...ofK6, ...ownBounds(bounds, measured)];
}

function ownBounds(bounds: Bounds, { stored, growth, ramp }: Measured): Bound[] {
  const judged: Bound[] = [];
  const { stored_p95_ms, memory_growth, knee_rows_per_s } = bounds;
  if (stored_p95_ms !== undefined) {
    judged.push({
      rule: `stored_ms p(95)<${stored_p95_ms}`,
      found: stored ? shown(stored.p95) : "the data is wrong",
      ok: stored && stored.p95 < stored_p95_ms,
    });
  }
  if (memory_growth !== undefined) {
    judged.push({
      rule: `memory at the end <= ${memory_growth} of minute 5`,
      found: growth
        ? growth.share.toFixed(3)
        : "a run of ten minutes or more, of an own stack on Linux, can say",
      ok: growth && growth.share <= memory_growth,
    });
  }
  if (knee_rows_per_s !== undefined) {
    judged.push({
      rule: `knee >= ${knee_rows_per_s} rows/s`,
      found: ramp ? `${ramp.knee ?? "below the first step"}` : "the data is wrong",
      ok: ramp && (ramp.knee ?? 0) >= knee_rows_per_s,
    });
  }
  return judged;
}

const shown = (value: number) => String(Math.round(value * 10) / 10);
