/** What tells how the service is doing. */
import { ADMINS, list, looks, READERS, REVIEWERS, type Row } from "./row.ts";

export const OVERSIGHT_ROWS: Readonly<Record<string, Row>> = {
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
};
