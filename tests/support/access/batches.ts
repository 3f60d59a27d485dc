/** Batches: how they come in, and the jobs that they become. */
import { EVERYBODY, FOLLOW, list, ofJob, REVIEWERS, type Row, SENDERS } from "./row.ts";

export const BATCH_ROWS: Readonly<Record<string, Row>> = {
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
};
