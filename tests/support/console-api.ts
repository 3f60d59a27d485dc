/** The console on a real server, over an API that answers from fixtures and remembers what it was asked. */
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { mountConsole } from "../../src/console/console.ts";
import * as answers from "./console-answers.ts";
import {
  AUDIT,
  COUNTS,
  IDS,
  INCIDENTS,
  JOBS,
  NOW_MS,
  REFUSED,
  SENSORS,
  SYSTEMS,
} from "./console-fixtures.ts";
import { dryRun, type FakeTask, taskOf } from "./console-tasks.ts";

export const PASSWORD = "demo-pass-1";
const page = (items: readonly unknown[]) => ({ items, next: null });

export class ConsoleBench {
  /** Bodies of POST …/actions, in order. */
  readonly actions: Record<string, unknown>[] = [];
  readonly posts: string[] = [];
  /** Paths that answer with a problem, or with nothing in the list. */
  readonly broken = new Set<string>();
  readonly emptied = new Set<string>();
  /** Whether the live events come. */
  events = true;
  role = "admin";
  /** What was applied last. */
  #task: FakeTask | undefined;
  #stop: () => Promise<void> = async () => undefined;
  url = "";

  static start(): ConsoleBench {
    const bench = new ConsoleBench();
    const app = new Hono({ strict: false });
    bench.#guard(app);
    bench.#session(app);
    bench.#read(app);
    bench.#act(app);
    mountConsole(app);
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: app.fetch, idleTimeout: 60 });
    bench.url = server.url.origin;
    bench.#stop = () => server.stop(true);
    return bench;
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  /** Sessions, and the faults that a test asked for. */
  #guard(app: Hono): void {
    app.use("/api/*", async (c, next) => {
      c.header("X-Request-Id", "req-42");
      if (this.broken.has(c.req.path)) {
        const problem = { type: "/problems/query-timeout", title: "The query took too long", status: 504 };
        return c.json({ ...problem, detail: "The database was given 10 s.", instance: c.req.path }, 504);
      }
      if (this.emptied.has(c.req.path)) return c.json(page([]));
      const open = c.req.path === "/api/v1/auth/session" && c.req.method === "POST";
      if (open || c.req.header("Cookie")?.includes("session=1")) return next();
      return c.json(
        {
          type: "/problems/authentication-required",
          title: "Sign in first",
          status: 401,
          detail: "No session.",
        },
        401,
      );
    });
  }

  #session(app: Hono): void {
    app.post("/api/v1/auth/session", async (c) => {
      const { password } = await c.req.json<{ password: string }>();
      if (password !== PASSWORD) {
        const problem = { type: "/problems/invalid-credentials", title: "User name or password is wrong" };
        return c.json(
          { ...problem, status: 401, detail: "No active user has this name and this password." },
          401,
        );
      }
      c.header("Set-Cookie", "session=1; HttpOnly; SameSite=Strict; Path=/");
      return c.body(null, 204);
    });
    app.get("/api/v1/auth/session", (c) =>
      c.json({
        user: { id: IDS.admin, username: this.role, role: this.role },
        expires_at: new Date(NOW_MS + 3.6e6).toISOString(),
      }),
    );
    app.delete("/api/v1/auth/session", (c) => {
      c.header("Set-Cookie", "session=; Max-Age=0; Path=/");
      return c.body(null, 204);
    });
  }

  #read(app: Hono): void {
    app.get("/api/v1/overview", (c) => c.json(answers.overview()));
    app.get("/api/v1/overview/events", (c) => {
      if (!this.events) return c.body(null, 503);
      return streamSSE(c, async (stream) => {
        while (!stream.aborted && this.events) {
          await stream.writeSSE({ event: "overview", data: JSON.stringify(answers.overview()), retry: 500 });
          await stream.sleep(250);
        }
      });
    });
    app.get("/api/v1/jobs", (c) => {
      const status = c.req.query("status");
      return c.json(page(JOBS.filter((job) => !status || job.status === status)));
    });
    app.get("/api/v1/jobs/:id", (c) => c.json(JOBS.find(({ job_id }) => job_id === c.req.param("id"))));
    for (const [path, items] of [
      ["/api/v1/systems", SYSTEMS],
      ["/api/v1/systems/:id/sensors", SENSORS],
      ["/api/v1/alerts", answers.ALERTS],
      ["/api/v1/workers", answers.WORKERS],
      ["/api/v1/users", answers.USERS],
      ["/api/v1/audit", AUDIT],
      ["/api/v1/dead-letters", answers.LETTERS],
    ] as const) {
      app.get(path, (c) => c.json(page(items)));
    }
    app.get("/api/v1/dead-letters/:partition/:entry", (c) =>
      c.json({ ...answers.LETTERS[0], payload: answers.PAYLOAD }),
    );
    app.get("/api/v1/units", (c) => c.json(answers.UNITS));
    this.#readSystem(app);
    this.#readQuarantine(app);
  }

  #readSystem(app: Hono): void {
    const path = "/api/v1/systems/:id";
    app.get(path, (c) => c.json(SYSTEMS.find(({ id }) => id === c.req.param("id"))));
    app.get(`${path}/sensors/:sensor`, (c) =>
      c.json({
        ...SENSORS[0],
        first_reading_at: new Date(NOW_MS - 9e8).toISOString(),
        last_reading_at: new Date(NOW_MS).toISOString(),
      }),
    );
    const span = (c: { req: { query(name: string): string | undefined } }) =>
      [
        Date.parse(c.req.query("from") ?? new Date(NOW_MS - 8.64e7).toISOString()),
        Date.parse(c.req.query("to") ?? new Date(NOW_MS).toISOString()),
      ] as const;
    app.get(`${path}/completeness`, (c) =>
      c.json({
        sensors: answers.completeness(...span(c), c.req.query("sensors")?.split(",") ?? []),
        next: null,
      }),
    );
    app.get(`${path}/series`, (c) => c.json(answers.series(...span(c))));
    const newest = {
      version: 2,
      min: 0,
      max: 350,
      valid_from: new Date(NOW_MS - 7e8).toISOString(),
      author: IDS.admin,
      author_name: "engineer",
    };
    const range = () => ({ unit: "bar", in_force: SENSORS[0]?.range, newest });
    app.get(`${path}/sensors/:sensor/range`, (c) => c.json(range(), 200, { ETag: '"2"' }));
    app.put(`${path}/sensors/:sensor/range`, async (c) => {
      this.posts.push(`PUT ${c.req.header("If-Match")} ${await c.req.text()}`);
      return c.json(range(), 200, { ETag: '"3"' });
    });
    app.get(`${path}/sensors/:sensor/range/preview`, (c) => {
      const [min, max] = [Number(c.req.query("min")), Number(c.req.query("max"))];
      const [from, to] = span(c).map((ms) => new Date(ms).toISOString());
      return c.json({
        unit: "bar",
        min,
        max,
        from,
        to,
        readings: 604_800,
        refused: 1_204,
        below: 0,
        above: 1_204,
        lowest: 12.4,
        highest: 348.9,
      });
    });
  }

  #readQuarantine(app: Hono): void {
    const path = "/api/v1/quarantine";
    app.get(path, (c) => c.json(page(REFUSED)));
    app.get(`${path}/counts`, (c) => c.json(COUNTS));
    // What a task has decided is no longer pending.
    app.get(`${path}/incidents`, (c) =>
      c.json(page(this.#task?.state === "completed" ? INCIDENTS.slice(1) : INCIDENTS)),
    );
    app.get(`${path}/actions`, (c) =>
      c.json(page([this.#task ?? taskOf({ action: "fix" }, "completed", 3_412)])),
    );
    app.get(`${path}/actions/:id`, (c) => c.json(this.#progress()));
    app.get(`${path}/:id{[0-9]+}`, (c) => c.json(answers.refusedDetail(Number(c.req.param("id")))));
  }

  /** Every look finds the task further. */
  #progress(): FakeTask {
    const task = this.#task;
    if (!task) return taskOf({ action: "fix" }, "completed", 3_412);
    const done = Math.min(3_412, task.done + 1_400);
    this.#task = taskOf(task, done === 3_412 ? "completed" : "running", done);
    return this.#task;
  }

  #act(app: Hono): void {
    app.post("/api/v1/quarantine/actions", async (c) => {
      const body = await c.req.json<Record<string, unknown>>();
      this.actions.push(body);
      if (body.dry_run) return c.json(dryRun(body));
      this.#task = taskOf(body, "running", 0);
      return c.json(this.#task, 202);
    });
    app.post("/api/*", (c) => {
      this.posts.push(c.req.path);
      return c.json({});
    });
  }
}
