/** `POST /api/v2/write`: batches in line protocol, as clients of InfluxDB and Telegraf send them. */
import type { MiddlewareHandler } from "hono";
import { describeRoute } from "hono-openapi";
import { DEMO_SYSTEM_ID } from "../../contract/demo.ts";
import { PRECISIONS } from "../../contract/formats/line-values.ts";
import { influxError } from "../../contract/influx.ts";
import { isUuid } from "../../contract/job-id.ts";
import { PROBLEMS } from "../../contract/problem.ts";
import { reaches } from "../../contract/reach.ts";
import type { App, AppContext, AppEnv } from "../app-env.ts";
import { INTAKE_PROBLEMS, noteAcceptance, type TakeIn } from "../batch/intake.ts";
import { contentCoding } from "../body/media.ts";
import type { RouteDeps } from "../deps.ts";
import { requestLimit } from "../limits/request-limit.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { LINE_EXAMPLE } from "../openapi/examples.ts";
import { influxProblems } from "../openapi/influx-responses.ts";
import { IDEMPOTENCY_KEY_PARAMETER, queryParameter, TRACEPARENT_PARAMETER } from "../openapi/parameters.ts";
import { done, RATE_LIMIT_HEADERS } from "../openapi/responses.ts";
import { choiceParameter, invalidParameter } from "../parameters.ts";
import { ProblemError, type ProblemView, problemDetails } from "../problem-error.ts";
import { SENDERS, SENDING } from "../roles.ts";

const PATH = "/api/v2/write";

const describe = describeRoute({
  tags: ["Ingest"],
  summary: "Send readings in line protocol",
  description:
    "As InfluxDB 2 takes it, so that Telegraf's `influxdb_v2` output and InfluxDB's client libraries write here " +
    "unchanged. Each field of each line is one reading, at most 10,000 in a request; 413 makes Telegraf send the two " +
    "halves. What the fields stand for is said by the mappings of the system. 204 means that the batch is safe in the " +
    "stream, with its job at `Location`; readings that are no good end in quarantine.",
  operationId: "writeLineProtocol",
  security: SECURITY,
  parameters: [
    queryParameter(
      "bucket",
      "The system: its id, or its name when no other system in use has it",
      { type: "string" },
      { required: true, example: DEMO_SYSTEM_ID },
    ),
    queryParameter("precision", "Of the timestamps", {
      type: "string",
      enum: [...PRECISIONS],
      default: "ns",
    }),
    queryParameter("org", "Ignored", { type: "string" }),
    IDEMPOTENCY_KEY_PARAMETER,
    TRACEPARENT_PARAMETER,
  ],
  requestBody: {
    required: true,
    content: {
      "text/plain": {
        schema: { type: "string", description: "Line protocol; the Content-Type does not matter" },
        example: LINE_EXAMPLE,
      },
    },
  },
  responses: {
    204: done("The batch is safe in the stream", ["Location", "Idempotent-Replayed", ...RATE_LIMIT_HEADERS]),
    ...influxProblems(PATH, INTAKE_PROBLEMS, RATE_LIMIT_HEADERS),
  },
});

/** Problems in InfluxDB's shape, with the status and the headers that they have everywhere. */
const viewForInflux: ProblemView = (c, error) => {
  const body = influxError(problemDetails(c, error), error.members.line);
  return c.body(JSON.stringify(body), PROBLEMS[error.problem].status, {
    ...error.headers,
    "Content-Type": "application/json",
  });
};

const speakInflux: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set("problem_view", viewForInflux);
  await next();
};

export function mountWrite(app: App, deps: RouteDeps, takeIn: TakeIn): void {
  const requireBucket: MiddlewareHandler<AppEnv> = async (c, next) => {
    const system_id = systemOf(c, deps);
    c.set("batch_form", {
      format: "line",
      system_id,
      precision: choiceParameter(c, "precision", PRECISIONS, "ns"),
    });
    contentCoding(c.req.header("Content-Encoding"));
    await next();
  };
  const admit = [
    speakInflux,
    authenticate(deps.tokens, SENDERS, SENDING),
    requireBucket,
    requestLimit(deps),
  ] as const;
  app.post(PATH, describe, ...admit, async (c) => {
    const Location = noteAcceptance(c, await takeIn(c, c.get("batch_form")));
    return c.body(null, 204, { Location });
  });
}

/** The system that the bucket names. @throws {ProblemError} invalid-request, system-not-found */
function systemOf(c: AppContext, { systemNames }: Pick<RouteDeps, "systemNames">): string {
  const bucket = c.req.query("bucket");
  if (!bucket) throw invalidParameter("bucket", "the id or the name of a system");
  if (isUuid(bucket)) return bucket.toLowerCase();
  const { systems } = c.get("claims");
  const [first, second] = systemNames.idsOf(bucket).filter((id) => reaches(systems, id));
  if (first === undefined) {
    throw new ProblemError("system-not-found", { detail: `No system in use has the name ${shown(bucket)}.` });
  }
  if (second !== undefined) throw invalidParameter("bucket", "an id: several systems have this name");
  return first;
}

const shown = (bucket: string) => JSON.stringify(bucket.slice(0, 100).toWellFormed());
