/** Lists, counts and incidents of the quarantine by every filter. */

import { REFUSAL_REASONS } from "../../src/contract/refusal.ts";
import {
  hour,
  nowhere,
  of,
  Q,
  type Question,
  rare,
  reason,
  sensor,
  status,
  system,
  within,
  word,
} from "./asked.ts";
import { systemId } from "./quarantine-data.ts";
import type { Subjects } from "./subjects.ts";

const text = (name: string, query: (subjects: Subjects, n: number) => string): Question[] => [
  { name: `list, ${name}`, path: (s, n) => `${Q}?${query(s, n)}` },
  { name: `counts, ${name}`, path: (s, n) => `${Q}/counts?${query(s, n)}` },
];

/** Of the list and of its counts. */
export const FILTERS: readonly Question[] = [
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

export const INCIDENTS: readonly Question[] = [
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
