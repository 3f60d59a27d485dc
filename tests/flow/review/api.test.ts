/** Decisions over HTTP: who may, what is refused and why, and what is answered. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ReviewTask } from "../../../src/contract/review.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { until } from "../../support/until.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const SENSOR = "550e8400-e29b-41d4-a716-446655440001";
const PATH = "/api/v1/quarantine/actions";

let bench: ApiBench;
let api: TestApi;
const token: Record<string, string> = {};
let second = 0;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  for (const role of ["admin", "reviewer", "engineer", "producer"] as const) {
    token[role] = (await api.tokenFor(role)).token;
  }
  await bench.database.sql`INSERT INTO diagnostics_system (id, name) VALUES (${SYSTEM}, 'press')`;
});
afterAll(() => bench.close());

/** A reading that was refused. @returns its id */
async function refused(value = 900): Promise<number> {
  second += 1;
  const timestamp = new Date(Date.UTC(2026, 5, 1) + second * 1000).toISOString();
  const raw = JSON.stringify({ sensor_id: SENSOR, timestamp, value, unit: "bar" });
  const [row] = await bench.database.sql<{ id: number }[]>`
    INSERT INTO diagnostics_quarantined_reading
      (job_id, ordinal, system_id, sensor_id, "timestamp", value, unit, quality, raw, reason, reason_details, quarantined_at)
    VALUES (${crypto.randomUUID()}, 0, ${SYSTEM}, ${SENSOR}, ${timestamp}, ${value}, 'bar', 100, ${raw}::text::json,
      'out_of_range', 'pressure is above 700 bar', ${timestamp}) RETURNING id::float8 AS id`;
  return row!.id;
}
const post = (body: unknown, as = "reviewer") => api.call(token[as]!, "POST", PATH, body);
const taskOf = async (response: Response) => (await response.json()) as ReviewTask;

describe("who may", () => {
  test("reviewers and admins decide; engineers only look; producers neither", async () => {
    const ids = [await refused()];
    const body = { action: "reject", selection: { ids }, dry_run: true };
    expect((await post(body, "producer")).status).toBe(403);
    expect((await post(body, "engineer")).status).toBe(403);
    expect((await post(body, "admin")).status).toBe(200);
    expect((await api.call(token.engineer!, "GET", PATH)).status).toBe(200);
    expect((await api.call(token.producer!, "GET", PATH)).status).toBe(403);
    expect((await api.fetch(PATH)).status).toBe(401);
    expect((await api.fetch(PATH, { method: "POST" })).status).toBe(401);
  });
});

/** The key of an incident at a time that no list has. */
const wildIncident = (at: string) =>
  Buffer.from(JSON.stringify([SYSTEM, SENSOR, "out_of_range", at, at])).toString("base64url");

describe("refused with the field named", () => {
  const ids = [1];
  test.each([
    ["/action", { action: "delete", selection: { ids } }],
    ...["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01"].map((from) => [
      "/selection/filter/from",
      { action: "reject", selection: { filter: { from } } },
    ]),
    ...["0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"].map((at) => [
      "/selection/incident",
      { action: "reject", selection: { incident: wildIncident(at) } },
    ]),
    [
      "/conflict",
      {
        action: "fix",
        selection: { ids: [1, 2] },
        change: { set: { sensor_id: SENSOR } },
        conflict: "replace",
      },
    ],
    ["/selection", { action: "reject", selection: {} }],
    ["/selection/ids", { action: "reject", selection: { ids: [] } }],
    ["/selection/ids", { action: "reject", selection: { ids: [1, 1] } }],
    ["/selection/ids/0", { action: "reject", selection: { ids: [0] } }],
    ["/selection/filter/job_id", { action: "reject", selection: { filter: { job_id: "x" } } }],
    ["/selection/filter/reason/0", { action: "reject", selection: { filter: { reason: ["bad"] } } }],
    ["/selection/filter/sensor", { action: "reject", selection: { filter: { sensor: SENSOR } } }],
    ["/selection/incident", { action: "reject", selection: { incident: "abc" } }],
    ["/selection/filter/incident", { action: "reject", selection: { filter: { incident: "abc" } } }],
    ["/selection/filter/from", { action: "reject", selection: { filter: { from: "yesterday" } } }],
    [
      "/selection/filter/from",
      {
        action: "reject",
        selection: { filter: { from: "2026-01-02T00:00:00Z", to: "2026-01-02T01:00:00+01:00" } },
      },
    ],
    ["/change", { action: "fix", selection: { ids } }],
    ["/change", { action: "fix", selection: { ids }, change: {} }],
    ["/change", { action: "approve", selection: { ids }, change: { scale: 2 } }],
    ["/change/set/timestamp", { action: "fix", selection: { ids }, change: { set: { timestamp: "now" } } }],
    ["/change/set/quality", { action: "fix", selection: { ids }, change: { set: { quality: 101 } } }],
    ["/conflict", { action: "reject", selection: { ids }, conflict: "keep" }],
    ["/conflict", { action: "approve", selection: { ids }, conflict: "both" }],
    ["/note", { action: "reject", selection: { ids }, note: "x".repeat(2_001) }],
    ["/force", { action: "reject", selection: { ids }, force: true }],
  ] as [string, unknown][])("%s", async (pointer, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as { errors: { pointer: string }[] };
    expect(errors.map((error) => error.pointer)).toContain(pointer);
  });

  test("a dry run asked for in the address is refused, not applied", async () => {
    const id = await refused();
    const body = { action: "reject", selection: { ids: [id] } };
    const response = await api.call(token.reviewer!, "POST", `${PATH}?dry_run=true`, body);
    expect((await expectProblem(response, "invalid-request")).errors?.[0]?.pointer).toBe("/dry_run");
    const [row] = await bench.database.sql`
      SELECT review_status FROM diagnostics_quarantined_reading WHERE id = ${id}`;
    expect(row?.review_status).toBe("pending");
  });

  test("an id that does not exist: 404", async () => {
    const response = await post({ action: "reject", selection: { ids: [987_654_321] } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      type: "/problems/quarantined-reading-not-found",
      errors: [{ pointer: "/selection/ids" }],
    });
  });
});

