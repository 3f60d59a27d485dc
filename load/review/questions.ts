/** Every list that concerns the quarantine, as requests of the HTTP API. Each request asks about something else. */
import { REFUSAL_REASONS } from "../../src/contract/refusal.ts";
import { REVIEW_STATUSES } from "../../src/contract/review-status.ts";
import { SENSORS, SYSTEMS, sensorId, systemId } from "./quarantine-data.ts";
import type { Subjects } from "./subjects.ts";

export interface Question {
  readonly name: string;
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
  ...text("an incident, pending", (s, n) => `incident=${of(s.incidents.other, n)}`),
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
  incidents("a system", (_, n) => system(n)),
  incidents("a system, any status, 200", (_, n) => `${system(n)}&status=any&limit=200`),
  incidents("a sensor", (_, n) => sensor(n)),
  incidents("a sensor, any status, 200", (_, n) => `${sensor(n)}&status=any&limit=200`),
  incidents("a reason", (_, n) => reason(n)),
  incidents("a day, any status", (_, n) => `${within(n, 1)}&status=any`),
  incidents("deep, pending", (s) => `after=${s.deepIncidents.pending}`),
  incidents("deep, any status, 200", (s) => `after=${s.deepIncidents.any}&status=any&limit=200`),
];

const OTHERS: readonly Question[] = [
  { name: "list, pending, 500", path: () => `${Q}?limit=500` },
  { name: "list, deep, pending", path: (s) => `${Q}?after=${s.deep.pending}` },
  { name: "list, deep, any status, 500", path: (s) => `${Q}?after=${s.deep.any}&status=any&limit=500` },
  {
    name: "list, deep, a system",
    path: (s, n) => `${Q}?after=${s.deep.system}&${system(n)}&status=any`,
  },
  { name: "list, deep, a word", path: (s, n) => `${Q}?after=${s.deep.any}&${word(n)}&status=any` },
  { name: "one reading", path: (s, n) => `${Q}/${of(s.ids, n)}` },
  { name: "quarantine of a job", path: (s, n) => `/api/v1/jobs/${of(s.jobs, n)}/quarantine` },
  { name: "tasks", path: () => `${Q}/actions` },
  { name: "tasks, deep, 200", path: (s) => `${Q}/actions?after=${s.deep.tasks}&limit=200` },
  { name: "tasks, of a state", path: (_, n) => `${Q}/actions?state=${of(["running", "completed"], n)}` },
  { name: "audit", path: () => "/api/v1/audit" },
  { name: "audit, deep", path: (s) => `/api/v1/audit?after=${s.deep.audit}&limit=200` },
  {
    name: "audit, of a reading",
    path: (s, n) => `/api/v1/audit?subject_type=reading&subject_id=${of(s.decided, n)}`,
  },
  {
    name: "audit, an action",
    path: (_, n) => `/api/v1/audit?action=${of(["approve", "reject", "alert.raise"], n)}`,
  },
  { name: "audit, a user", path: (s) => `/api/v1/audit?actor=${s.user}` },
  {
    name: "audit, a kind of subject",
    path: (_, n) => `/api/v1/audit?subject_type=${of(["reading", "task"], n)}`,
  },
  { name: "audit, a day", path: (_, n) => `/api/v1/audit?${within(n, 1)}` },
  { name: "alerts", path: () => "/api/v1/alerts" },
  { name: "alerts, any, deep", path: (s) => `/api/v1/alerts?state=any&after=${s.deep.alerts}` },
  { name: "alerts, of a system", path: (_, n) => `/api/v1/alerts?state=resolved&${system(n)}` },
  { name: "export, first byte", path: () => `${Q}?status=any&format=csv`, first_byte: true },
  { name: "export of a word, first byte", path: (_, n) => `${Q}?${word(n)}&format=ndjson`, first_byte: true },
];

export const QUESTIONS: readonly Question[] = [...FILTERS, ...INCIDENTS, ...OTHERS];
