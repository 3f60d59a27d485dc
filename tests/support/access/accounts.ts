/** Logins, accounts and API keys. */
import { ADMINS, EVERYBODY, list, looks, publicly, type Row, unique } from "./row.ts";

export const ACCOUNT_ROWS: Readonly<Record<string, Row>> = {
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
  // A token by itself is none that is renewed: nothing changes.
  "POST /api/v1/auth/session/renew": looks(EVERYBODY, "/api/v1/auth/session/renew", { scopes: [] }),
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
};
