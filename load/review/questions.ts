/** Every list of the console and the API that grows with the quarantine, as requests of the HTTP API. */
import type { Question, Who } from "./asked.ts";
import { FILTERS, INCIDENTS } from "./filters.ts";
import { JOBS, OTHERS, RECORD } from "./lists.ts";

/** Lists that many look at, for those who are limited to systems. */
const SHARED = new Set([
  ...["list, pending", "list, any status", "list, a reason", "list, a day, any status", "list, a word"],
  ...["counts, pending", "counts, any status", "counts, a week", "counts, a word"],
  ...["incidents, pending", "incidents, any status, 200", "incidents, fixed, 200", "incidents, a reason"],
  ...["tasks", "tasks, deep, 200", "tasks, of a state", "audit", "audit, an action", "audit, a day"],
  ...["audit, a kind of subject", "alerts", "alerts, any, deep", "jobs", "jobs of a month, failed"],
  ...["jobs of a month, queued", "dead letters", "overview", "list, a rare text", "counts, a rare text"],
]);

const EVERYBODYS: readonly Question[] = [...FILTERS, ...INCIDENTS, ...JOBS, ...RECORD, ...OTHERS];
const limitedTo = (as: Who, words: string) =>
  EVERYBODYS.filter(({ name }) => SHARED.has(name)).map((one) => ({
    ...one,
    as,
    name: `${words}: ${one.name}`,
  }));

export const QUESTIONS: readonly Question[] = [
  ...EVERYBODYS,
  ...limitedTo("rig", "of one rig"),
  ...limitedTo("empty", "of nothing"),
];
