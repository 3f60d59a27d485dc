/**
 * Errors as clients see them: problem details (RFC 9457) and the catalogue of their types. A type's URI is the
 * relative reference `/problems/{name}`; it is stable, and it resolves to the explanation in `problems/`.
 */
import { type Static, Type } from "@sinclair/typebox";
import { ACCESS_PROBLEMS } from "./problems/access.ts";
import { CONFLICT_PROBLEMS } from "./problems/conflict.ts";
import { MISSING_PROBLEMS } from "./problems/missing.ts";
import { REQUEST_PROBLEMS } from "./problems/request.ts";
import { SERVICE_PROBLEMS } from "./problems/service.ts";
import { REVIEW_STATUSES } from "./review-status.ts";

/** Every type of problem this service answers with. */
export const PROBLEMS = {
  ...REQUEST_PROBLEMS,
  ...ACCESS_PROBLEMS,
  ...MISSING_PROBLEMS,
  ...CONFLICT_PROBLEMS,
  ...SERVICE_PROBLEMS,
} as const;

export type ProblemName = keyof typeof PROBLEMS;

/** The `type` member of a problem: a relative reference that this service resolves. */
export function problemType(name: ProblemName): string {
  return `/problems/${name}`;
}

/** Media type of every error answer (RFC 9457 section 3). */
export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** One thing that is wrong with a request. */
const ProblemItemSchema = Type.Object({
  pointer: Type.String({ description: "JSON pointer (RFC 6901) into the body" }),
  detail: Type.String(),
});

/** The body of every error answer. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ format: "uri-reference", description: "Stable; resolves to an explanation" }),
    title: Type.String({ description: "The same for every problem of this type" }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: "What happened this time" }),
    instance: Type.String({ format: "uri-reference", description: "Path of the request" }),
    errors: Type.Optional(Type.Array(ProblemItemSchema)),
    line: Type.Optional(
      Type.Integer({ minimum: 1, description: "Only of bodies in lines: the line that is at fault" }),
    ),
    readings: Type.Optional(
      Type.Array(
        Type.Object({
          id: Type.Integer(),
          review_status: Type.Union(REVIEW_STATUSES.map((status) => Type.Literal(status))),
          reviewed_by_name: Type.Union([Type.String(), Type.Null()]),
          reviewed_at: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
        }),
        {
          description: "Only of review-conflict: the present state of the readings that were decided already",
        },
      ),
    ),
  },
  { $id: "Problem" },
);
export type ProblemItem = Static<typeof ProblemItemSchema>;
export type ProblemDetails = Static<typeof ProblemSchema>;
