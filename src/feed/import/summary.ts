/** The end of an import for people and for machines. */
import type { HydraulicClient } from "../../client/index.ts";
import { REFUSAL_REASONS } from "../../contract/refusal.ts";
import { bar, duration, thousands } from "../progress.ts";
import type { ImportCounts } from "./report.ts";
import type { Import } from "./run.ts";
import type { SourceFile } from "./source.ts";

/** Printed by `import --json`. */
export interface ImportSummary {
  readonly ok: boolean;
  readonly interrupted: boolean;
  readonly file: string;
  readonly sha256: string;
  readonly counts: ImportCounts;
  /** Readings sent whose fate is not known. */
  readonly unaccounted: number;
  readonly took_ms: number;
  readonly retries: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

/** Nothing is wrong with an import, but for quarantined readings where those are allowed. */
export function isWhole(
  counts: ImportCounts,
  failures: readonly string[],
  interrupted: boolean,
  allow_quarantined: boolean,
): boolean {
  if (interrupted || failures.length > 0 || counts.unaccounted() !== 0) return false;
  if (counts.unreadable_lines > 0 || counts.unreadable_cells > 0) return false;
  return allow_quarantined || counts.quarantined === 0;
}

/** The summary of an import that has ended. */
export function summarize(
  source: SourceFile,
  { counts, failures }: Import,
  client: HydraulicClient,
  end: { readonly interrupted: boolean; readonly took_ms: number; readonly allow_quarantined: boolean },
): ImportSummary {
  return {
    ok: isWhole(counts, failures, end.interrupted, end.allow_quarantined),
    interrupted: end.interrupted,
    file: source.path,
    sha256: source.sha256,
    counts,
    unaccounted: counts.unaccounted(),
    took_ms: end.took_ms,
    retries: Object.fromEntries(client.retries),
    failures,
  };
}

/** The summary as text of several lines. @param findings where to look for all of them, if they are not all shown */
export function summaryText(summary: ImportSummary, findings: string | null): string {
  const { counts, took_ms } = summary;
  const row = (name: string, n: number, more = "") => `  ${name.padEnd(22)}${thousands(n)}${more}`;
  const reasons = REFUSAL_REASONS.filter((reason) => counts.by_reason[reason]).map((reason) =>
    row(`  ${reason}`, counts.by_reason[reason] ?? 0),
  );
  const optional = (name: string, n: number) => (n > 0 ? [row(name, n)] : []);
  const retries = Object.entries(summary.retries).map(([why, n]) => `${why} ${thousands(n)}x`);
  const rate = took_ms > 0 ? (counts.delivered / took_ms) * 1000 : 0;
  return [
    summary.interrupted ? "Interrupted: the same command again goes on." : `Import of ${summary.file} ended.`,
    row("rows", counts.rows),
    row("readings sent", counts.readings, ` in ${thousands(counts.batches)} batches`),
    row("inserted", counts.inserted),
    row("duplicate", counts.duplicate),
    row("quarantined", counts.quarantined),
    ...reasons,
    ...optional("empty cells", counts.empty_cells),
    ...optional("empty lines", counts.empty_lines),
    ...optional("unreadable cells", counts.unreadable_cells),
    ...optional("unreadable lines", counts.unreadable_lines),
    ...optional("batches known before", counts.replayed_batches),
    `  ${"took".padEnd(22)}${duration(took_ms)} (${thousands(rate)} readings/s)`,
    ...(retries.length > 0 ? [`  ${"sent again after".padEnd(22)}${retries.join(", ")}`] : []),
    ...(findings === null ? [] : [findings]),
    ...summary.failures.map((failure) => `problem: ${failure}`),
    verdict(summary),
    "",
  ].join("\n");
}

function verdict({ ok, counts, unaccounted }: ImportSummary): string {
  if (unaccounted !== 0) return `${thousands(unaccounted)} readings that were sent are not accounted for.`;
  const lost = counts.unreadable_cells + counts.unreadable_lines > 0;
  if (!ok) return lost ? "Not everything could be read." : "Not everything was stored.";
  return counts.quarantined > 0 ? "Everything is stored or in quarantine." : "Every reading is stored.";
}

/** The one line that is refreshed during the import. @param share of the file that has been read, 0-1 */
export function progressLine(counts: ImportCounts, share: number, elapsed_ms: number): string {
  const rate = elapsed_ms > 0 ? (counts.delivered / elapsed_ms) * 1000 : 0;
  const parts = [
    `${bar(share, 24)} ${Math.floor(share * 100)} %`,
    `read ${thousands(counts.rows)} rows`,
    `stored ${thousands(counts.inserted + counts.duplicate)}`,
    `${thousands(rate)}/s`,
  ];
  if (counts.quarantined > 0) parts.push(`quarantined ${thousands(counts.quarantined)}`);
  const unreadable = counts.unreadable_cells + counts.unreadable_lines;
  if (unreadable > 0) parts.push(`unreadable ${thousands(unreadable)}`);
  return parts.join("  ");
}
