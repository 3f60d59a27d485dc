/**
 * Who may do what: one row for each route of the service. The flow test holds the rows against the running service, for
 * every role and for systems within and out of reach, and fails when a route has no row; docs/access.md shows it.
 */
import type { Role, Scope } from "../../src/contract/roles.ts";
import type { Person, Place, World } from "./access-world.ts";

/** One request. */
export interface Ask {
  readonly path: string;
  readonly body?: unknown;
}

export interface Row {
  /** Everybody, without a credential; or these roles. */
  readonly may: "public" | readonly Role[];
  /** Of which a key needs one; none: no key may. */
  readonly scopes?: readonly Scope[];
  /** The request, about something of the place. */
  readonly ask: (world: World, at: Place, me: Person) => Ask | Promise<Ask>;
  /** Status when it is allowed. */
  readonly good?: number;
  /** Status about a place out of reach; a list is good and does not show it; without it the route is about no place. */
  readonly foreign?: number | "not shown";
  /** Of a list: what shows that the place is in it. */
  readonly shows?: (at: Place, me: Person, world: World) => string;
  /** Not by the reach of systems alone: what is somebody else's stays so for those without a list. */
  readonly owned?: true;
  /** Status for those who are limited to systems, whatever the place. */
  readonly limited?: number;
  /** Never ends. */
  readonly endless?: true;
}

const EVERYBODY: readonly Role[] = ["producer", "engineer", "reviewer", "admin"];
const READERS: readonly Role[] = ["engineer", "reviewer", "admin"];
const SENDERS: readonly Role[] = ["producer", "engineer", "admin"];
const EDITORS: readonly Role[] = ["engineer", "admin"];
const REVIEWERS: readonly Role[] = ["reviewer", "admin"];
const ADMINS: readonly Role[] = ["admin"];
const FOLLOW: readonly Scope[] = ["ingest", "read"];

const system_id = ({ system_id }: Place) => system_id;
const publicly = (path: string, good = 200): Row => ({ may: "public", good, ask: () => ({ path }) });
/** Below a system. */
const inSystem = (
  may: readonly Role[],
  scope: Scope,
  rest: string | ((w: World, at: Place) => Promise<string> | string),
  more: Partial<Row> & { readonly body?: unknown } = {},
): Row => {
  const { body, ...row } = more;
  return {
    may,
    scopes: [scope],
    good: 200,
    foreign: 404,
    ask: async (world, at) => ({
      path: `/api/v1/systems/${at.system_id}${typeof rest === "string" ? rest : await rest(world, at)}`,
      ...(body === undefined ? {} : { body: typeof body === "function" ? body() : body }),
    }),
    ...row,
  };
};
const inSensor = (
  may: readonly Role[],
  scope: Scope,
  rest: string,
  more: Partial<Row> & { readonly body?: unknown } = {},
) => inSystem(may, scope, (_, at) => `/sensors/${at.sensor_id}${rest}`, more);
const ofJob = (rest: string, more: Partial<Row> = {}): Row => ({
  may: EVERYBODY,
  scopes: FOLLOW,
  good: 200,
  foreign: 404,
  ask: async (world, at, me) => ({ path: `/api/v1/jobs/${await world.jobFor(me, at)}${rest}` }),
  ...more,
});
const list = (may: readonly Role[], path: string, more: Partial<Row> = {}): Row => ({
  may,
  scopes: ["read"],
  good: 200,
  foreign: "not shown",
  shows: system_id,
  ask: () => ({ path }),
  ...more,
});
const looks = (may: readonly Role[], path: string, more: Partial<Row> = {}): Row => ({
  may,
  scopes: ["read"],
  good: 200,
  ask: () => ({ path }),
  ...more,
});
/** Webhooks are their users'; admins without a list see all. */
const ofWebhook = (rest = "", more: Partial<Row> & { readonly body?: unknown } = {}): Row => {
  const { body, ...row } = more;
  return {
    may: SENDERS,
    scopes: [],
    good: 200,
    foreign: 404,
    owned: true,
    ask: async (world, at, me) => ({
      path: `/api/v1/webhooks/${await world.webhookFor(me, at)}${rest}`,
      ...(body === undefined ? {} : { body }),
    }),
    ...row,
  };
};
const ofDelivery = (rest: string, more: Partial<Row> = {}): Row =>
  ofWebhook("", {
    ask: async (world, at, me) => ({ path: `/api/v1/webhooks/${await world.deliveryFor(me, at)}${rest}` }),
    ...more,
  });
