/** The other lists that the console and the API have, and files of them. */
import { hour, of, Q, type Question, system, within, word } from "./asked.ts";
import { systemId } from "./quarantine-data.ts";
import type { Subjects } from "./subjects.ts";

export const JOBS: readonly Question[] = [
  { name: "jobs", path: () => "/api/v1/jobs" },
  { name: "jobs of a month, 1,000", path: () => `/api/v1/jobs?from=${hour(30)}&limit=1000` },
  { name: "jobs of a month, failed", path: () => `/api/v1/jobs?from=${hour(30)}&status=failed` },
  {
    name: "jobs of a month, of a system and a state",
    path: (_, n) =>
      `/api/v1/jobs?from=${hour(30)}&${system(n)}&status=${of(["failed", "queued", "completed"], n)}`,
  },
  { name: "jobs of a month, queued", path: () => `/api/v1/jobs?from=${hour(30)}&status=queued` },
  { name: "jobs of a month, lost", path: () => `/api/v1/jobs?from=${hour(30)}&lost=true` },
  { name: "jobs, deep", path: (s) => `/api/v1/jobs?from=${hour(30)}&after=${s.deep.jobs}` },
  { name: "quarantine of a job", path: (s, n) => `/api/v1/jobs/${of(s.jobs, n)}/quarantine` },
  { name: "quarantine of a large job", path: (s, n) => `/api/v1/jobs/${of(s.largeJobs, n)}/quarantine` },
  {
    name: "quarantine of a large job, deep, 500",
    path: (s, n) => `/api/v1/jobs/${of(s.largeJobs, n)}/quarantine?limit=500&after=2000`,
  },
  { name: "dead letters", path: () => "/api/v1/dead-letters" },
  { name: "dead letters, deep, 200", path: (s) => `/api/v1/dead-letters?limit=200&after=${s.deep.letters}` },
  { name: "dead letters, of a job", path: (s, n) => `/api/v1/dead-letters?job_id=${of(s.letters, n)}` },
  { name: "overview", path: () => "/api/v1/overview" },
];

const AUDIT = "/api/v1/audit";
export const RECORD: readonly Question[] = [
  { name: "audit", path: () => AUDIT },
  { name: "audit, deep, 500", path: (s) => `${AUDIT}?after=${s.deep.audit}&limit=500` },
  {
    name: "audit, of a reading",
    path: (s, n) => `${AUDIT}?subject_type=reading&subject_id=${of(s.decided, n)}`,
  },
  {
    name: "audit, an action",
    path: (_, n) => `${AUDIT}?action=${of(["approve", "reject", "alert.raise"], n)}`,
  },
  { name: "audit, a user", path: (s) => `${AUDIT}?actor=${s.user}` },
  { name: "audit, a user who did nothing", path: (s) => `${AUDIT}?actor=${s.idle}` },
  {
    name: "audit, a kind of subject",
    path: (_, n) => `${AUDIT}?subject_type=${of(["reading", "task", "webhook"], n)}`,
  },
  {
    name: "audit, a user, a kind",
    path: (s, n) => `${AUDIT}?actor=${s.user}&subject_type=${of(["user", "alert", "key"], n)}`,
  },
  {
    name: "audit, a user, an action",
    path: (s, n) => `${AUDIT}?actor=${s.user}&action=${of(["approve", "user.create", "no"], n)}`,
  },
  {
    name: "audit, an action, a kind",
    path: (_, n) => `${AUDIT}?action=reject&subject_type=${of(["task", "reading", "user"], n)}`,
  },
  { name: "audit, an id", path: (s, n) => `${AUDIT}?subject_id=${of(s.decided, n)}` },
  { name: "audit, a day", path: (_, n) => `${AUDIT}?${within(n, 1)}` },
  {
    name: "audit, two weeks, an action",
    path: (_, n) => `${AUDIT}?from=${hour(14)}&action=${of(["reject", "user.create"], n)}`,
  },
  {
    name: "audit, two weeks, a user, a kind",
    path: (s) => `${AUDIT}?from=${hour(14)}&actor=${s.user}&subject_type=alert`,
  },
  { name: "alerts", path: () => "/api/v1/alerts" },
  { name: "alerts, any, deep", path: (s) => `/api/v1/alerts?state=any&after=${s.deep.alerts}` },
  { name: "alerts, of a system", path: (_, n) => `/api/v1/alerts?state=resolved&${system(n)}` },
  {
    name: "alerts, of a system that has none",
    path: () => `/api/v1/alerts?state=any&system_id=${systemId(9)}`,
  },
];

export const OTHERS: readonly Question[] = [
  { name: "list, pending, 500", path: () => `${Q}?limit=500` },
  { name: "list, deep, pending", path: (s) => `${Q}?after=${s.deep.pending}` },
  { name: "list, deep, any status, 500", path: (s) => `${Q}?after=${s.deep.any}&status=any&limit=500` },
  { name: "list, deep, a system", path: (s, n) => `${Q}?after=${s.deep.system}&${system(n)}&status=any` },
  { name: "list, deep, a word", path: (s, n) => `${Q}?after=${s.deep.any}&${word(n)}&status=any` },
  { name: "one reading", path: (s, n) => `${Q}/${of(s.ids, n)}` },
  { name: "tasks", path: () => `${Q}/actions` },
  { name: "tasks, deep, 200", path: (s) => `${Q}/actions?after=${s.deep.tasks}&limit=200` },
  {
    name: "tasks, of a state",
    path: (_, n) => `${Q}/actions?state=${of(["running", "completed", "failed"], n)}`,
  },
  { name: "export, first byte", path: () => `${Q}?status=any&format=csv`, first_byte: true },
  { name: "export of a word, first byte", path: (_, n) => `${Q}?${word(n)}&format=ndjson`, first_byte: true },
  {
    name: "export of an incident, first byte",
    path: (s, n) => `${Q}?incident=${of(s.incidents.large, n)}&status=any&format=csv`,
    first_byte: true,
  },
  {
    name: "export of a text that is nowhere, first byte",
    path: (_, n) => `${Q}?q=${encodeURIComponent(`давление ${n}`)}&status=any&format=csv`,
    first_byte: true,
  },
  ...[
    ["incidents", `${Q}/incidents?status=any&`],
    ["decisions", `${Q}/actions?`],
    ["the record", `${AUDIT}?`],
    ["alerts", "/api/v1/alerts?state=any&"],
    ["dead letters", "/api/v1/dead-letters?"],
  ].map(([name, path]) => ({
    name: `export of ${name}, first byte`,
    path: (_: Subjects, n: number) => `${path}format=${n % 2 ? "csv" : "ndjson"}`,
    first_byte: true as const,
  })),
];