test("ids are decided on at once: 200 with the task and each reading's outcome", async () => {
  const ids = [await refused(), await refused(950)];
  const response = await post({ action: "approve", selection: { ids }, note: "right" });
  expect(response.status).toBe(200);
  const task = await taskOf(response);
  expect(task).toMatchObject({ action: "approve", state: "completed", done: 2, stored: 2, note: "right" });
  expect(task.readings!.map(({ id }) => id).sort()).toEqual(ids);
  const again = await api.call(token.reviewer!, "GET", `${PATH}/${task.id}`);
  const { readings: _, ...kept } = task;
  expect(await taskOf(again)).toEqual(kept);
});

test("the second of two reviewers gets 409 with the present state", async () => {
  const ids = [await refused()];
  expect((await post({ action: "reject", selection: { ids } })).status).toBe(200);
  const response = await post({ action: "approve", selection: { ids } }, "admin");
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({
    type: "/problems/review-conflict",
    readings: [{ id: ids[0], review_status: "rejected", reviewed_at: expect.any(String) }],
  });
});

test("a filter becomes a task: 202 with its address; it can be ended before it is done, once", async () => {
  await refused();
  const response = await post({ action: "reject", selection: { filter: { system_id: SYSTEM } } });
  expect(response.status).toBe(202);
  const task = await taskOf(response);
  expect(task).toMatchObject({ state: "queued", done: 0 });
  expect(task.selected).toBeGreaterThan(0);
  const address = response.headers.get("Location")!;
  expect(address).toBe(`${PATH}/${task.id}`);
  expect((await api.call(token.engineer!, "GET", address)).headers.get("Retry-After")).toBe("1");
  expect((await api.call(token.engineer!, "POST", `${address}/cancel`)).status).toBe(403);
  const ended = await api.call(token.reviewer!, "POST", `${address}/cancel`);
  expect(await ended.json()).toMatchObject({ state: "cancelled" });
  const over = await api.call(token.reviewer!, "POST", `${address}/cancel`);
  expect(over.status).toBe(409);
  expect(await over.json()).toMatchObject({ type: "/problems/review-over" });
});

test("tasks are listed newest first, page by page, each once", async () => {
  for (let i = 0; i < 3; i += 1) await post({ action: "reject", selection: { ids: [await refused()] } });
  const all = (await (await api.call(token.admin!, "GET", PATH)).json()) as { items: ReviewTask[] };
  const seen: string[] = [];
  let next: string | null = `${PATH}?limit=2`;
  while (next) {
    const page = (await (await api.call(token.admin!, "GET", next)).json()) as {
      items: ReviewTask[];
      next: string | null;
    };
    seen.push(...page.items.map(({ id }) => id));
    next = page.next;
  }
  expect(seen).toEqual(all.items.map(({ id }) => id));
  const times = all.items.map(({ created_at }) => created_at);
  expect(times).toEqual([...times].sort().reverse());
  const running = await api.call(token.admin!, "GET", `${PATH}?state=running`);
  expect(await running.json()).toEqual({ items: [], next: null });
});

test.each([
  [`${PATH}?state=over`, 400],
  [`${PATH}?after=x`, 400],
  [`${PATH}?limit=0`, 400],
  [`${PATH}?page=2`, 400],
  [`${PATH}/not-an-id`, 400],
  [`${PATH}/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a20`, 404],
])("GET %s: %d", async (path, status) => {
  expect((await api.call(token.admin!, "GET", path)).status).toBe(status);
});

test("a decision whose connection is ended by the database is refused with 503, and nothing of it holds", async () => {
  const id = await refused();
  const holder = bench.database.sql;
  await holder.begin(async (tx) => {
    await tx`SELECT FROM diagnostics_quarantined_reading WHERE id = ${id} FOR UPDATE`;
    const waiting = post({ action: "approve", selection: { ids: [id] } });
    await until("the end of the connection that waits for the lock", async () => {
      const [row] = await tx<{ n: number }[]>`SELECT count(pg_terminate_backend(pid))::int AS n
        FROM pg_stat_activity WHERE application_name = 'test:desk' AND wait_event_type = 'Lock'
          AND datname = current_database()`;
      return row!.n > 0 || undefined;
    });
    const problem = await expectProblem(await waiting, "service-unavailable");
    expect(problem.detail).not.toContain("terminat");
  });
  const [row] = await holder`SELECT review_status FROM diagnostics_quarantined_reading WHERE id = ${id}`;
  expect(row).toEqual({ review_status: "pending" });
  expect((await post({ action: "approve", selection: { ids: [id] } })).status).toBe(200);
});
