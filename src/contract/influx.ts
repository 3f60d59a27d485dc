/** What clients of InfluxDB's write API get in place of problem details. */
import { type Static, Type } from "@sinclair/typebox";
import type { ProblemDetails } from "./problem.ts";

export const InfluxErrorSchema = Type.Object(
  {
    code: Type.String({ description: "One of InfluxDB's codes, such as `invalid` or `unauthorized`" }),
    message: Type.String({ description: "What happened, for people" }),
    line: Type.Optional(Type.Integer({ minimum: 1, description: "The line of the body that is at fault" })),
  },
  { $id: "InfluxError" },
);
export type InfluxError = Static<typeof InfluxErrorSchema>;

/** InfluxDB's codes by the status that they come with. */
const CODES: Readonly<Record<number, string>> = {
  400: "invalid",
  401: "unauthorized",
  403: "forbidden",
  404: "not found",
  408: "invalid",
  409: "conflict",
  413: "request too large",
  415: "unsupported media type",
  422: "unprocessable entity",
  429: "too many requests",
  503: "unavailable",
};

/** @param line of the body that is at fault */
export function influxError({ status, detail }: ProblemDetails, line: unknown): InfluxError {
  const error = { code: CODES[status] ?? "internal error", message: detail };
  return typeof line === "number" ? { ...error, line } : error;
}
