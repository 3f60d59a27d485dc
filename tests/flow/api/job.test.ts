/** The state of a job: who sees it, from where it comes, and in which words. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FormatRegistry } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { type JobView, JobViewSchema } from "../../../src/contract/job.ts";
import { isUuid, newJobId } from "../../../src/contract/job-id.ts";
import { jobKey } from "../../../src/stream/keys.ts";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";

FormatRegistry.Set("uuid", isUuid);
FormatRegistry.Set("date-time", (text) => !Number.isNaN(Date.parse(text)));

let bench: ApiBench;
let api: TestApi;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
});
afterAll(() => bench.close());

async function accepted(readings = 2) {
  const user = await api.tokenFor("producer");
  const response = await api.ingest(user.token, JSON.stringify(batchOf(readings)));
  return {
    ...user,
    location: response.headers.get("Location") ?? "",
    ...((await response.json()) as { job_id: string }),
  };
}

/** A finished job as a worker leaves it in Postgres. */
async function stored(created_by: string, status: "completed" | "failed") {
  const job_id = newJobId(0);
  const at = new Date("2026-01-01T00:00:00Z");
  await bench.database.sql`
    INSERT INTO diagnostics_ingestion_job (id, system_id, created_by, status, total_readings, inserted_readings,
      duplicate_readings, quarantined_readings, created_at, started_at, completed_at, error_message)
    VALUES (${job_id}, ${batchOf(1).system_id}, ${created_by}, ${status}, 8, 5, 1, 2, ${at},
      ${new Date(at.getTime() + 10)}, ${new Date(at.getTime() + 52)}, ${status === "failed" ? "no such system" : null})`;
  return job_id;
}

describe("a job", () => {
  test("that was just accepted is queued, at its Location, with and without the last slash", async () => {
    const { token, job_id, location } = await accepted();
    for (const path of [
      location,
      location.slice(0, -1),
      location.toUpperCase().replace("/API/V1/JOBS/", "/api/v1/jobs/"),
    ]) {
      const response = await api.fetch(path, { headers: { Authorization: `Bearer ${token}` } });
      expect(response.status).toBe(200);
      expect(response.headers.get("Retry-After")).toBe("1");
      expect(response.headers.get("Cache-Control")).toBe("no-store");
      const job = (await response.json()) as JobView;
      expect([...Value.Errors(JobViewSchema, job)]).toEqual([]);
      expect(job).toMatchObject({
        job_id,
        status: "queued",
        total_readings: 2,
        is_active: true,
        success_rate: null,
      });
    }
  });

  test("that has ended has all counts, times and its rate, and no Retry-After", async () => {
    const user = await api.tokenFor("producer");
    const response = await api.job(user.token, await stored(user.id, "completed"));
    expect(response.headers.get("Retry-After")).toBeNull();
    const job = (await response.json()) as JobView;
    expect([...Value.Errors(JobViewSchema, job)]).toEqual([]);
    expect(job).toMatchObject({
      status: "completed",
      total_readings: 8,
      inserted_readings: 5,
      duplicate_readings: 1,
      quarantined_readings: 2,
      created_at: "2026-01-01T00:00:00.000Z",
      processing_time_ms: 42,
      success_rate: 75,
      is_active: false,
      is_completed: true,
    });
  });

  test("that has failed says why", async () => {
    const user = await api.tokenFor("producer");
    const response = await api.job(user.token, await stored(user.id, "failed"));
    expect(await response.json()).toMatchObject({ status: "failed", error_message: "no such system" });
  });

  test("comes from Redis alone while its hash is there, and from Postgres when it is gone", async () => {
    const { token, id, job_id } = await accepted(8);
    bench.postgresProxy.refuse();
    expect((await api.job(token, job_id)).status).toBe(200);
    bench.postgresProxy.resume();
    await bench.redis.del(jobKey(job_id));
    await expectProblem(await api.job(token, job_id), "job-not-found");
    expect((await api.job(token, await stored(id, "completed"))).status).toBe(200);
  });

  test.each([
    "x",
    "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a0",
    "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a0g",
    "0199a1b2c3d47e5f8a9b0c1d2e3f4a00",
    "%00",
    "..%2f..",
  ])("with the id %p is malformed", async (job_id) => {
    const { token } = await api.tokenFor("producer");
    await expectProblem(await api.job(token, job_id), "invalid-job-id");
  });

  test("that is unknown, or another user's, is a 404, in the same words", async () => {
    const { job_id } = await accepted();
    const stranger = await api.tokenFor("producer");
    const unknown = await expectProblem(await api.job(stranger.token, newJobId(0)), "job-not-found");
    const foreign = await expectProblem(await api.job(stranger.token, job_id), "job-not-found");
    expect(foreign.detail).toBe(unknown.detail);
    const finished = await stored(crypto.randomUUID(), "completed");
    await expectProblem(await api.job(stranger.token, finished), "job-not-found");
  });

  test("of anybody is seen by an admin", async () => {
    const { job_id } = await accepted();
    const admin = await api.tokenFor("admin");
    expect((await api.job(admin.token, job_id)).status).toBe(200);
  });

  test("is for nobody without a token", async () => {
    const { location } = await accepted();
    await expectProblem(await api.fetch(location), "authentication-required");
  });
});

