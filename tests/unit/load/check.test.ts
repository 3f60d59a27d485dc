/** The check after a run: it passes what was accepted and nothing else, and says what is wrong. */
import { beforeEach, describe, expect, test } from "bun:test";
import { WrongDataError } from "../../../load/bench/tables.ts";
import { type RunShape, SENSORS } from "../../../load/k6/rig.ts";
import { checkRun } from "../../../load/run/check.ts";
import { Expected } from "../../../load/run/expected.ts";
import { fateOf, readRecord } from "../../../load/run/record.ts";
import { HeldInMemory, jobId, sentBatch } from "../../support/load.ts";

const shape: RunShape = {
  run: 99,
  start_s: Date.UTC(2026, 10, 26) / 1000,
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  batch: 1_000,
  faults: true,
};
const RIGS = 2;
/** Ten batches of each rig: the eighth is of an unregistered system. */
const sent = Array.from({ length: 20 }, (_, i) => sentBatch(i % RIGS, Math.floor(i / RIGS)));

let held: HeldInMemory;
beforeEach(() => {
  held = new HeldInMemory(new Expected(shape), sent);
});
const check = (all = sent) => checkRun(held, shape, all);
const expectWrong = async (message: string | RegExp, all = sent) => {
  const failure = await check(all).then(
    () => "right",
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(WrongDataError);
  expect((failure as Error).message).toMatch(message);
};

describe("what was accepted", () => {
  test("is right when it is all there, bad readings and unregistered systems included", async () => {
    const { held: _, ...found } = await check();
    expect(found).toEqual({
      readings: 18 * 951 + RIGS - 18,
      sensors: RIGS * SENSORS,
      jobs: 20,
      quarantined: expect.any(Number),
      unknown: 0,
      unknown_there: 0,
    });
  });

  test("a lost reading is noticed", async () => {
    held.sum = held.sum.map((sum, i) => (i === 7 ? { ...sum, readings: sum.readings - 1 } : sum));
    await expectWrong(/^the readings of 1 sensors/);
  });

  test("a sensor that is not there at all is noticed, and one too many", async () => {
    const [first, ...others] = held.sum;
    held.sum = others;
    await expectWrong(/"no readings" must be/);
    held.sum = [first!, ...others, { ...first!, sensor_id: "550e8400-e29b-41d4-a716-446655440001" }];
    await expectWrong(/must not be there/);
  });

  test("a value that changed, or changed places with another one, is noticed", async () => {
    held.sum = held.sum.map((sum, i) => (i === 3 ? { ...sum, mixed: sum.mixed + 1 } : sum));
    await expectWrong(/^the readings of 1 sensors/);
  });

  test("a value with a fraction that nobody sent is noticed", async () => {
    held.sum = held.sum.map((sum, i) => (i === 3 ? { ...sum, odd: 1 } : sum));
    await expectWrong(/^the readings of 1 sensors/);
  });

  test("a lost job is noticed, one that was not accepted, and one that is there twice", async () => {
    const [first, ...others] = held.job;
    held.job = others;
    await expectWrong(`job ${first!.job_id} is not there`);
    held.job = [first!, ...others, { ...first!, job_id: jobId(9, 9) }];
    await expectWrong("there are 21 jobs, not 20");
    held.job = [first!, ...others, first!];
    await expectWrong("twice");
  });

  test.each([
    ["still open", { status: "processing" as const }, "is still processing"],
    ["failed", { status: "failed" as const }, "is failed, not completed"],
    ["counting one inserted too few", { inserted_readings: 949, duplicate_readings: 12 }, "says 1000"],
    ["counting one quarantined too many", { quarantined_readings: 39 }, "says 1000"],
  ])("a job that is wrong is noticed: %s", async (_, change, message) => {
    held.job = held.job.map((job, i) => (i === 2 ? { ...job, ...change } : job));
    await expectWrong(message);
  });

  test("a reading that is kept twice shows in the sum of the counters, though each job may be right", async () => {
    // Another batch of rig 0 says that its kept reading was the first one.
    held.job = held.job.map((job, i) =>
      i === 4
        ? {
            ...job,
            inserted_readings: job.inserted_readings + 1,
            duplicate_readings: job.duplicate_readings - 1,
          }
        : job,
    );
    await expectWrong(/^the jobs' counters/);
  });

  test("a quarantined reading that is missing, or has another reason, is noticed", async () => {
    held.reason = { ...held.reason, out_of_range: held.reason.out_of_range! - 1 };
    await expectWrong(/^quarantined readings by reason/);
  });

  test("readings of nobody are noticed", async () => {
    held.stranger = 1;
    await expectWrong("1 readings are there that nobody sent");
  });
});

describe("a batch without a clear answer", () => {
  const lost = [...sent, sentBatch(0, 10, 0)];

  test("may be missing", async () => {
    expect(await check(lost)).toMatchObject({ unknown: 1, unknown_there: 0, jobs: 20 });
  });

  test("may be there, whole", async () => {
    held = new HeldInMemory(new Expected(shape), lost);
    held.found = 950;
    expect(await check(lost)).toMatchObject({ unknown: 1, unknown_there: 1, jobs: 21 });
  });

  test("may not be there in part", async () => {
    held.found = 949;
    await expectWrong("949 of 950 readings", lost);
  });

  test("of an unregistered system is known by its job", async () => {
    const unregistered = [...sent, sentBatch(3, 7, 0)];
    expect(await check(unregistered)).toMatchObject({ unknown_there: 0, jobs: 20 });
    held = new HeldInMemory(new Expected(shape), unregistered);
    held.found = 1;
    expect(await check(unregistered)).toMatchObject({ unknown_there: 1, jobs: 21 });
  });

  test("that is there without its job is noticed", async () => {
    held.found = 950;
    await expectWrong("there are 20 jobs, not 21", lost);
  });
});

test("a refused batch must not be there", async () => {
  const refused = [...sent, sentBatch(0, 10, 429)];
  expect(await check(refused)).toMatchObject({ unknown: 0, jobs: 20 });
  held = new HeldInMemory(new Expected(shape), [...sent, sentBatch(0, 10)]);
  await expectWrong("there are 21 jobs, not 20", refused);
});

describe("the record of a run", () => {
  test("tells each batch and its fate", () => {
    const lines = `0 3 202 1764244800000 4.1 ${jobId(0, 3)}\n7 12 429 1764244800001 1.0 -\n1 1 0 1 20000.0 -\n2 2 503 1 9.5 -\n`;
    expect(readRecord(lines).map((batch) => [batch.rig, batch.n, fateOf(batch)])).toEqual([
      [0, 3, "accepted"],
      [7, 12, "refused"],
      [1, 1, "unknown"],
      [2, 2, "unknown"],
    ]);
  });

  test.each(["0 3 202 17642", "GoError: cannot post"])(
    "with a line that is cut off or of somebody else is none: %s",
    (line) => {
      expect(() => readRecord(line)).toThrow(line);
    },
  );
});
