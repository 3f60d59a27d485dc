import { describe, expect, test } from "bun:test";
import { FormatRegistry } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import {
  isTerminal,
  JOB_STATES,
  type JobRecord,
  JobViewSchema,
  toJobView,
} from "../../../src/contract/job.ts";
import { isUuid, newJobId, partitionOf } from "../../../src/contract/job-id.ts";

const JOB: JobRecord = {
  job_id: "01890000-0000-7000-8000-000000000000",
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  created_by: "550e8400-e29b-41d4-a716-44665544ffff",
  status: "completed",
  total_readings: 3,
  inserted_readings: 1,
  duplicate_readings: 1,
  quarantined_readings: 1,
  created_at_ms: 0,
  started_at_ms: 1_000,
  completed_at_ms: 1_250,
  error_message: null,
};

describe("job ids", () => {
  test.each([0, 1, 15, 16, 255])(
    "carry partition %p, are UUIDs of version 7 and in small letters",
    (partition) => {
      const id = newJobId(partition);
      expect(partitionOf(id)).toBe(partition);
      expect(isUuid(id)).toBe(true);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    },
  );
  test("do not repeat and sort by time", () => {
    const ids = Array.from({ length: 10_000 }, () => newJobId(3));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
  });
  test.each([
    "",
    "x",
    "01890000-0000-7000-8000-00000000000",
    "01890000-0000-7000-8000-0000000000000",
    "0189000000007000800000000000000000000",
    "g1890000-0000-7000-8000-000000000000",
    "01890000-0000-7000-8000-00000000000\n",
  ])("%j is no UUID", (text) => expect(isUuid(text)).toBe(false));
});

describe("the view of a job", () => {
  test("follows its schema in every state", () => {
    FormatRegistry.Set("uuid", isUuid);
    FormatRegistry.Set("date-time", (text) => !Number.isNaN(Date.parse(text)));
    for (const status of JOB_STATES) {
      const open = !isTerminal(status);
      const view = toJobView({
        ...JOB,
        status,
        ...(open ? { started_at_ms: null, completed_at_ms: null } : {}),
      });
      expect(Value.Check(JobViewSchema, view)).toBe(true);
      expect({ active: view.is_active, completed: view.is_completed }).toEqual({
        active: open,
        completed: !open,
      });
      expect(view.success_rate).toBe(open ? null : 66.67);
      expect(view.processing_time_ms).toBe(open ? null : 250);
    }
  });
  test.each([
    [0, 0, 0, 0],
    [3, 0, 3, 100],
    [1, 1, 2, 100],
    [0, 1, 3, 33.33],
    [9_999, 0, 10_000, 99.99],
  ])(
    "inserted %p and duplicates %p of %p are %p percent",
    (inserted_readings, duplicate_readings, total_readings, rate) => {
      expect(toJobView({ ...JOB, inserted_readings, duplicate_readings, total_readings }).success_rate).toBe(
        rate,
      );
    },
  );
  test("never shows a negative duration", () => {
    expect(toJobView({ ...JOB, completed_at_ms: 900 }).processing_time_ms).toBe(0);
  });
});
