/** Times of the pipeline's stages, from the service's own histograms (Prometheus text format 0.0.4). */
export const STAGES = ["parse", "check", "encode", "copy", "commit"] as const;
export type Stage = (typeof STAGES)[number];

/** Of one run, all ingest threads together. */
export interface StageTimes {
  /** Transactions. */
  readonly groups: number;
  /** Seconds. */
  readonly seconds: Readonly<Record<Stage, number>>;
}

const METRIC = "hydraulic_ingest_stage_seconds";

function sample(text: string, suffix: "sum" | "count", stage: Stage): number {
  const line = new RegExp(`^${METRIC}_${suffix}\\{[^}]*stage="${stage}"[^}]*\\} (\\S+)`, "m").exec(text)?.[1];
  return Number(line ?? 0);
}

/** What happened between two texts of `/metrics`. */
export function stagesBetween(before: string, after: string): StageTimes {
  const difference = (suffix: "sum" | "count", stage: Stage) =>
    sample(after, suffix, stage) - sample(before, suffix, stage);
  const seconds = Object.fromEntries(
    STAGES.map((stage) => [stage, Math.round(difference("sum", stage) * 1e4) / 1e4]),
  ) as Record<Stage, number>;
  return { groups: difference("count", "copy"), seconds };
}
