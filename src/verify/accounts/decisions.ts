/** The counters of review tasks, and of the jobs that stored for them, against the lines of the record. Pure. */
import type { Counters, Decided } from "../../store/inspect/accounts.ts";

type Outcomes = ReadonlyMap<string, number>;

const of = (outcomes: Outcomes | undefined, ...names: readonly string[]) =>
  names.reduce((total, name) => total + (outcomes?.get(name) ?? 0), 0);

/** What each counter must be. */
const EXPECTED = {
  task: (lines: Outcomes | undefined) => ({
    stored: of(lines, "store"),
    identical: of(lines, "identical"),
    replaced: of(lines, "replace"),
    changed: of(lines, "keep", "reject", "reopen", "withdraw", "restore"),
    withdrawn: of(lines, "withdraw", "restore"),
    restored: of(lines, "restore"),
  }),
  job: (lines: Outcomes | undefined) => ({
    inserted: of(lines, "store", "replace", "restore"),
    identical: of(lines, "identical"),
    quarantined: 0,
  }),
} as const;

/** One line for each task or job that says something else than the record. */
export function wrongCounters(counters: readonly Counters[], decided: readonly Decided[]): string[] {
  const sums = { task: new Map<string, Map<string, number>>(), job: new Map<string, Map<string, number>>() };
  const add = (kind: Counters["kind"], id: string, { outcome, lines }: Decided) => {
    const outcomes = sums[kind].get(id) ?? new Map<string, number>();
    sums[kind].set(id, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + lines));
  };
  for (const one of decided) {
    add("task", one.task_id, one);
    if (one.job_id !== null) add("job", one.job_id, one);
  }
  return counters.flatMap(({ kind, id, counts }) => {
    const expected: Readonly<Record<string, number>> = EXPECTED[kind](sums[kind].get(id));
    const wrong = Object.entries(expected).filter(([name, n]) => counts[name] !== n);
    if (wrong.length === 0) return [];
    const told = wrong.map(([name, n]) => `${name} ${counts[name]}, and the record has ${n}`);
    return [`${kind === "task" ? "review task" : "job of a review"} ${id}: ${told.join("; ")}`];
  });
}
