/** `GET /api/v1/workers`: the ingest threads of all worker processes. */
import { describeRoute } from "hono-openapi";
import { WorkerListSchema, type WorkerView } from "../../contract/oversight.ts";
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { WORKER_EXAMPLE } from "../openapi/oversight-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { onlyParameters } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { READ_PROBLEMS } from "./common-problems.ts";

const PATH = "/api/v1/workers";

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "Ingest threads of all processes",
  description:
    "As the worker processes write it to Redis every 2 s, on whatever machines they run; one that is silent for 15 s " +
    "is left out. Not for producers.",
  operationId: "listWorkers",
  security: SECURITY,
  responses: {
    200: ok("Threads, by process", WorkerListSchema, { items: [WORKER_EXAMPLE] }),
    ...problems(PATH, READ_PROBLEMS),
  },
});

export function mountWorkers(app: App, { workerBoard, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens, READERS), async (c) => {
    onlyParameters(c, []);
    const items = (await workerBoard.all()).flatMap(({ process, threads, age_ms }) =>
      threads.map(
        ({ name, state, silent_ms, restarts, in_hand }): WorkerView => ({
          name,
          process,
          state,
          heartbeat_age_ms: silent_ms + age_ms,
          restarts,
          in_hand,
        }),
      ),
    );
    return c.json({ items });
  });
}
