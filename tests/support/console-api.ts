/** The console on a real server, over an API that answers from fixtures and remembers what it was asked. */
import { type Context, Hono } from "hono";
import { setSecurityHeaders } from "../../src/api/security-headers.ts";
import { mountConsole } from "../../src/console/console.ts";
import { PROBLEMS, type ProblemName, problemType } from "../../src/contract/problem.ts";
import type { NewReview, ReviewTask } from "../../src/contract/review.ts";
import type { Role } from "../../src/contract/roles.ts";
import type { Session } from "../../src/contract/session.ts";
import { OTHER_LIMITS } from "./console-alert-limits.ts";
import * as answers from "./console-answers.ts";
import { COUNTS, IDS, INCIDENTS, NOW_MS, REFUSED } from "./console-fixtures.ts";
import { mountReads, page } from "./console-reads.ts";
import { DECIDED, dryRun, SELECTED, taskOf } from "./console-tasks.ts";

export const PASSWORD = "demo-pass-1";
const SESSION = "/api/v1/auth/session";
const RENEWED_S = 3_600;
const NONE = { count: 0, capped: false };
const none = (names: object) => Object.fromEntries(Object.keys(names).map((name) => [name, NONE]));

/** How the API is: as it should be; every look refused; nothing there; every look left without an answer. */
export type Mood = "well" | "broken" | "empty" | "silent";

export class ConsoleBench {
  /** Bodies of POST …/actions, in order. */
  readonly actions: NewReview[] = [];
  readonly posts: string[] = [];
  /** Paths that answer with a problem. */
  readonly broken = new Set<string>();
  mood: Mood = "well";
  /** Whether the live events come. */
  events = true;
  readonly streams = { open: 0 };
  role = "admin";
  /** Life of the session's token, as it is told at the beginning. */
  session_s = RENEWED_S;
  renewals = 0;
  /** The next action finds that another reviewer was faster. */
  conflict = false;
  /** Another has changed the limits of alerts. */
  raced = false;
  /** What was applied last. */
  #task: ReviewTask | undefined;
  #stop: () => Promise<void> = async () => undefined;
  url = "";

  static start(): ConsoleBench {
    const bench = new ConsoleBench();
    const app = new Hono({ strict: false });
    app.use(async (c, next) => {
      setSecurityHeaders(c);
      await next();
    });
    bench.#guard(app);
    bench.#session(app);
    mountReads(app, () => bench.events && bench.mood === "well", bench.streams);
    bench.#readQuarantine(app);
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

  /** Everything as it was at the start. */
  heal(): void {
    this.actions.length = 0;
    this.posts.length = 0;
    this.broken.clear();
    Object.assign(this, { mood: "well", events: true, role: "admin", conflict: false });
    Object.assign(this, { session_s: RENEWED_S, renewals: 0, raced: false });
    this.#task = undefined;
  }

  /** Sessions, and the faults that a test asked for. */
  #guard(app: Hono): void {
    app.use("/api/*", async (c, next) => {
      c.header("X-Request-Id", "req-42");
      const { path, method } = c.req;
      const signedIn = c.req.header("Cookie")?.includes("session=1");
      if (!signedIn && !(path === SESSION && method === "POST")) {
        return problem(c, "authentication-required", "No session.");
      }
      const mood = path === SESSION || method !== "GET" ? "well" : this.mood;
      if (mood === "broken" || this.broken.has(path)) {
        return problem(c, "query-timeout", "The database was given 10 s.");
      }
      if (mood === "silent")
        await new Promise((resolve) => c.req.raw.signal.addEventListener("abort", resolve));
      if (mood === "empty") return empty(c, next);
      return next();
    });
  }

