/** Every list that concerns the quarantine, as requests of the HTTP API. Each request asks about something else. */
import { REFUSAL_REASONS } from "../../src/contract/refusal.ts";
import { REVIEW_STATUSES } from "../../src/contract/review-status.ts";
import { SENSORS, SYSTEMS, sensorId, systemId } from "./quarantine-data.ts";
import type { Subjects } from "./subjects.ts";

/** Somebody who reaches one rig alone, and somebody whose only system has nothing in quarantine. */
export type Who = "rig" | "empty";

export interface Question {
  readonly name: string;
  /** Without it somebody who reaches everything asks. */
  readonly as?: Who;
  /** Path and query of the n-th request. */
  path(subjects: Subjects, n: number): string;
  /** Time only the first byte of the answer, and leave the rest. */
  readonly first_byte?: true;
}

const Q = "/api/v1/quarantine";
const of = <T>(list: readonly T[], n: number): T => list[n % list.length]!;
const system = (n: number) => `system_id=${systemId(1 + (n % SYSTEMS))}`;
/** A step that visits all of them. */
const sensor = (n: number) => `sensor_id=${sensorId(1 + ((n * 37) % SENSORS))}`;
const reason = (n: number) => `reason=${of(REFUSAL_REASONS, n)}`;
const status = (n: number) => `status=${of(REVIEW_STATUSES, n)}`;
const hour = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
const within = (n: number, days: number) => {
  const ago = days + ((n * 5) % 13);
  return `from=${hour(ago)}&to=${hour(ago - days)}`;
};
const WORDS = ["above+700", "is+missing", "FURLONG", "differs+from", "is+not+known"];
const word = (n: number) => `q=${of(WORDS, n)}`;
/** A value that some readings have. */
const rare = (n: number) => `q=pressure+${700 + ((n * 37) % 299)}.${n % 10}`;
const nowhere = (n: number) => `q=nowhere+${n}`;

const text = (name: string, query: (subjects: Subjects, n: number) => string): Question[] => [
  { name: `list, ${name}`, path: (s, n) => `${Q}?${query(s, n)}` },
  { name: `counts, ${name}`, path: (s, n) => `${Q}/counts?${query(s, n)}` },
];

