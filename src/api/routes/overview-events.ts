/** `GET /api/v1/overview/events`: the overview once a second, as server-sent events (WHATWG HTML, section 9.2). */
import { describeRoute } from "hono-openapi";
import { type Overview, OverviewSchema } from "../../contract/oversight.ts";
import type { Reach } from "../../contract/reach.ts";
import type { App, AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { eventStream, Newest } from "../event-stream.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { OVERVIEW_EXAMPLE } from "../openapi/oversight-examples.ts";
import { okEvents, problems } from "../openapi/responses.ts";
import { type Listener, type OverviewSampler, TooManyListenersError } from "../overview-sampler.ts";
import { onlyParameters } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { READERS } from "../roles.ts";
import { LIST_PROBLEMS } from "./oversight-access.ts";
import { FIGURES } from "./overview.ts";
import { queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/overview/events";
const RETRY_AFTER_BUSY_S = 10;

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "The service, once a second",
  description:
    "Events named `overview` with the JSON of GET /api/v1/overview, the first at once, each with an id; a comment " +
    "in its place while Redis is away. Ends when the token does or what it may changes, after 6 h, and when the server " +
    `stops; \`retry\` says when to come back. ${FIGURES}`,
  operationId: "watchOverview",
  security: SECURITY,
  responses: {
    200: okEvents("Events without an end", ["overview"], OverviewSchema, {
      event: "overview",
      id: "1",
      data: OVERVIEW_EXAMPLE,
    }),
    ...problems(PATH, [...LIST_PROBLEMS, "too-many-at-once"]),
  },
});

export function mountOverviewEvents(app: App, deps: RouteDeps, sampler: OverviewSampler): void {
  app.get(PATH, describe, authenticate(deps.tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, []);
      // Whatever is away now is told as a problem, not in the middle of a stream.
      const first = await sampler.latest(c.get("claims").systems);
      return answer(c, deps, sampler, first);
    }),
  );
}

/** @throws {ProblemError} server-busy */
function answer(c: AppContext, deps: RouteDeps, sampler: OverviewSampler, first: Overview): Response {
  const newest = new Newest<Overview | null>();
  newest.put(first);
  let lastAt = "";
  let id = 0;
  // The look that the stream began with is told once.
  const reach = c.get("claims").systems;
  const leave = listening(sampler, reach, (look) => look?.at !== lastAt && newest.put(look));
  return eventStream(c, deps, {
    leave,
    async next(end) {
      const look = await newest.take(end);
      if (!look) return { comment: "a service is away" };
      lastAt = look.at;
      id += 1;
      return { event: "overview", id: String(id), data: JSON.stringify(look) };
    },
  });
}

/** @returns ends it @throws {ProblemError} server-busy */
function listening(sampler: OverviewSampler, reach: Reach, listener: Listener): () => void {
  try {
    return sampler.listen(listener, reach);
  } catch (error) {
    if (!(error instanceof TooManyListenersError)) throw error;
    throw new ProblemError("server-busy", {
      detail: "Too many consoles watch the overview.",
      headers: { "Retry-After": String(RETRY_AFTER_BUSY_S) },
      cause: error,
    });
  }
}
