/** The answers a feeder reads, checked as far as it relies on them. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { JOB_STATES } from "../contract/job.ts";
import { REFUSAL_REASONS } from "../contract/refusal.ts";
import { type Problem, UnexpectedAnswerError } from "./errors.ts";

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const count = Type.Integer({ minimum: 0 });
const reason = Type.Union(REFUSAL_REASONS.map((r) => Type.Literal(r)));

/** `POST /api/v1/auth/login`; `expires_in` in seconds. */
export const TokenAnswer = Type.Object({
  access_token: Type.String({ minLength: 1 }),
  expires_in: Type.Number({ exclusiveMinimum: 0 }),
});

/** `POST /api/v1/data/ingest` */
export const AcceptedAnswer = Type.Object({ job_id: Type.String({ minLength: 1 }) });

/** `GET /api/v1/jobs/{id}/`: the part of the contract's JobView that counts and times. */
export const JobAnswer = Type.Object({
  job_id: Type.String(),
  status: Type.Union(JOB_STATES.map((s) => Type.Literal(s))),
  total_readings: count,
  inserted_readings: count,
  duplicate_readings: count,
  quarantined_readings: count,
  created_at: Type.String(),
  completed_at: nullable(Type.String()),
  error_message: nullable(Type.String()),
});
export type JobAnswer = Static<typeof JobAnswer>;

/** `GET /api/v1/jobs/{id}/quarantine`; `counts` is of the whole job, `next` the `after` of the next page. */
export const QuarantineAnswer = Type.Object({
  items: Type.Array(
    Type.Object({
      ordinal: count,
      reason,
      reason_details: nullable(Type.String()),
    }),
  ),
  next: nullable(count),
  counts: Type.Partial(Type.Record(reason, count)),
});
export type QuarantineAnswer = Static<typeof QuarantineAnswer>;

/** A function that parses and checks the text of one kind of answer. */
export function answerReader<T extends TSchema>(schema: T): (text: string, what: string) => Static<T> {
  const check = TypeCompiler.Compile(schema);
  return (text, what) => {
    const body = parseJson(text);
    if (check.Check(body)) return body;
    const first = check.Errors(body).First();
    const where = first ? `${first.path || "/"}: ${first.message}` : "not as described";
    throw new UnexpectedAnswerError(`the answer to ${what} is not what the API promises (${where})`);
  };
}

/** Problem details (RFC 9457) of a refusal; whatever is missing or is no JSON becomes null. */
export function readProblem(text: string): Problem {
  const body = parseJson(text) as { title?: unknown; detail?: unknown; errors?: unknown } | null | undefined;
  const errors = Array.isArray(body?.errors)
    ? (body.errors as { pointer?: unknown; detail?: unknown }[])
    : [];
  return {
    title: typeof body?.title === "string" ? body.title : null,
    detail: typeof body?.detail === "string" ? body.detail : null,
    errors: errors.slice(0, 10).map((e) => `${e?.pointer ?? ""}: ${e?.detail ?? ""}`),
  };
}

/** undefined when the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
