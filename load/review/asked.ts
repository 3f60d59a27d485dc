/** What the questions of the benchmark are made of. Each request asks about something else. */
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

export const Q = "/api/v1/quarantine";
export const of = <T>(list: readonly T[], n: number): T => list[n % list.length]!;
export const system = (n: number) => `system_id=${systemId(1 + (n % SYSTEMS))}`;
/** A step that visits all of them. */
export const sensor = (n: number) => `sensor_id=${sensorId(1 + ((n * 37) % SENSORS))}`;
export const reason = (n: number) => `reason=${of(REFUSAL_REASONS, n)}`;
export const status = (n: number) => `status=${of(REVIEW_STATUSES, n)}`;
export const hour = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
export const within = (n: number, days: number) => {
  const ago = days + ((n * 5) % 13);
  return `from=${hour(ago)}&to=${hour(ago - days)}`;
};
const WORDS = ["above+700", "is+missing", "FURLONG", "differs+from", "is+not+known"];
export const word = (n: number) => `q=${of(WORDS, n)}`;
/** A value that some readings have. */
export const rare = (n: number) => `q=pressure+${700 + ((n * 37) % 299)}.${n % 10}`;
export const nowhere = (n: number) => `q=nowhere+${n}`;
