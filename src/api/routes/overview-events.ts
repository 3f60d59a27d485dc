/** `GET /api/v1/overview/events`: the overview once a second, as server-sent events (WHATWG HTML, section 9.2). */
import { streamSSE } from "hono/streaming";
import { describeRoute } from "hono-openapi";
import { type Overview, OverviewSchema } from "../../contract/oversight.ts";
import { unlessAborted } from "../../ops/retry.ts";
import type { App, AppContext, RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { OVERVIEW_EXAMPLE } from "../openapi/oversight-examples.ts";
import { headersOf, problems } from "../openapi/responses.ts";
import { type OverviewSampler, TooManyListenersError } from "../overview-sampler.ts";
import { onlyParameters } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { READERS } from "../roles.ts";
import { LIST_PROBLEMS } from "./oversight-access.ts";
import { FIGURES } from "./overview.ts";
import { queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/overview/events";
/** After which a client that lost the connection comes back, ms. */
const RETRY_MS = 2_000;
const RETRY_AFTER_BUSY_S = 10;
/** Longest stream: a client comes back by itself. */
const LONGEST_MS = 6 * 3_600_000;

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "The service, once a second",
  description:
    "Events named `overview` with the JSON of GET /api/v1/overview, the first at once, each with an id; a comment " +
    "in its place while Redis or PostgreSQL is away. Ends when the token does, after 6 h, and when the server " +
    `stops; \`retry\` says when to come back. ${FIGURES}`,
  operationId: "watchOverview",
  security: SECURITY,
  responses: {
    200: {
      description: "Events without an end; the schema is that of their data",
      headers: headersOf(["Cache-Control"]),
      content: { "text/event-stream": { schema: schemaOf(OverviewSchema), example: OVERVIEW_EXAMPLE } },
    },
    ...problems(PATH, LIST_PROBLEMS),
  },
});

export function mountOverviewEvents(app: App, deps: RouteDeps, sampler: OverviewSampler): void {
  app.get(PATH, describe, authenticate(deps.tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, []);
      // Whatever is away now is told as a problem, not in the middle of a stream.
      const first = await sampler.latest();
      return answer(c, deps, sampler, first);
    }),
  );
}

/** @throws {ProblemError} server-busy */
function answer(c: AppContext, deps: RouteDeps, sampler: OverviewSampler, first: Overview): Response {
  const watcher = new Watcher(first);
  const leave = listening(sampler, watcher);
  const left_ms = c.get("claims").exp * 1000 - deps.clock.now_ms();
  const gone = new AbortController();
  const end = AbortSignal.any([
    gone.signal,
    c.req.raw.signal,
    deps.closing,
    AbortSignal.timeout(Math.max(1, Math.min(left_ms, LONGEST_MS))),
  ]);
  c.header("X-Accel-Buffering", "no");
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => gone.abort());
    try {
      for (let id = 1; !end.aborted; id += 1) {
        const look = await watcher.next(end);
        if (end.aborted) return;
        const data = JSON.stringify(look);
        const written = look
          ? stream.writeSSE({ event: "overview", data, id: String(id), retry: RETRY_MS })
          : stream.write(": a service is away\n\n");
        // A client that takes nothing must not keep the server from stopping.
        await unlessAborted(Promise.resolve<unknown>(written), end);
      }
    } finally {
      leave();
    }
  });
}

/** @returns ends it @throws {ProblemError} server-busy */
function listening(sampler: OverviewSampler, watcher: Watcher): () => void {
  try {
    return sampler.listen((look) => watcher.hear(look));
  } catch (error) {
    if (!(error instanceof TooManyListenersError)) throw error;
    throw new ProblemError("server-busy", {
      detail: "Too many consoles watch the overview.",
      headers: { "Retry-After": String(RETRY_AFTER_BUSY_S) },
      cause: error,
    });
  }
}

/** The newest look that was not taken yet: a slow client skips looks instead of letting them pile up. */
class Watcher {
  #newest: Overview | null | undefined;
  #lastAt = "";
  #wake: () => void = () => undefined;

  constructor(first: Overview) {
    this.#newest = first;
  }

  /** The look that the stream began with is told once. */
  hear(look: Overview | null): void {
    if (look !== null && look.at === this.#lastAt) return;
    this.#newest = look;
    this.#wake();
  }

  /** Waits for a look; null also when the signal fires. */
  async next(signal: AbortSignal): Promise<Overview | null> {
    if (this.#newest === undefined) {
      await unlessAborted(new Promise<void>((resolve) => (this.#wake = resolve)), signal);
    }
    const look = this.#newest ?? null;
    this.#newest = undefined;
    if (look) this.#lastAt = look.at;
    return look;
  }
}
