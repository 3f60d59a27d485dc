/** What scanners find, and what of it is explained in tests/security/explained.json. */
import { readFileSync } from "node:fs";

/** One finding; the three words together name it, wherever it moves within its file. */
export interface FindingOfScan {
  readonly tool: "semgrep" | "gitleaks" | "audit" | "retire";
  readonly rule: string;
  /** Relative to the project; of a dependency its name. */
  readonly file: string;
  /** The line of code; of a secret its SHA-256; of a dependency the advisory. */
  readonly what: string;
}

interface Explained extends FindingOfScan {
  readonly reason: string;
  /** After this day it is open again; an advisory about a dependency always has one. */
  readonly until?: string;
}

const FILE = new URL("../../security/explained.json", import.meta.url);
const SHORTEST_REASON = 20;
/** What they find is mended by others, some day: an explanation has an end. */
const ABOUT_PACKAGES: readonly FindingOfScan["tool"][] = ["audit", "retire"];

const nameOf = ({ tool, rule, file, what }: FindingOfScan): string => [tool, rule, file, what].join(" | ");

/** How a scan ended. Both lists are empty when all is well. */
export interface Judgement {
  /** Findings that nobody explained, or no longer. */
  readonly open: readonly string[];
  /** Explanations of nothing: the finding is gone, or there is no reason worth the name. */
  readonly stale: readonly string[];
}

/** @param tool whose findings these are, all of them */
export function judgeFindings(
  tool: FindingOfScan["tool"],
  found: readonly FindingOfScan[],
  explained: readonly Explained[] = JSON.parse(readFileSync(FILE, "utf8")),
  today = new Date().toISOString().slice(0, 10),
): Judgement {
  const mine = explained.filter((entry) => entry.tool === tool);
  const holds = (entry: Explained) =>
    entry.reason.length >= SHORTEST_REASON &&
    (entry.until === undefined ? !ABOUT_PACKAGES.includes(tool) : entry.until >= today);
  const known = new Set(mine.filter(holds).map(nameOf));
  const names = new Set(found.map(nameOf));
  return {
    open: [...names].filter((name) => !known.has(name)).sort(),
    stale: mine.filter((entry) => !holds(entry) || !names.has(nameOf(entry))).map(nameOf),
  };
}
