/** `GET /livez`, `GET /readyz` and `GET /health`: for orchestrators, load balancers and people. */
import { Type } from "@sinclair/typebox";
import { describeRoute } from "hono-openapi";
import { DeadlineError, withDeadline } from "../../ops/retry.ts";
import type { ReplicaState } from "../../store/replica/replica-watch.ts";
import { StreamUnavailableError } from "../../stream/connection.ts";
import { DURABILITIES, type Durability } from "../../stream/durability.ts";
import type { App, AppContext } from "../app-env.ts";
import { DependencyCheck, type DependencyStates } from "../dependency-check.ts";
import type { RouteDeps, WorkerSummary } from "../deps.ts";
import { PUBLIC } from "../openapi/document.ts";
import { ok, problems } from "../openapi/responses.ts";
import { RETRY_AFTER_BACKLOG_S } from "../problem-error.ts";

const LiveSchema = Type.Object({ status: Type.Literal("alive") });
const stateOf = (...states: string[]) => Type.Union(states.map((s) => Type.Literal(s)));
const ReadySchema = Type.Object({
  status: stateOf("ready", "degraded", "unavailable"),
  reasons: Type.Array(Type.String(), { description: "Why the status is not `ready`" }),
});
const CheckedSchema = Type.Object({ state: stateOf("up", "down"), latency_ms: Type.Number() });
const RedisSchema = Type.Object({
  ...CheckedSchema.properties,
  durability: Type.Union([stateOf(...DURABILITIES), Type.Null()], {
    description:
      "When what is accepted is on Redis' disk: before the answer, within a second, when the operating system likes, " +
      "never, or not to be learned; null while Redis is down",
  }),
});
const ReplicaSchema = Type.Object(
  {
    state: stateOf("up", "behind", "away", "foreign", "unknown"),
    lag_ms: Type.Union([Type.Number(), Type.Null()]),
  },
  { description: "It answers questions while it is up, else the primary does; null: there is none" },
);
const HealthSchema = Type.Object({
  status: ReadySchema.properties.status,
  reasons: ReadySchema.properties.reasons,
  checked_at: Type.String({ format: "date-time" }),
  dependencies: Type.Object({
    redis: RedisSchema,
    postgres: CheckedSchema,
    read_replica: Type.Union([ReplicaSchema, Type.Null()]),
  }),
  backlog: Type.Union([
    Type.Object({
      entries: Type.Integer({ description: "Batches accepted and not finished" }),
      bytes: Type.Integer(),
      pending: Type.Integer({ description: "Of these, batches in work" }),
      dead_letters: Type.Integer({ description: "Batches that could not be processed and are kept" }),
      full: Type.Boolean(),
    }),
    Type.Null(),
  ]),
  workers: Type.Array(
    Type.Object({
      name: Type.String(),
      state: Type.String(),
      heartbeat_age_ms: Type.Union([Type.Number(), Type.Null()]),
      restarts: Type.Integer(),
    }),
  ),
});

export interface Readiness {
  readonly status: "ready" | "degraded" | "unavailable";
  readonly reasons: string[];
}

/** A process that is about to stop serves what comes, but should be asked for nothing more. */
export const STOPPING: Readiness = { status: "unavailable", reasons: ["the process is about to stop"] };

const REPLICA_IS: Readonly<Record<Exclude<ReplicaState, "up">, string>> = {
  unknown: "how far the read replica is behind is not known yet",
  behind: "the read replica is too far behind",
  away: "the read replica is down",
  foreign: "DATABASE_READ_URL leads to no standby of the primary",
};

/** Redis away or full means that batches are refused; without Postgres they are accepted and wait. */
function readinessOf({ redis, postgres, stream, replica }: DependencyStates): Readiness {
  const refusing = [
    ...(redis.state === "down" ? ["Redis is down or takes no writes"] : []),
    ...(stream?.full ? ["the backlog has reached its bound"] : []),
  ];
  const waiting = [
    ...(postgres.state === "down"
      ? ["PostgreSQL is down or takes no writes: batches are accepted and wait"]
      : []),
    ...(replica && replica.state !== "up"
      ? [`${REPLICA_IS[replica.state]}: the primary is asked instead`]
      : []),
  ];
  const status = refusing.length > 0 ? "unavailable" : waiting.length > 0 ? "degraded" : "ready";
  return { status, reasons: [...refusing, ...waiting] };
}

const DURABILITY_DEADLINE_MS = 1_000;

