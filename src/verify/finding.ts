/** What a check of `verify` says. */

/** `n/a`: the edition of TimescaleDB, or the state of the database, has nothing to be checked. */
export type Verdict = "ok" | "warn" | "fail" | "n/a";

export interface Finding {
  readonly verdict: Verdict;
  /** One line for people. */
  readonly summary: string;
  /** For machines; units stand last in the names. */
  readonly figures: Readonly<Record<string, Figure>>;
  /** What to do about a warning or a failure. */
  readonly remedy?: string;
}

export type Figure = number | string | boolean | null | readonly string[];

/** A finding and where it came from. */
export interface NamedFinding extends Finding {
  /** Stable, for machines. */
  readonly check: string;
}

type Figures = Finding["figures"];

export const ok = (summary: string, figures: Figures = {}): Finding => ({ verdict: "ok", summary, figures });
export const notAvailable = (summary: string, figures: Figures = {}): Finding => ({
  verdict: "n/a",
  summary,
  figures,
});
export const warn = (summary: string, remedy: string, figures: Figures = {}): Finding => ({
  verdict: "warn",
  summary,
  figures,
  remedy,
});
export const failed = (summary: string, remedy: string, figures: Figures = {}): Finding => ({
  verdict: "fail",
  summary,
  figures,
  remedy,
});

const GRAVITY: Readonly<Record<Verdict, number>> = { "n/a": 0, ok: 1, warn: 2, fail: 3 };

/** The gravest verdict; ok when there is nothing. */
export function gravest(findings: readonly Pick<Finding, "verdict">[]): Verdict {
  return findings.reduce<Verdict>(
    (worst, { verdict }) => (GRAVITY[verdict] > GRAVITY[worst] ? verdict : worst),
    "ok",
  );
}
