/** Puts the HTTP API together. Everything it needs is handed in; nothing here reads the environment. */
import { Hono } from "hono";
import { answerErrors } from "./answer-errors.ts";
import type { App, AppEnv } from "./app-env.ts";
import { AccessTokens } from "./auth/access-tokens.ts";
import { Credentials } from "./auth/credentials.ts";
import { PasswordChecker } from "./auth/passwords.ts";
import { batchIntake } from "./batch/intake.ts";
import type { ApiDeps, RouteDeps } from "./deps.ts";
import { findJobs } from "./find-jobs.ts";
import { eventStreams, followMetrics } from "./follow-metrics.ts";
import { Exports } from "./formats/export.ts";
import { HttpMetrics } from "./http-metrics.ts";
import { JobWatch } from "./job-watch.ts";
import { leaving } from "./middleware/leaving.ts";
import { observe } from "./middleware/observe.ts";
import { mountAccess } from "./routes/access.ts";
import { mountDocs } from "./routes/docs.ts";
import { mountIngest } from "./routes/ingest.ts";
import { mountJob } from "./routes/job.ts";
import { mountJobEvents } from "./routes/job-events.ts";
import { mountJobQuarantine } from "./routes/job-quarantine.ts";
import { mountMetrics } from "./routes/metrics.ts";
import { mountOpenApi } from "./routes/openapi.ts";
import { mountOversight } from "./routes/oversight.ts";
import { mountProbes } from "./routes/probes.ts";
import { mountProblems } from "./routes/problems.ts";
import { mountQuarantine } from "./routes/quarantine.ts";
import { mountQueries } from "./routes/queries.ts";
import { mountRegistry } from "./routes/registry.ts";
import { mountReview } from "./routes/review.ts";
import { mountWebhookRoutes } from "./routes/webhook-routes.ts";
import { mountWrite } from "./routes/write.ts";
import { mountUnmatched } from "./unmatched.ts";

/** The app with all its routes; more may be mounted on it before it serves. */
export function createApp(given: ApiDeps): App {
  const deps = derive(given);
  // Not strict: every address works with and without a last slash.
  const app: App = new Hono<AppEnv>({ strict: false });
  app.use(observe(deps.clock, deps.log, new HttpMetrics(deps.metrics), deps.tracer));
  app.use(leaving(deps));
  answerErrors(app, deps);
  mountAccess(app, deps);
  const takeIn = batchIntake(deps);
  mountIngest(app, deps, takeIn);
  mountWrite(app, deps, takeIn);
  mountJob(app, deps);
  mountJobEvents(app, deps);
  mountJobQuarantine(app, deps);
  mountRegistry(app, deps);
  mountQueries(app, deps);
  mountReview(app, deps);
  mountQuarantine(app, deps);
  mountOversight(app, deps);
  mountWebhookRoutes(app, deps);
  mountProbes(app, deps);
  mountMetrics(app, deps);
  mountProblems(app);
  mountOpenApi(app);
  mountDocs(app);
  mountUnmatched(app);
  return app;
}

/** What is handed in, and what the routes share beyond it. */
function derive(given: ApiDeps): RouteDeps {
  const { log, metrics, stop } = given;
  const jobWatch = new JobWatch({
    find: (job_ids) => findJobs(given, job_ids),
    log,
    closing: stop.closing,
  });
  given.jobSignals.listen(jobWatch);
  followMetrics(metrics, jobWatch);
  const tokens = credentialsOf(given);
  return {
    ...given,
    jobWatch,
    streams: eventStreams(metrics),
    passwords: given.passwords ?? new PasswordChecker(),
    tokens,
    exports: new Exports({ log, metrics, tokens }),
  };
}

function credentialsOf({
  config,
  clock,
  outside,
  register,
  keyUses,
  identities,
  metrics,
}: ApiDeps): Credentials {
  const tokens = new AccessTokens(
    {
      secret: config.JWT_SECRET_KEY,
      accepted: config.JWT_ACCEPTED_KEY,
      algorithm: config.JWT_ALGORITHM,
      lifetime_s: config.JWT_ACCESS_TOKEN_EXPIRE_MINUTES * 60,
      session_s: config.SESSION_MAX_HOURS * 3_600,
    },
    clock,
  );
  return new Credentials({ tokens, outside, register, keyUses, identities, clock, metrics });
}