/** Null while Redis does not say. */
async function durabilityOf({ keeping }: RouteDeps): Promise<Durability | null> {
  try {
    return (await withDeadline(keeping(), DURABILITY_DEADLINE_MS, "settings of Redis")).durability;
  } catch (error) {
    if (error instanceof StreamUnavailableError || error instanceof DeadlineError) return null;
    throw error;
  }
}

/** An answer of /health. */
function healthOf(
  states: DependencyStates,
  durability: Durability | null,
  readiness: Readiness,
  workers: readonly WorkerSummary[],
  now_ms: number,
) {
  const { redis, postgres, stream, replica = null } = states;
  return {
    ...readiness,
    checked_at: new Date(now_ms).toISOString(),
    dependencies: { redis: { ...redis, durability }, postgres, read_replica: replica },
    backlog: stream && {
      entries: stream.entries,
      bytes: stream.bytes,
      pending: stream.pending,
      dead_letters: stream.dead_letters,
      full: stream.full,
    },
    workers,
  };
}

const READY_EXAMPLE = { status: "ready", reasons: [] };
const DOWN_EXAMPLE = { status: "unavailable", reasons: ["Redis is down or takes no writes"] };
const HEALTH_EXAMPLE = {
  ...READY_EXAMPLE,
  checked_at: "2025-11-07T22:50:02.000Z",
  dependencies: {
    redis: { state: "up", latency_ms: 0.4, durability: "everysec" },
    postgres: { state: "up", latency_ms: 0.9 },
    read_replica: { state: "up", lag_ms: 12 },
  },
  backlog: { entries: 3, bytes: 42_000, pending: 1, dead_letters: 0, full: false },
  workers: [{ name: "ingest-1", state: "running", heartbeat_age_ms: 210, restarts: 0 }],
};
const tags = ["Operation"];

/** 503 with a time to come again when it is unavailable, else 200. @param answer is sent as it is */
export function answerReadiness<T extends Readiness>(c: AppContext, answer: T): Response {
  if (answer.status !== "unavailable") return c.json(answer);
  return c.json(answer, 503, { "Retry-After": String(RETRY_AFTER_BACKLOG_S) });
}

/** `GET /livez`, which asks nothing of anybody. */
export function mountLive(app: App): void {
  const live = describeRoute({
    tags,
    summary: "The process answers",
    description: "For a probe that restarts the process; asks nothing else.",
    operationId: "livez",
    security: PUBLIC,
    responses: { 200: ok("Alive", LiveSchema, { status: "alive" }), ...problems("/livez", []) },
  });
  app.get("/livez", live, (c) => c.json({ status: "alive" }));
}

export function mountProbes(app: App, deps: RouteDeps): void {
  mountLive(app);
  const check = new DependencyCheck(deps);
  const ready = describeRoute({
    tags,
    summary: "Batches are accepted",
    description:
      "For a probe that takes the process out of the balancer: Redis can be written, the backlog is below its bound, and nobody wants the process to stop.",
    operationId: "readyz",
    security: PUBLIC,
    responses: {
      200: ok("Ready, or degraded when only PostgreSQL is down", ReadySchema, READY_EXAMPLE),
      503: ok("Batches are refused", ReadySchema, DOWN_EXAMPLE, ["Retry-After"]),
      ...problems("/readyz", []),
    },
  });
  const isLeaving = () => deps.stop.wanted.aborted;
  const judge = (states: DependencyStates) => (isLeaving() ? STOPPING : readinessOf(states));
  app.get("/readyz", ready, async (c) =>
    answerReadiness(c, isLeaving() ? STOPPING : readinessOf(await check.run())),
  );

  const health = describeRoute({
    tags,
    summary: "Summary for people",
    description: "What works and what does not, part by part.",
    operationId: "health",
    security: PUBLIC,
    responses: {
      200: ok("Ready or degraded", HealthSchema, HEALTH_EXAMPLE),
      503: ok("Batches are refused", HealthSchema, { ...HEALTH_EXAMPLE, ...DOWN_EXAMPLE }, ["Retry-After"]),
      ...problems("/health", []),
    },
  });
  app.get("/health", health, async (c) => {
    const states = await check.run();
    const durability = states.redis.state === "up" ? await durabilityOf(deps) : null;
    const now_ms = deps.clock.now_ms();
    return answerReadiness(c, healthOf(states, durability, judge(states), deps.workers(), now_ms));
  });
}
