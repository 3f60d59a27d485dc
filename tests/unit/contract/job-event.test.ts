/** Ids of a job's events say how far the job is: whoever was told one goes on from there, anywhere. */
import { expect, test } from "bun:test";
import type { JobRecord } from "../../../src/contract/job.ts";
import { isNewsAfter, jobEventId } from "../../../src/contract/job-event.ts";

const job = (status: JobRecord["status"], completed_at_ms: number | null = null) =>
  ({ status, created_at_ms: 1_000, started_at_ms: 2_000, completed_at_ms }) as JobRecord;
const QUEUED = job("queued");
const PROCESSING = job("processing");
const COMPLETED = job("completed", 3_000);
const FAILED = job("failed", 3_000);

test("a client that knows nothing, or shows an id of something else, is told everything", () => {
  for (const last of [null, "", "17", "4-1", "3", "x-1", "3-3000 "]) {
    for (const one of [QUEUED, PROCESSING, COMPLETED, FAILED]) expect(isNewsAfter(last, one)).toBe(true);
  }
});

test("each state is told once, and none that comes before what was told", () => {
  expect(isNewsAfter(jobEventId(QUEUED), QUEUED)).toBe(false);
  expect(isNewsAfter(jobEventId(QUEUED), PROCESSING)).toBe(true);
  expect(isNewsAfter(jobEventId(PROCESSING), QUEUED)).toBe(false);
  expect(isNewsAfter(jobEventId(PROCESSING), PROCESSING)).toBe(false);
  expect(isNewsAfter(jobEventId(PROCESSING), FAILED)).toBe(true);
  expect(isNewsAfter(jobEventId(COMPLETED), COMPLETED)).toBe(false);
});

test("a job that was replayed after its end is told anew", () => {
  for (const again of [QUEUED, PROCESSING, job("completed", 4_000)]) {
    expect(isNewsAfter(jobEventId(FAILED), again)).toBe(true);
  }
});