/** Of the list and of its counts. */
const FILTERS: readonly Question[] = [
  ...text("pending", () => ""),
  ...text("any status", () => "status=any"),
  ...text("a reason", (_, n) => reason(n)),
  ...text("a status", (_, n) => status(n)),
  ...text("two reasons, any status", (_, n) => `reason=out_of_range,${of(REFUSAL_REASONS, n)}&status=any`),
  ...text("a system", (_, n) => system(n)),
  ...text("a system, any status", (_, n) => `${system(n)}&status=any`),
  ...text("a system and a reason", (_, n) => `${system(n)}&${reason(n)}`),
  ...text("a sensor", (_, n) => sensor(n)),
  ...text("a sensor, any status", (_, n) => `${sensor(n)}&status=any`),
  ...text("a sensor, a reason, a status", (_, n) => `${sensor(n)}&${reason(n)}&${status(n)}`),
  ...text("a job", (s, n) => `job_id=${of(s.jobs, n)}&status=any`),
  ...text("an hour", (_, n) => within(n, 1 / 24)),
  ...text("a day, any status", (_, n) => `${within(n, 1)}&status=any`),
  ...text("a week", (_, n) => within(n, 7)),
  ...text("a system and a day", (_, n) => `${system(n)}&${within(n, 1)}&status=any`),
  ...text("a sensor and a week", (_, n) => `${sensor(n)}&${within(n, 7)}&status=any`),
  ...text("a word", (_, n) => word(n)),
  ...text("a rare text", (_, n) => `${rare(n)}&status=any`),
  ...text("a text that is nowhere", (_, n) => `${nowhere(n)}&status=any`),
  ...text("two digits", (_, n) => `q=${10 + ((n * 7) % 89)}&status=any`),
  ...text("signs that are nowhere", (_, n) => `q=${encodeURIComponent(`#${n % 10}`)}`),
  ...text("a word, a system", (_, n) => `${word(n)}&${system(n)}`),
  ...text("a rare text, a system", (_, n) => `${rare(n)}&${system(n)}&status=any`),
  ...text("a word, a sensor", (_, n) => `${word(n)}&${sensor(n)}&status=any`),
  ...text("a word, a reason", (_, n) => `${word(n)}&${reason(n)}`),
  ...text("a word, a day", (_, n) => `${word(n)}&${within(n, 1)}&status=any`),
  ...text("a large incident", (s, n) => `incident=${of(s.incidents.large, n)}&status=any`),
  ...text("an incident, pending", (s, n) => `incident=${of(s.incidents.any, n)}`),
  ...text("a large job", (s, n) => `job_id=${of(s.largeJobs, n)}&status=any`),
  ...text(
    "a word of another script",
    (_, n) => `q=${encodeURIComponent(`ФУРЛОНГ" is${n % 2 ? "" : " not"}`)}`,
  ),
  ...text("a script that is nowhere", (_, n) => `q=${encodeURIComponent(`давление ${n}`)}&status=any`),
  ...text(
    "two signs of a script",
    (_, n) => `q=${encodeURIComponent(of(["圧力", "高力", "低力"], n))}&status=any`,
  ),
  ...text("a wildcard's sign", (_, n) => `q=${of(["%25", "_", "%5C", "%25%25%25"], n)}&status=any`),
  ...text("a script, a sensor", (_, n) => `q=${encodeURIComponent("фурлонг")}&${sensor(n)}&status=any`),
];

const incidents = (name: string, query: (subjects: Subjects, n: number) => string): Question => ({
  name: `incidents, ${name}`,
  path: (s, n) => `${Q}/incidents?${query(s, n)}`,
});

const INCIDENTS: readonly Question[] = [
  incidents("pending", () => ""),
  incidents("pending, 200", () => "limit=200"),
  incidents("any status", () => "status=any"),
  incidents("any status, 200", () => "status=any&limit=200"),
  incidents("approved", () => "status=approved"),
  incidents("approved, 200", () => "status=approved&limit=200"),
  incidents("fixed, 200", () => "status=fixed&limit=200"),
  incidents("a system", (_, n) => system(n)),
  incidents("a system, any status, 200", (_, n) => `${system(n)}&status=any&limit=200`),
  incidents("a system, a status, 200", (_, n) => `${system(n)}&${status(n)}&limit=200`),
  incidents("a sensor", (_, n) => sensor(n)),
  incidents("a sensor, any status, 200", (_, n) => `${sensor(n)}&status=any&limit=200`),
  incidents("a reason", (_, n) => reason(n)),
  incidents("a reason, a status, 200", (_, n) => `${reason(n)}&${status(n)}&limit=200`),
  incidents("a system and a reason, 200", (_, n) => `${system(n)}&${reason(n)}&status=any&limit=200`),
  incidents("a day, any status", (_, n) => `${within(n, 1)}&status=any`),
  incidents("a day, a status, 200", (_, n) => `${within(n, 1)}&${status(n)}&limit=200`),
  incidents("up to a day, 200", (_, n) => `to=${hour(1 + (n % 13))}&limit=200`),
  incidents("before all, any status", () => `to=${hour(3_000)}&status=any`),
  incidents("of a sensor that has none", () => `sensor_id=${systemId(9)}&status=any`),
  incidents("deep, pending", (s) => `after=${s.deep.pendingIncidents}`),
  incidents("deep, any status, 200", (s) => `after=${s.deep.incidents}&status=any&limit=200`),
];

const JOBS: readonly Question[] = [
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
const RECORD: readonly Question[] = [
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

const OTHERS: readonly Question[] = [
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
];

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
