/** Many jobs at once: as fresh as one, in the order asked, and nobody else's. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { JobView } from "../../../src/contract/job.ts";
import { newJobId } from "../../../src/contract/job-id.ts";
import { jobKey } from "../../../src/stream/keys.ts";
import { ApiBench, batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf } from "../../support/registry.ts";
import { until } from "../../support/until.ts";

interface Answer {
  items: JobView[];
  next: null;
  missing: string[];
}

let bench: ApiBench;
let api: TestApi;
let one: TestUser;
let two: TestUser;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  [one, two] = [await api.tokenFor("producer"), await api.tokenFor("producer")];
});
afterEach(async () => {
  bench.redisProxy.resume();
  bench.postgresProxy.resume();
  await until("Redis is reached again", async () => (await api.fetch("/readyz")).status === 200);
});
afterAll(() => bench.close());

const get = (user: TestUser, ids: readonly string[], more = "") =>
  api.call(user.token, "GET", `/api/v1/jobs?ids=${ids.join(",")}${more}`);
const send = async (user: TestUser) =>
  (await bodyOf<{ job_id: string }>(await api.ingest(user.token, JSON.stringify(batchOf(2))), 202)).job_id;

/** A job that only Postgres knows. */
async function stored(user: TestUser): Promise<string> {
  const id = newJobId(0);
  await bench.database.sql`
    INSERT INTO diagnostics_ingestion_job
      (id, system_id, created_by, status, total_readings, inserted_readings, created_at, started_at, completed_at)
    VALUES (${id}, ${crypto.randomUUID()}, ${user.id}, 'completed', 1, 1, now(), now(), now())`;
  return id;
}

test("they come in the order asked, each once, from Redis and from Postgres", async () => {
  const [queued, old, other] = [await send(one), await stored(one), await send(one)];
  const asked = [other, old, queued.toUpperCase(), other];
  const response = await get(one, asked);
  expect(response.headers.get("Retry-After")).toBe("1");
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  const answer = await bodyOf<Answer>(response);
  expect(answer.items.map((job) => job.job_id)).toEqual([other, old, queued]);
  expect(answer.items.map((job) => job.status)).toEqual(["queued", "completed", "queued"]);
  expect(answer).toMatchObject({ next: null, missing: [] });
  expect((await get(one, [old])).headers.get("Retry-After")).toBeNull();
});

test("unknown ones and those of others are missing, and look the same", async () => {
  const [mine, theirs, unknown] = [await send(one), await send(two), newJobId(0)];
  expect(await bodyOf<Answer>(await get(one, [unknown, theirs, mine]))).toMatchObject({
    items: [{ job_id: mine }],
    missing: [unknown, theirs],
  });
  const reviewer = await api.tokenFor("reviewer");
  const all = await bodyOf<Answer>(await get(reviewer, [unknown, theirs, mine]));
  expect(all.items.map((job) => job.job_id)).toEqual([theirs, mine]);
  expect(all.missing).toEqual([unknown]);
});

test("a malformed id is refused by name, and so are too many ids and other parameters beside them", async () => {
  const good = newJobId(0);
  for (const [ids, more, words] of [
    [[good, "not-a-job"], "", '"not-a-job"'],
    [[""], "", '""'],
    [[good, ""], "", '""'],
    [Array.from({ length: 101 }, () => newJobId(0)), "", "at most 100"],
    [[good], "&status=queued", "status"],
    // Else the first alone would count, and the others be neither told nor missing.
    [[good], `&ids=${newJobId(0)}`, "given once"],
  ] as const) {
    const { detail, errors } = await expectProblem(await get(one, ids, more), "invalid-request");
    expect(detail).toContain(words);
    expect(errors?.[0]?.pointer).toBe(more.includes("status") ? "/status" : "/ids");
  }
  const hundred = Array.from({ length: 100 }, () => newJobId(0));
  expect((await bodyOf<Answer>(await get(one, hundred))).missing).toEqual(hundred);
});

test("without Redis, stored jobs are still told, and none is called missing that may be waiting", async () => {
  const [old, queued] = [await stored(one), await send(one)];
  bench.redisProxy.refuse();
  expect(await bodyOf<Answer>(await get(one, [old]))).toMatchObject({ items: [{ job_id: old }] });
  await expectProblem(await get(one, [old, queued]), "service-unavailable");
});

test("without Postgres, jobs in Redis are still told", async () => {
  const [queued, forgotten] = [await send(one), await send(one)];
  await bench.redis.del(jobKey(forgotten));
  bench.postgresProxy.refuse();
  expect(await bodyOf<Answer>(await get(one, [queued]))).toMatchObject({ items: [{ job_id: queued }] });
  await expectProblem(await get(one, [queued, forgotten]), "service-unavailable");
});
