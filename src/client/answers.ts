/** The answers of the service, checked as far as the client relies on them. */
import { type Problem, UnexpectedAnswerError } from "./errors.ts";
import { JOB_STATES, type Job, type QuarantinePage } from "./types.ts";

/** null when the value is what it must be, else what is wrong and where. */
type Check = (value: unknown, pointer: string) => string | null;

const text: Check = (value, at) => (typeof value === "string" ? null : `${at}: no text`);
const name: Check = (value, at) => (value === "" ? `${at}: empty` : text(value, at));
const count: Check = (value, at) =>
  Number.isInteger(value) && (value as number) >= 0 ? null : `${at}: no whole number from 0`;
const number: Check = (value, at) => (typeof value === "number" ? null : `${at}: no number`);
const boolean: Check = (value, at) => (typeof value === "boolean" ? null : `${at}: neither true nor false`);
const positive: Check = (value, at) => (typeof value === "number" && value > 0 ? null : `${at}: not above 0`);
const orNull =
  (check: Check): Check =>
  (value, at) =>
    value === null ? null : check(value, at);
const oneOf =
  (values: readonly unknown[]): Check =>
  (value, at) =>
    values.includes(value) ? null : `${at}: none of ${values.join(", ")}`;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf =
  (check: Check): Check =>
  (value, at) =>
    Array.isArray(value) ? firstOf(value.map((item, i) => check(item, `${at}/${i}`))) : `${at}: no list`;
const mapOf =
  (check: Check): Check =>
  (value, at) =>
    isRecord(value)
      ? firstOf(Object.entries(value).map(([key, item]) => check(item, `${at}/${key}`)))
      : `${at}: no object`;
const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value, at) =>
    isRecord(value)
      ? firstOf(Object.entries(checks).map(([key, check]) => check(value[key], `${at}/${key}`)))
      : `${at || "/"}: no object`;

function firstOf(complaints: readonly (string | null)[]): string | null {
  return complaints.find((complaint) => complaint !== null) ?? null;
}

const JOB = fields({
  job_id: name,
  system_id: name,
  status: oneOf(JOB_STATES),
  total_readings: count,
  inserted_readings: count,
  duplicate_readings: count,
  quarantined_readings: count,
  created_at: name,
  started_at: orNull(text),
  completed_at: orNull(text),
  processing_time_ms: orNull(number),
  error_message: orNull(text),
  success_rate: orNull(number),
  is_active: boolean,
  is_completed: boolean,
});
const PAGE = fields({
  items: listOf(fields({ ordinal: count, reason: name, reason_details: orNull(text) })),
  next: orNull(count),
  counts: mapOf(count),
});

/** `POST /api/v1/auth/login`; `expires_in` in seconds. */
export const readToken = reader<{ access_token: string; expires_in: number }>(
  fields({ access_token: name, expires_in: positive }),
);
/** `POST /api/v1/data/ingest` */
export const readAccepted = reader<{ job_id: string }>(fields({ job_id: name }));
/** `GET /api/v1/jobs/{id}/` */
export const readJob = reader<Job>(JOB);
/** `GET /api/v1/jobs/{id}/quarantine` */
export const readQuarantine = reader<QuarantinePage>(PAGE);

/** A function that parses and checks one kind of answer. @throws {UnexpectedAnswerError} */
function reader<T>(check: Check): (body: string, what: string) => T {
  return (body, what) => {
    const value = parseJson(body);
    const complaint = check(value, "");
    if (complaint === null) return value as T;
    throw new UnexpectedAnswerError(`the answer to ${what} is not what the API promises (${complaint})`);
  };
}

/** Problem details (RFC 9457) of a refusal; whatever is missing or is no JSON becomes null. */
export function readProblem(body: string): Problem {
  const value = parseJson(body);
  const problem = isRecord(value) ? value : {};
  const textOrNull = (member: unknown) => (typeof member === "string" ? member : null);
  const errors = Array.isArray(problem.errors) ? problem.errors.filter(isRecord) : [];
  return {
    type: textOrNull(problem.type),
    title: textOrNull(problem.title),
    detail: textOrNull(problem.detail),
    errors: errors.slice(0, 10).map(({ pointer, detail }) => `${pointer ?? ""}: ${detail ?? ""}`),
  };
}

/** undefined when the text is not JSON. */
function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
