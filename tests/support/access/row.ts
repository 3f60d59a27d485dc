/** A row of the table of who may do what, and how rows are made. */
import type { Role, Scope } from "../../../src/contract/roles.ts";
import type { Person, Place, World } from "../access-world.ts";

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

export const EVERYBODY: readonly Role[] = ["producer", "engineer", "reviewer", "admin"];
export const READERS: readonly Role[] = ["engineer", "reviewer", "admin"];
export const SENDERS: readonly Role[] = ["producer", "engineer", "admin"];
export const EDITORS: readonly Role[] = ["engineer", "admin"];
export const REVIEWERS: readonly Role[] = ["reviewer", "admin"];
export const ADMINS: readonly Role[] = ["admin"];
export const FOLLOW: readonly Scope[] = ["ingest", "read"];

export const system_id = ({ system_id }: Place) => system_id;
export const publicly = (path: string, good = 200): Row => ({ may: "public", good, ask: () => ({ path }) });
/** Below a system. */
export const inSystem = (
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
export const inSensor = (
  may: readonly Role[],
  scope: Scope,
  rest: string,
  more: Partial<Row> & { readonly body?: unknown } = {},
) => inSystem(may, scope, (_, at) => `/sensors/${at.sensor_id}${rest}`, more);
export const ofJob = (rest: string, more: Partial<Row> = {}): Row => ({
  may: EVERYBODY,
  scopes: FOLLOW,
  good: 200,
  foreign: 404,
  ask: async (world, at, me) => ({ path: `/api/v1/jobs/${await world.jobFor(me, at)}${rest}` }),
  ...more,
});
export const list = (may: readonly Role[], path: string, more: Partial<Row> = {}): Row => ({
  may,
  scopes: ["read"],
  good: 200,
  foreign: "not shown",
  shows: system_id,
  ask: () => ({ path }),
  ...more,
});
export const looks = (may: readonly Role[], path: string, more: Partial<Row> = {}): Row => ({
  may,
  scopes: ["read"],
  good: 200,
  ask: () => ({ path }),
  ...more,
});
/** Webhooks are their users'; admins without a list see all. */
export const ofWebhook = (rest = "", more: Partial<Row> & { readonly body?: unknown } = {}): Row => {
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
export const ofDelivery = (rest: string, more: Partial<Row> = {}): Row =>
  ofWebhook("", {
    ask: async (world, at, me) => ({ path: `/api/v1/webhooks/${await world.deliveryFor(me, at)}${rest}` }),
    ...more,
  });
export const unique = () => crypto.randomUUID();
