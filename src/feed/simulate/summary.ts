/** The end of a simulation for people and for machines. */
import type { HydraulicClient } from "../../client/index.ts";
import { REFUSAL_REASONS } from "../../contract/refusal.ts";
import type { Histogram } from "../histogram.ts";
import { bar, duration, thousands } from "../progress.ts";
import type { SimulationPlan } from "./batches.ts";
import type { Check, Tally } from "./tally.ts";

interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly max: number;
}

/** Printed by `simulate --json`; latencies in ms. */
export interface SimulationSummary {
  readonly ok: boolean;
  readonly interrupted: boolean;
  /** What reproduces the batches. */
  readonly plan: SimulationPlan;
  readonly sent: { readonly batches: number; readonly readings: number };
  readonly accepted: { readonly batches: number; readonly readings: number };
  readonly inserted: number;
  readonly duplicate: number;
  readonly quarantined: Readonly<Record<string, { readonly injected: number; readonly actual: number }>>;
  readonly rows_per_second: number | null;
  readonly accept_ms: Quantiles;
  readonly accept_to_committed_ms: Quantiles;
  readonly lateness_ms: Quantiles;
  /** How often something was sent again, by cause. */
  readonly retries: Readonly<Record<string, number>>;
  readonly checks: readonly (Check & { readonly ok: boolean })[];
  readonly problems: readonly string[];
}

function retriesOf(clients: readonly HydraulicClient[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const client of clients) {
    for (const [why, n] of client.retries) all[why] = (all[why] ?? 0) + n;
  }
  return all;
}

/** The summary of a simulation that has ended. */
export function summarize(
  plan: SimulationPlan,
  tally: Tally,
  clients: readonly HydraulicClient[],
  interrupted: boolean,
): SimulationSummary {
  const checks = tally.checks().map((check) => ({ ...check, ok: check.expected === check.actual }));
  const more = tally.more_problems > 0 ? [`and ${tally.more_problems} more`] : [];
  return {
    ok: checks.every((check) => check.ok),
    interrupted,
    plan,
    sent: { batches: tally.sent_batches, readings: tally.sent_readings },
    accepted: { batches: tally.accepted_batches, readings: tally.accepted_readings },
    inserted: tally.inserted,
    duplicate: tally.duplicate,
    quarantined: Object.fromEntries(
      REFUSAL_REASONS.map((reason) => [
        reason,
        { injected: tally.expected_by_reason[reason], actual: tally.by_reason[reason] },
      ]),
    ),
    rows_per_second: tally.rowsPerSecond(),
    accept_ms: quantiles(tally.accept),
    accept_to_committed_ms: quantiles(tally.commit),
    lateness_ms: quantiles(tally.lateness),
    retries: retriesOf(clients),
    checks,
    problems: [...tally.problems, ...more],
  };
}

function quantiles(histogram: Histogram): Quantiles {
  return { p50: histogram.quantile(0.5), p95: histogram.quantile(0.95), max: histogram.max };
}

/** The summary as text of several lines. */
export function summaryText(summary: SimulationSummary): string {
  const { sent, accepted, plan, rows_per_second } = summary;
  const row = (name: string, text: string) => `  ${name.padEnd(22)}${text}`;
  const spread = ({ p50, p95, max }: Quantiles) =>
    `p50 ${duration(p50)}, p95 ${duration(p95)}, max ${duration(max)}`;
  const reasons = Object.entries(summary.quarantined)
    .filter(([, { injected, actual }]) => injected > 0 || actual > 0)
    .map(([reason, { injected, actual }]) =>
      row(`  ${reason}`, `${thousands(actual)} (injected ${thousands(injected)})`),
    );
  const total = Object.values(summary.quarantined).reduce((sum, { actual }) => sum + actual, 0);
  const retries = Object.entries(summary.retries).map(([why, n]) => `${why} ${thousands(n)}x`);
  return [
    summary.interrupted ? "Interrupted; the figures are of what was sent until then." : "Simulation ended.",
    row("sent", `${thousands(sent.readings)} readings in ${thousands(sent.batches)} batches`),
    row("accepted", `${thousands(accepted.readings)} readings in ${thousands(accepted.batches)} batches`),
    row("inserted", thousands(summary.inserted)),
    row("duplicate", thousands(summary.duplicate)),
    row("quarantined", thousands(total)),
    ...reasons,
    row("rows/s", rows_per_second === null ? "-" : thousands(rows_per_second)),
    row("accept", spread(summary.accept_ms)),
    row("accept to committed", spread(summary.accept_to_committed_ms)),
    row("late", spread(summary.lateness_ms)),
    ...(retries.length > 0 ? [row("sent again after", retries.join(", "))] : []),
    row("same batches again", `--seed ${plan.seed} --start ${plan.start_us}us`),
    ...summary.problems.map((problem) => `problem: ${problem}`),
    verdict(summary),
    "",
  ].join("\n");
}

function verdict(summary: SimulationSummary): string {
  const wrong = summary.checks.filter((check) => !check.ok);
  if (wrong.length === 0) return "Every count adds up.";
  const lines = wrong.map(
    ({ name, expected, actual }) => `  ${name}: expected ${thousands(expected)}, actual ${thousands(actual)}`,
  );
  return ["These counts do not add up:", ...lines].join("\n");
}

/** The one line that is refreshed while the simulation runs. */
export function progressLine(
  plan: SimulationPlan,
  tally: Tally,
  clients: readonly HydraulicClient[],
  elapsed_ms: number,
): string {
  const retries = Object.values(retriesOf(clients)).reduce((sum, n) => sum + n, 0);
  const rate = elapsed_ms > 0 ? (tally.sent_readings / elapsed_ms) * 1000 : 0;
  const parts = [
    bar(tally.sent_readings / plan.readings, 16),
    `sent ${thousands(tally.sent_readings)} of ${thousands(plan.readings)}`,
    `${thousands(rate)}/s`,
    `stored ${thousands(tally.inserted + tally.duplicate)}`,
    `quarantined ${thousands(tally.quarantined)}`,
    `open ${thousands(tally.accepted_batches - tally.ended_batches)}`,
    `accept p95 ${duration(tally.accept.quantile(0.95))}`,
    `late p95 ${duration(tally.lateness.quantile(0.95))}`,
  ];
  if (retries > 0) parts.push(`retries ${thousands(retries)}`);
  return parts.join("  ");
}