  #session(app: Hono): void {
    app.post(SESSION, async (c) => {
      const { password } = await c.req.json<{ password: string }>();
      if (password !== PASSWORD) {
        return problem(c, "invalid-credentials", "No active user has this name and this password.");
      }
      c.header("Set-Cookie", "session=1; HttpOnly; SameSite=Strict; Path=/");
      return c.body(null, 204);
    });
    app.get(SESSION, (c) => c.json(this.#sessionNow()));
    app.post(`${SESSION}/renew`, (c) => {
      this.renewals += 1;
      this.session_s = RENEWED_S;
      return c.json(this.#sessionNow());
    });
    app.delete(SESSION, (c) => {
      c.header("Set-Cookie", "session=; Max-Age=0; Path=/");
      return c.body(null, 204);
    });
  }

  #sessionNow(): Session {
    return {
      user: { id: IDS.admin, username: this.role, role: this.role as Role, systems: null },
      key: null,
      expires_at: new Date(Date.now() + this.session_s * 1_000).toISOString(),
      expires_in: this.session_s,
      renewable_until: new Date(Date.now() + 12 * 3.6e6).toISOString(),
    };
  }

  #readQuarantine(app: Hono): void {
    const path = "/api/v1/quarantine";
    app.get(path, (c) => c.json(page(REFUSED)));
    app.get(`${path}/counts`, (c) => c.json(COUNTS));
    // What a task has decided is no longer pending.
    app.get(`${path}/incidents`, (c) =>
      c.json(page(this.#task?.state === "completed" ? INCIDENTS.slice(1) : INCIDENTS)),
    );
    app.get(`${path}/actions`, (c) => c.json(page([this.#taskNow()])));
    app.get(`${path}/actions/:id`, (c) => c.json(this.#progress()));
    app.get(`${path}/:id{[0-9]+}`, (c) => c.json(answers.refusedDetail(Number(c.req.param("id")))));
  }

  #taskNow(): ReviewTask {
    return this.#task ?? taskOf({ action: "fix" }, "completed", SELECTED);
  }

  /** Every look finds the task further. */
  #progress(): ReviewTask {
    const task = this.#task;
    if (!task) return this.#taskNow();
    const done = Math.min(SELECTED, task.done + 1_400);
    this.#task = taskOf(task, done === SELECTED ? "completed" : "running", done);
    return this.#task;
  }

  #alertLimits(app: Hono): void {
    const path = "/api/v1/systems/:id/alert-limits";
    app.get(path, (c) =>
      this.raced
        ? c.json({ ...answers.ALERT_LIMITS, ...OTHER_LIMITS }, 200, { ETag: '"8"' })
        : c.json(answers.ALERT_LIMITS, 200, { ETag: '"7"' }),
    );
    app.put(path, async (c) => {
      this.posts.push(`PUT ${c.req.header("If-Match")} ${await c.req.text()}`);
      this.raced ||= this.conflict;
      if (this.raced && c.req.header("If-Match") === '"7"') {
        return problem(c, "version-conflict", "The newest version is 8; If-Match names another.");
      }
      return c.json(answers.ALERT_LIMITS);
    });
  }

  #act(app: Hono): void {
    app.post("/api/v1/quarantine/actions", async (c) => {
      const body = await c.req.json<NewReview>();
      this.actions.push(body);
      if (body.dry_run) return c.json(dryRun(body));
      if (this.conflict) {
        const detail = `Reading ${DECIDED[0]?.id} is rejected by second-reviewer. Nothing was changed.`;
        return problem(c, "review-conflict", detail, { readings: DECIDED });
      }
      this.#task = taskOf(body, "running", 0);
      return c.json(this.#task, 202);
    });
    app.put("/api/v1/systems/:id/sensors/:sensor/range", async (c) => {
      this.posts.push(`PUT ${c.req.header("If-Match")} ${await c.req.text()}`);
      return c.json(answers.rangeState(), 200, { ETag: '"4"' });
    });
    this.#alertLimits(app);
    app.post("/api/v1/alerts/:id/acknowledge", async (c) => {
      this.posts.push(`${c.req.path} ${await c.req.text()}`);
      return c.body(null, 204);
    });
    app.post("/api/*", (c) => {
      this.posts.push(c.req.path);
      return c.json({});
    });
  }
}

/** A problem as the service words it. */
function problem(c: Context, name: ProblemName, detail: string, members: object = {}): Response {
  const { status, title } = PROBLEMS[name];
  return c.json({ type: problemType(name), title, status, detail, instance: c.req.path, ...members }, status);
}

/** What a service without data answers; what a page is about is there all the same. */
async function empty(c: Context, next: () => Promise<void>): Promise<Response | undefined> {
  const { path } = c.req;
  if (path.endsWith("/events")) return c.body(null, 503);
  if (path.endsWith("/counts")) {
    const { reasons, statuses } = COUNTS;
    return c.json({
      total: NONE,
      reasons: none(reasons),
      statuses: none(statuses),
      systems: [],
      sensors: [],
    });
  }
  if (path === "/api/v1/overview") {
    return c.json({ ...answers.overview(), pending: 0, quarantined_share: null, jobs: [], alerts: [] });
  }
  if (path.endsWith("/series")) return c.json({ ...answers.series(NOW_MS - 6e4, NOW_MS), series: [] });
  if (path.endsWith("/completeness")) return c.json({ sensors: [], next: null });
  const isOne =
    /(units|range|alert-limits|range\/preview|actions\/[^/]+|\/[0-9a-f-]{36}|quarantine\/\d+|deliveries\/\d+|dead-letters\/.+)$/;
  if (isOne.test(path)) {
    await next();
    return undefined;
  }
  return c.json(page([]));
}