describe("the quarantine of a job", () => {
  async function withRefusals(count: number) {
    const user = await api.tokenFor("producer");
    const job_id = await stored(user.id, "completed");
    for (let ordinal = 0; ordinal < count; ordinal += 1) {
      await bench.database.sql`
        INSERT INTO diagnostics_quarantined_reading (job_id, ordinal, system_id, "timestamp", raw, reason, reason_details)
        VALUES (${job_id}, ${ordinal}, ${batchOf(1).system_id}, '2026-06-01T10:00:00.123456Z',
          ${bench.database.sql.json({ n: ordinal })}, ${ordinal === 0 ? "invalid_unit" : "parse_error"}, ${`reading ${ordinal}`})`;
    }
    return { ...user, job_id };
  }
  const page = (token: string, job_id: string, query: string) =>
    api.fetch(`/api/v1/jobs/${job_id}/quarantine${query}`, { headers: { Authorization: `Bearer ${token}` } });

  test("comes in pages in the batch's order, with counts by reason on each", async () => {
    const { token, job_id } = await withRefusals(4);
    const seen: number[] = [];
    let after: number | null = -1;
    let pages = 0;
    for (; after !== null; pages += 1) {
      const response: Response = await page(token, job_id, `?limit=2&after=${after}`);
      expect(response.status).toBe(200);
      const body = (await response.json()) as QuarantinePage;
      expect(body.counts).toEqual({ invalid_unit: 1, parse_error: 3 });
      for (const { timestamp } of body.items) expect(timestamp).toBe("2026-06-01T10:00:00.123456Z");
      seen.push(...body.items.map((item) => item.ordinal));
      after = body.next;
    }
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(pages).toBe(2);
  });

  test.each(["?limit=0", "?limit=1001", "?limit=x", "?limit=1.5", "?after=-2", "?after=", "?status=any"])(
    "with %s is a 400 that names the parameter",
    async (query) => {
      const { token, job_id } = await withRefusals(0);
      const { errors } = await expectProblem(await page(token, job_id, query), "invalid-request");
      expect(errors?.[0]?.pointer).toBe(`/${/\w+/.exec(query)?.[0]}`);
    },
  );

  test("is seen by those who see the job", async () => {
    const { job_id } = await withRefusals(1);
    const stranger = await api.tokenFor("producer");
    await expectProblem(await page(stranger.token, job_id, ""), "job-not-found");
    for (const role of ["admin", "engineer", "reviewer"] as const) {
      const { token } = await api.tokenFor(role);
      expect((await page(token, job_id, "")).status, role).toBe(200);
      expect((await api.job(token, job_id)).status, role).toBe(200);
    }
  });
});

interface QuarantinePage {
  items: { ordinal: number; timestamp: string | null }[];
  next: number | null;
  counts: Record<string, number>;
}