const unique = () => crypto.randomUUID();

/** By method and path as the app has them. */
export const ACCESS_TABLE: Readonly<Record<string, Row>> = {
  "POST /api/v1/auth/login": {
    may: "public",
    good: 401,
    ask: () => ({ path: "/api/v1/auth/login", body: { username: "nobody", password: "x" } }),
  },
  "POST /api/v1/auth/session": {
    may: "public",
    good: 401,
    ask: () => ({ path: "/api/v1/auth/session", body: { username: "nobody", password: "x" } }),
  },
  "DELETE /api/v1/auth/session": publicly("/api/v1/auth/session", 204),
  "GET /api/v1/auth/session": looks(EVERYBODY, "/api/v1/auth/session", {
    scopes: ["ingest", "read", "write"],
  }),
  "POST /api/v1/auth/logout": looks(EVERYBODY, "/api/v1/auth/logout", { scopes: [], good: 204 }),
  // The password is unknown, and so wrong: whoever comes so far was let through.
  "POST /api/v1/auth/password": {
    may: EVERYBODY,
    scopes: [],
    good: 400,
    ask: () => ({
      path: "/api/v1/auth/password",
      body: { current_password: "x", new_password: "long enough" },
    }),
  },
  "GET /api/v1/users": list(ADMINS, "/api/v1/users?limit=500", {
    scopes: [],
    shows: ({ user_id }) => user_id,
  }),
  "POST /api/v1/users": {
    may: ADMINS,
    scopes: [],
    good: 201,
    foreign: 403,
    ask: (_, at) => ({
      path: "/api/v1/users",
      body: { username: unique(), password: "long enough", role: "producer", systems: [at.system_id] },
    }),
  },
  "GET /api/v1/users/:user_id": {
    may: ADMINS,
    scopes: [],
    good: 200,
    foreign: 404,
    ask: (_, at) => ({ path: `/api/v1/users/${at.user_id}` }),
  },
  "PATCH /api/v1/users/:user_id": {
    may: ADMINS,
    scopes: [],
    good: 200,
    foreign: 404,
    ask: (_, at) => ({ path: `/api/v1/users/${at.user_id}`, body: { requests_per_minute: 7 } }),
  },
  "POST /api/v1/users/:user_id/password": {
    may: ADMINS,
    scopes: [],
    good: 204,
    foreign: 404,
    ask: (_, at) => ({ path: `/api/v1/users/${at.user_id}/password`, body: { password: "long enough" } }),
  },
  "GET /api/v1/keys": list(EVERYBODY, "/api/v1/keys?limit=500", {
    scopes: [],
    shows: (at, me, world) => (me.role === "admin" || at === world.foreign ? at.producer_id : me.id),
    owned: true,
    ask: async (world, _, me) => {
      await world.keyOf(me.id);
      return { path: "/api/v1/keys?limit=500" };
    },
  }),
  "POST /api/v1/keys": {
    may: EVERYBODY,
    scopes: [],
    good: 201,
    foreign: 403,
    ask: (_, at) => ({
      path: "/api/v1/keys",
      body: { name: "x", scopes: ["read"], systems: [at.system_id] },
    }),
  },
  "GET /api/v1/keys/:key_id": {
    may: EVERYBODY,
    scopes: [],
    good: 200,
    foreign: 404,
    owned: true,
    ask: async (world, at, me) => ({ path: `/api/v1/keys/${await world.keyFor(me, at)}` }),
  },
  "PATCH /api/v1/keys/:key_id": {
    may: EVERYBODY,
    scopes: [],
    good: 200,
    foreign: 404,
    owned: true,
    ask: async (world, at, me) => ({
      path: `/api/v1/keys/${await world.keyFor(me, at)}`,
      body: { name: "y" },
    }),
  },
  "POST /api/v1/keys/:key_id/rotate": {
    may: EVERYBODY,
    scopes: [],
    good: 201,
    foreign: 404,
    owned: true,
    ask: async (world, at, me) => ({ path: `/api/v1/keys/${await world.keyFor(me, at)}/rotate`, body: {} }),
  },
  "DELETE /api/v1/keys/:key_id": {
    may: EVERYBODY,
    scopes: [],
    good: 200,
    foreign: 404,
    owned: true,
    ask: async (world, at, me) => ({ path: `/api/v1/keys/${await world.keyFor(me, at)}` }),
  },
  "POST /api/v2/write": {
    may: SENDERS,
    scopes: ["ingest"],
    good: 204,
    foreign: 404,
    ask: (_, at) => ({ path: `/api/v2/write?bucket=${at.system_id}`, body: "pump,unit=bar pressure=1" }),
  },
  "POST /api/v1/data/ingest": {
    may: SENDERS,
    scopes: ["ingest"],
    good: 202,
    foreign: 404,
    ask: (_, at) => ({
      path: "/api/v1/data/ingest",
      body: {
        system_id: at.system_id,
        readings: [{ sensor_id: at.sensor_id, timestamp: new Date().toISOString(), value: 1, unit: "bar" }],
      },
    }),
  },
  "GET /api/v1/jobs": list(EVERYBODY, "/api/v1/jobs", {
    scopes: FOLLOW,
    ask: async (world, _, me) => {
      for (const at of [world.own, world.foreign]) await world.jobFor(me, at);
      return { path: "/api/v1/jobs" };
    },
  }),
  "GET /api/v1/jobs/:job_id": ofJob(""),
  "GET /api/v1/jobs/:job_id/quarantine": ofJob("/quarantine"),
  "GET /api/v1/jobs/:job_id/events": ofJob("/events", { endless: true }),
  "POST /api/v1/jobs/:job_id/replay": {
    may: REVIEWERS,
    scopes: ["write"],
    good: 200,
    foreign: 404,
    ask: async (world, at) => ({ path: `/api/v1/jobs/${(await world.letter(at)).job_id}/replay`, body: {} }),
  },
  "GET /api/v1/systems": list(EVERYBODY, "/api/v1/systems?limit=1000"),
  "POST /api/v1/systems": {
    may: EDITORS,
    scopes: ["write"],
    good: 201,
    limited: 403,
    ask: () => ({ path: "/api/v1/systems", body: { name: "new" } }),
  },
  "GET /api/v1/systems/:system_id": inSystem(EVERYBODY, "read", ""),
  "PATCH /api/v1/systems/:system_id": inSystem(EDITORS, "write", "", { body: { description: "x" } }),
  "DELETE /api/v1/systems/:system_id": inSystem(EDITORS, "write", ""),
  "POST /api/v1/systems/:system_id/restore": inSystem(EDITORS, "write", "/restore"),
  "GET /api/v1/systems/:system_id/alert-limits": inSystem(READERS, "read", "/alert-limits"),
  "PUT /api/v1/systems/:system_id/alert-limits": inSystem(EDITORS, "write", "/alert-limits", {
    body: { share: 0.5 },
  }),
  "GET /api/v1/systems/:system_id/sensors": inSystem(EVERYBODY, "read", "/sensors"),
  "POST /api/v1/systems/:system_id/sensors": inSystem(EDITORS, "write", "/sensors", {
    good: 201,
    body: () => ({ name: unique(), unit: "bar" }),
  }),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id": inSensor(EVERYBODY, "read", ""),
  "PATCH /api/v1/systems/:system_id/sensors/:sensor_id": inSensor(EDITORS, "write", "", {
    body: { expected_rate_hz: 1 },
  }),
  "DELETE /api/v1/systems/:system_id/sensors/:sensor_id": inSystem(
    EDITORS,
    "write",
    async (world, at) => `/sensors/${await world.sensor(at)}`,
  ),
  "POST /api/v1/systems/:system_id/sensors/:sensor_id/restore": inSensor(EDITORS, "write", "/restore"),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/range": inSensor(EVERYBODY, "read", "/range"),
  "PUT /api/v1/systems/:system_id/sensors/:sensor_id/range": inSensor(EDITORS, "write", "/range", {
    body: { min: 0, max: 350 },
  }),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/ranges": inSensor(EVERYBODY, "read", "/ranges"),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/range/preview": inSensor(
    EVERYBODY,
    "read",
    "/range/preview?min=0&max=1",
  ),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/readings": inSensor(EVERYBODY, "read", "/readings"),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/hourly": inSensor(EVERYBODY, "read", "/hourly"),
  "GET /api/v1/systems/:system_id/sensors/:sensor_id/gaps": inSensor(EVERYBODY, "read", "/gaps"),
  "GET /api/v1/systems/:system_id/series": inSystem(
    EVERYBODY,
    "read",
    (_, at) => `/series?sensors=${at.sensor_id}`,
  ),
  "GET /api/v1/systems/:system_id/hourly": inSystem(EVERYBODY, "read", "/hourly"),
  "GET /api/v1/systems/:system_id/latest": inSystem(EVERYBODY, "read", "/latest"),
  "GET /api/v1/systems/:system_id/completeness": inSystem(EVERYBODY, "read", "/completeness"),
  "GET /api/v1/systems/:system_id/mappings": inSystem(EVERYBODY, "read", "/mappings"),
  "PUT /api/v1/systems/:system_id/mappings": {
    ...inSystem(EDITORS, "write", "/mappings", { good: 201 }),
    ask: (_, at) => ({
      path: `/api/v1/systems/${at.system_id}/mappings`,
      body: { name: unique(), sensor_id: at.sensor_id },
    }),
  },
  "DELETE /api/v1/systems/:system_id/mappings/:mapping_id": inSystem(
    EDITORS,
    "write",
    async (world, at) => `/mappings/${await world.mapping(at)}`,
    { good: 204 },
  ),
  "GET /api/v1/units": looks(EVERYBODY, "/api/v1/units"),
  "GET /api/v1/producers/skew": list(EDITORS, "/api/v1/producers/skew", {
    shows: ({ producer_id }) => producer_id,
  }),
  "GET /api/v1/quarantine": list(READERS, "/api/v1/quarantine"),
  "GET /api/v1/quarantine/counts": list(READERS, "/api/v1/quarantine/counts"),
  "GET /api/v1/quarantine/incidents": list(READERS, "/api/v1/quarantine/incidents"),
  "GET /api/v1/quarantine/:id": {
    may: READERS,
    scopes: ["read"],
    good: 200,
    foreign: 404,
    ask: async (world, at) => ({ path: `/api/v1/quarantine/${await world.reading(at)}` }),
  },
  "GET /api/v1/quarantine/actions": list(READERS, "/api/v1/quarantine/actions"),
  "POST /api/v1/quarantine/actions": {
    may: REVIEWERS,
    scopes: ["write"],
    good: 200,
    foreign: 404,
    ask: async (world, at) => ({
      path: "/api/v1/quarantine/actions",
      body: { action: "reject", selection: { ids: [await world.reading(at)] }, note: "x" },
    }),
  },
  "GET /api/v1/quarantine/actions/:task_id": {
    may: READERS,
    scopes: ["read"],
    good: 200,
    foreign: 404,
    ask: async (world, at) => ({ path: `/api/v1/quarantine/actions/${await world.task(at)}` }),
  },
  "POST /api/v1/quarantine/actions/:task_id/cancel": {
    may: REVIEWERS,
    scopes: ["write"],
    good: 200,
    foreign: 404,
    ask: async (world, at) => ({ path: `/api/v1/quarantine/actions/${await world.task(at)}/cancel` }),
  },
  "GET /api/v1/audit": list(ADMINS, "/api/v1/audit"),
  "GET /api/v1/alerts": list(READERS, "/api/v1/alerts"),
  "POST /api/v1/alerts/:alert_id/acknowledge": {
    may: READERS,
    scopes: ["write"],
    good: 204,
    foreign: 404,
    ask: async (world, at) => ({ path: `/api/v1/alerts/${await world.alert(at)}/acknowledge`, body: {} }),
  },
  "GET /api/v1/workers": looks(READERS, "/api/v1/workers"),
  "GET /api/v1/overview": list(READERS, "/api/v1/overview"),
  "GET /api/v1/overview/history": looks(READERS, "/api/v1/overview/history"),
  "GET /api/v1/overview/events": list(READERS, "/api/v1/overview/events", { endless: true }),
  "GET /api/v1/dead-letters": list(READERS, "/api/v1/dead-letters?limit=200"),
  "GET /api/v1/dead-letters/:partition/:entry": {
    may: READERS,
    scopes: ["read"],
    good: 200,
    foreign: 404,
    ask: async (world, at) => ({ path: (await world.letter(at)).path }),
  },
  // As of one that is not there: somebody else was faster.
  "POST /api/v1/dead-letters/:partition/:entry/replay": {
    may: REVIEWERS,
    scopes: ["write"],
    good: 200,
    foreign: 409,
    ask: async (world, at) => ({ path: `${(await world.letter(at)).path}/replay`, body: {} }),
  },
  "POST /api/v1/dead-letters/:partition/:entry/discard": {
    may: REVIEWERS,
    scopes: ["write"],
    good: 200,
    foreign: 409,
    ask: async (world, at) => ({ path: `${(await world.letter(at)).path}/discard`, body: { note: "x" } }),
  },
  "GET /api/v1/webhooks": list(SENDERS, "/api/v1/webhooks?limit=200", {
    scopes: [],
    owned: true,
    shows: (at, me, world) => (at === world.foreign ? at.producer_id : me.id),
    ask: async (world, _, me) => {
      for (const at of [world.own, world.foreign]) await world.webhookFor(me, at);
      return { path: "/api/v1/webhooks?limit=200" };
    },
  }),
  "POST /api/v1/webhooks": looks(SENDERS, "", {
    scopes: [],
    good: 201,
    ask: async (world, _, me) => {
      // There is a bound for each user.
      await world.bench.database.sql`DELETE FROM diagnostics_webhook WHERE created_by = ${me.id}`;
      return { path: "/api/v1/webhooks", body: { url: "https://hook.example/", events: ["job.completed"] } };
    },
  }),
  "GET /api/v1/webhooks/:webhook_id": ofWebhook(),
  "PATCH /api/v1/webhooks/:webhook_id": ofWebhook("", { body: { description: "x" } }),
  "DELETE /api/v1/webhooks/:webhook_id": ofWebhook("", { good: 204 }),
  "POST /api/v1/webhooks/:webhook_id/secret": ofWebhook("/secret", { body: {} }),
  "POST /api/v1/webhooks/:webhook_id/test": ofWebhook("/test", { good: 202 }),
  "GET /api/v1/webhooks/:webhook_id/deliveries": ofWebhook("/deliveries"),
  "GET /api/v1/webhooks/:webhook_id/deliveries/:delivery_id": ofDelivery(""),
  "POST /api/v1/webhooks/:webhook_id/deliveries/:delivery_id/redeliver": ofDelivery("/redeliver", {
    good: 202,
  }),
  "GET /livez": publicly("/livez"),
  "GET /readyz": publicly("/readyz"),
  "GET /health": publicly("/health"),
  "GET /metrics": publicly("/metrics"),
  "GET /problems/:name": publicly("/problems/forbidden"),
  "GET /openapi.json": publicly("/openapi.json"),
  "GET /docs": publicly("/docs"),
  "GET /docs/:file": publicly("/docs/start.js"),
};
