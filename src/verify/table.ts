/** Findings as a table for a terminal. */
import type { NamedFinding, Verdict } from "./finding.ts";

const VERDICT_WIDTH = 6;
const CHECK_WIDTH = 20;
/** SGR codes (ECMA-48, 8.3.117): green, yellow, red, grey. */
const COLOURS: Readonly<Record<Verdict, number>> = { ok: 32, warn: 33, fail: 31, "n/a": 90 };

/** One finding, with what to do on a line of its own. */
export function tableLine({ verdict, check, summary, remedy }: NamedFinding, colour: boolean): string {
  const padded = verdict.padEnd(VERDICT_WIDTH);
  const shown = colour ? `\x1b[${COLOURS[verdict]}m${padded}\x1b[0m` : padded;
  const line = `${shown}${check.padEnd(CHECK_WIDTH)}${summary}\n`;
  return remedy ? `${line}${" ".repeat(VERDICT_WIDTH + CHECK_WIDTH)}→ ${remedy}\n` : line;
}

/** The last line: how many of each. */
export function closingLine(findings: readonly NamedFinding[]): string {
  const count = (verdict: Verdict) => findings.filter((f) => f.verdict === verdict).length;
  const parts = [
    `${count("ok")} ok`,
    `${count("warn")} ${count("warn") === 1 ? "warning" : "warnings"}`,
    `${count("fail")} failed`,
  ];
  if (count("n/a") > 0) parts.push(`${count("n/a")} not available`);
  return `${findings.length} checks: ${parts.join(", ")}\n`;
}
