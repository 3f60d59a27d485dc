/** What the fake API of the console's tests answers to every look. */
import type { Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { KEYS, USERS } from "./console-access.ts";
import * as answers from "./console-answers.ts";
import { JOBS, MAPPINGS, NOW_MS, REFUSED, SENSORS, SYSTEMS } from "./console-fixtures.ts";
import { AUDIT } from "./console-record.ts";
import { DELIVERIES, DELIVERY, WEBHOOKS } from "./console-webhooks.ts";

const DAY_MS = 86_400_000;
export const page = (items: readonly unknown[]) => ({ items, next: null });

/** The range of time that a request asks about, ms; without one the last day. */
const spanOf = (c: Context) =>
  [
    Date.parse(c.req.query("from") ?? new Date(NOW_MS - DAY_MS).toISOString()),
    Date.parse(c.req.query("to") ?? new Date(NOW_MS).toISOString()),
  ] as const;

/** @param live whether events come, asked again and again @param streams how many there are now is kept in it */
export function mountReads(app: Hono, live: () => boolean, streams: { open: number }): void {
  app.get("/api/v1/overview", (c) => c.json(answers.overview()));
  app.get("/api/v1/overview/history", (c) => c.json(answers.overviewHistory()));
  app.get("/api/v1/overview/events", (c) => {
    if (!live()) return c.body(null, 503);
    return streamSSE(c, async (stream) => {
      streams.open += 1;
      while (!stream.aborted && live()) {
        await stream.writeSSE({ event: "overview", data: JSON.stringify(answers.overview()), retry: 500 });
        await stream.sleep(250);
      }
      streams.open -= 1;
    });
  });
  app.get("/api/v1/jobs", (c) => {
    const status = c.req.query("status");
    return c.json(page(JOBS.filter((job) => !status || job.status === status)));
  });
  app.get("/api/v1/jobs/:id", (c) => c.json(JOBS.find(({ job_id }) => job_id === c.req.param("id"))));
  app.get("/api/v1/jobs/:id/quarantine", (c) => c.json({ ...page(REFUSED), counts: {} }));
  for (const [path, items] of [
    ["/api/v1/systems", SYSTEMS],
    ["/api/v1/systems/:id/sensors", SENSORS],
    ["/api/v1/systems/:id/sensors/:sensor/ranges", answers.RANGES],
    ["/api/v1/systems/:id/mappings", MAPPINGS],
    ["/api/v1/alerts", answers.ALERTS],
    ["/api/v1/workers", answers.WORKERS],
    ["/api/v1/users", USERS],
    ["/api/v1/keys", KEYS],
    ["/api/v1/audit", AUDIT],
    ["/api/v1/webhooks", WEBHOOKS],
    ["/api/v1/webhooks/:id/deliveries", DELIVERIES],
  ] as const) {
    app.get(path, (c) => c.json(page(items)));
  }
  app.get("/api/v1/dead-letters", (c) => {
    const job_id = c.req.query("job_id");
    return c.json(page(answers.LETTERS.filter(({ job }) => !job_id || job?.job_id === job_id)));
  });
  app.get("/api/v1/dead-letters/:partition/:entry", (c) =>
    c.json({ ...answers.LETTERS[0], payload: answers.PAYLOAD }),
  );
  app.get("/api/v1/units", (c) => c.json(answers.UNITS));
  app.get("/api/v1/webhooks/:id", (c) => c.json(WEBHOOKS.find(({ id }) => id === c.req.param("id"))));
  app.get("/api/v1/webhooks/:id/deliveries/:delivery", (c) => c.json(DELIVERY));
  mountSystem(app);
}

function mountSystem(app: Hono): void {
  const path = "/api/v1/systems/:id";
  app.get(path, (c) => c.json(SYSTEMS.find(({ id }) => id === c.req.param("id"))));
  app.get(`${path}/sensors/:sensor`, (c) =>
    c.json({
      ...SENSORS[0],
      first_reading_at: new Date(NOW_MS - 9e8).toISOString(),
      last_reading_at: new Date(NOW_MS).toISOString(),
    }),
  );
  app.get(`${path}/completeness`, (c) =>
    c.json({
      sensors: answers.completeness(...spanOf(c), c.req.query("sensors")?.split(",") ?? []),
      next: null,
    }),
  );
  app.get(`${path}/series`, (c) => c.json(answers.series(...spanOf(c))));
  app.get(`${path}/sensors/:sensor/range`, (c) => c.json(answers.rangeState(), 200, { ETag: '"3"' }));
  app.get(`${path}/sensors/:sensor/range/preview`, (c) => {
    const [min, max] = [Number(c.req.query("min")), Number(c.req.query("max"))];
    return c.json(answers.rangePreview({ min, max }, ...spanOf(c)));
  });
}
