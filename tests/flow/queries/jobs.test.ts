/** The list of jobs, and what their times say of the producers' clocks. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FormatRegistry } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { type JobView, JobViewSchema } from "../../../src/contract/job.ts";
import { isUuid } from "../../../src/contract/job-id.ts";
import { ApiBench, type TestApi, type TestUser } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";

FormatRegistry.Set("uuid", isUuid);
FormatRegistry.Set("date-time", (text) => !Number.isNaN(Date.parse(text)));

interface Page {
  items: JobView[];
  next: string | null;
}

const DAY_MS = 86_400_000;
const SYSTEMS = [crypto.randomUUID(), crypto.randomUUID()] as const;
const STATES = ["completed", "failed", "completed", "queued"] as const;
let bench: ApiBench;
let api: TestApi;
let one: TestUser;
let two: TestUser;
let admin: TestUser;
/** Newest first. */
const mine: string[] = [];
const now = Date.now();

async function job(user: TestUser, created_at: Date, newest: Date | null, index = 0): Promise<string> {
  const id = crypto.randomUUID();
  await bench.database.sql`
    INSERT INTO diagnostics_ingestion_job (id, system_id, created_by, status, total_readings, inserted_readings, created_at,
      oldest_reading_at, newest_reading_at)
    VALUES (${id}, ${SYSTEMS[index % 2]!}, ${user.id}, ${STATES[index % 4]!}, 5, ${index % 4 === 3 ? 0 : 5}, ${created_at},
      ${newest}, ${newest})`;
  return id;
}

beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  [one, two, admin] = [
    await api.tokenFor("producer"),
    await api.tokenFor("producer"),
    await api.tokenFor("admin"),
  ];
  // Pairs share their time: only the id tells them apart.
  for (let i = 0; i < 12; i += 1) {
    mine.push(await job(one, new Date(now - 60_000 - Math.floor(i / 2) * 1000), null, i));
  }
  await job(two, new Date(now - 30_000), null);
  await job(one, new Date(now - 2 * DAY_MS), null);
  await bench.database.sql`
    UPDATE diagnostics_ingestion_job SET lost_at = now() WHERE id = ANY(${[mine[1]!, mine[5]!]})`;
});
afterAll(() => bench.close());

const get = (user: TestUser, path: string) =>
  api.fetch(path, { headers: { Authorization: `Bearer ${user.token}` } });
const list = async (user: TestUser, query = ""): Promise<Page> =>
  (await (await get(user, `/api/v1/jobs${query}`)).json()) as Page;

describe("the list of jobs", () => {
  test("has each job of the user once, newest first, page by page", async () => {
    const seen: JobView[] = [];
    let link: string | null = "/api/v1/jobs?limit=5";
    while (link !== null) {
      const page = (await (await get(one, link)).json()) as Page;
      seen.push(...page.items);
      link = page.next;
    }
    expect(new Set(seen.map((j) => j.job_id))).toEqual(new Set(mine));
    expect(seen.length).toBe(mine.length);
    const times = seen.map((j) => Date.parse(j.created_at));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    for (const item of seen) expect([...Value.Errors(JobViewSchema, item)]).toEqual([]);
  });

  test("has everybody's for admin, engineer and reviewer, and nobody else's for producers", async () => {
    for (const user of [admin, await api.tokenFor("engineer"), await api.tokenFor("reviewer")]) {
      expect((await list(user, "?limit=100")).items.length).toBe(13);
    }
    expect((await list(two)).items.length).toBe(1);
    expect((await list(await api.tokenFor("producer"))).items).toEqual([]);
  });

  test.each([
    ["?status=failed", 3],
    ["?status=queued", 3],
    ["?status=processing", 0],
    ["?lost=true", 2],
    [`?lost=true&system_id=${SYSTEMS[0]}`, 0],
    [`?system_id=${SYSTEMS[0]}`, 6],
    [`?system_id=${SYSTEMS[1].toUpperCase()}&status=failed`, 3],
    [`?from=${new Date(now - 3 * DAY_MS).toISOString()}`, 13],
    [`?to=${new Date(now - DAY_MS).toISOString()}&from=${new Date(now - 3 * DAY_MS).toISOString()}`, 1],
  ])("is narrowed by %s", async (query, count) => {
    expect((await list(one, query)).items.length).toBe(count);
  });

  test("ends where a page is just full", async () => {
    expect((await list(one, "?limit=12")).next).toBeNull();
    expect((await list(one, "?limit=11")).next).toBeString();
  });

  test.each([
    ["status", "?status=done"],
    ["lost", "?lost=maybe"],
    ["system_id", "?system_id=x"],
    ["limit", "?limit=1001"],
    ["after", "?after=x"],
    ["after", `?after=${Buffer.from('["2026-01-01T00:00:00Z","x"]').toString("base64url")}`],
    ["from", "?from=now"],
    ["state", "?state=failed"],
  ])("is refused for its %s: %s", async (name, query) => {
    const { errors } = await expectProblem(await get(one, `/api/v1/jobs${query}`), "invalid-request");
    expect(errors?.[0]?.pointer).toBe(`/${name}`);
  });

  test("takes a token", async () => {
    await expectProblem(await api.fetch("/api/v1/jobs"), "authentication-required");
  });
});

describe("the skew of producers", () => {
  test("is told by the least delayed batch of each", async () => {
    const user = await api.createUser("producer");
    const rig: TestUser = { ...user, token: "" };
    // Not known any more.
    const ahead: TestUser = { ...rig, id: crypto.randomUUID() };
    const received = now - 10 * DAY_MS;
    for (let i = 0; i < 101; i += 1) {
      const created = new Date(received + i * 1000);
      await job(rig, created, new Date(created.getTime() - 200 - i * 10));
      await job(ahead, created, new Date(created.getTime() + 1_500 - i));
    }
    const from = new Date(received - 1000).toISOString();
    const to = new Date(received + DAY_MS).toISOString();
    const engineer = await api.tokenFor("engineer");
    const response = await get(engineer, `/api/v1/producers/skew?from=${from}&to=${to}`);
    const { producers } = (await response.json()) as { producers: object[] };
    expect(producers).toEqual([
      {
        user_id: ahead.id,
        username: null,
        jobs: 101,
        min_delay_ms: -1500,
        median_delay_ms: -1450,
        p95_delay_ms: -1405,
        estimated_skew_ms: 1500,
        clock_ahead: true,
      },
      {
        user_id: rig.id,
        username: rig.username,
        jobs: 101,
        min_delay_ms: 200,
        median_delay_ms: 700,
        p95_delay_ms: 1150,
        estimated_skew_ms: -200,
        clock_ahead: false,
      },
    ]);
  });

  test.each(["producer", "reviewer"] as const)("is not for a %s", async (role) => {
    const { token } = await api.tokenFor(role);
    const response = await api.fetch("/api/v1/producers/skew", {
      headers: { Authorization: `Bearer ${token}` },
    });
    await expectProblem(response, "forbidden");
  });

  test("is refused for a range of more than 31 days", async () => {
    const from = new Date(now - 40 * DAY_MS).toISOString();
    const { errors } = await expectProblem(
      await get(admin, `/api/v1/producers/skew?from=${from}`),
      "invalid-request",
    );
    expect(errors?.[0]?.pointer).toBe("/from");
  });
});
