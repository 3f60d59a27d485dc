/** Quarantined readings, and decisions about them. */
import { list, READERS, REVIEWERS, type Row } from "./row.ts";

export const QUARANTINE_ROWS: Readonly<Record<string, Row>> = {
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
};
