/** The oracle of `bun run faults` finds right what is right, and everything else wrong. */
import { beforeEach, describe, expect, test } from "bun:test";
import { batchOf, type DataShape, SYSTEM_ID } from "../../../load/faults/batches.ts";
import { endText } from "../../../load/faults/held.ts";
import { judge } from "../../../load/faults/oracle.ts";
import type { SentBatch } from "../../../load/faults/send-log.ts";
import { HonestService, sentOf } from "../../support/faults.ts";

const shape: DataShape = { seed: 7, origin_ms: Date.UTC(2026, 10, 20) };
const LANES = 2;
const BATCHES = 80;

let held: HonestService;
let sent: SentBatch[];
beforeEach(() => {
  held = new HonestService(shape);
  sent = Array.from({ length: BATCHES }, (_, i) => {
    const [lane, n] = [i % LANES, Math.floor(i / LANES)];
    return sentOf(lane, n, [held.take(lane, n)]);
  });
});

const differences = async () => (await judge(shape, sent, held)).differences.map(({ what }) => what);
const expectWrong = async (what: string | RegExp) => {
  const found = await differences();
  expect(found.length).toBeGreaterThan(0);
  expect(found.join("\n")).toMatch(what);
};
/** The first batch of which it is true. */
const batchWhere = (is: (batch: ReturnType<typeof batchOf>) => boolean, from = BATCHES): [number, number] => {
  for (let n = from; ; n += 1) if (is(batchOf(shape, 0, n))) return [0, n];
};
const registered = ({ system_id }: { system_id: string }) => system_id === SYSTEM_ID;

test("what was accepted is right when it is all there, with conflicts, repeats and unregistered systems", async () => {
  const verdict = await judge(shape, sent, held);
  expect(verdict.differences).toEqual([]);
  expect(verdict).toMatchObject({ jobs: BATCHES, unknown: 0 });
  expect(verdict.readings).toBe(verdict.inserted + verdict.duplicate + verdict.quarantined);
  for (const some of [verdict.inserted, verdict.duplicate, verdict.failed_jobs])
    expect(some).toBeGreaterThan(0);
  expect(held.refusals.map(({ reason }) => reason)).toContain("duplicate");
});

test("the order in which conflicting readings came does not matter", async () => {
  const other = new HonestService(shape);
  sent = sent.toReversed().map(({ lane, n }) => sentOf(lane, n, [other.take(lane, n)]));
  held = other;
  expect(await differences()).toEqual([]);
});

describe("is wrong when", () => {
  test("a reading is lost", async () => {
    held.rows.splice(11, 1);
    await expectWrong(/a reading is lost/);
  });

  test("a reading is lost and its job counts it as a duplicate", async () => {
    held.rows.splice(11, 1);
    held.jobs[0]!.inserted -= 1;
    held.jobs[0]!.duplicate += 1;
    await expectWrong(/a reading is lost/);
  });

  test("a reading is stored twice", async () => {
    held.rows.push({ ...held.rows[5]! });
    await expectWrong(/is stored twice/);
  });

  test.each([
    ["value", { value: 0.123 }],
    ["unit", { unit: "psi" }],
    ["quality", { quality: 49 }],
    ["system", { system_id: crypto.randomUUID() }],
    ["time", { at_ms: 1_700_000_000_123.5 }],
  ])("a stored reading has another %s", async (_, change) => {
    Object.assign(held.rows[8]!, change);
    await expectWrong(/which was not accepted of anybody/);
  });

  test("a reading is there that nobody sent", async () => {
    held.rows.push({ ...held.rows[5]!, at_ms: held.rows[5]!.at_ms + 1 });
    await expectWrong(/which was not accepted of anybody/);
    held.rows.at(-1)!.sensor_id = crypto.randomUUID();
    await expectWrong(/1 readings are of sensors that nobody has/);
  });

  test("an accepted job is not there, with its readings or without", async () => {
    const [job] = held.jobs.splice(3, 1);
    await expectWrong(`job ${job!.job_id}: it was accepted and is not there`);
  });

  test.each([
    ["not ended", { status: "processing", completed_at_ms: null }],
    ["failed", { status: "failed" }],
    ["counting one inserted too many and one duplicate too few", { inserted: 1_000, duplicate: -900 }],
    ["counting one reading too few", { total: 3 }],
    ["of another system", { system_id: SYSTEM_ID.replace("1", "2") }],
  ])("a job is %s", async (_, change) => {
    Object.assign(held.jobs.find(registered)!, change);
    await expectWrong(/the job is|is of no batch/);
  });

  test("a reading was counted as inserted by two jobs", async () => {
    const [one, other] = held.jobs.filter((job) => registered(job) && job.duplicate > 0);
    for (const job of [one!, other!]) {
      job.inserted += 1;
      job.duplicate -= 1;
    }
    await expectWrong(/the jobs of lane \d say/);
  });

  test("a quarantined reading is missing, has another reason, or another raw reading", async () => {
    const [gone] = held.refusals.splice(7, 1);
    await expectWrong(/is not quarantined, and must be/);
    held.refusals.push({ ...gone!, reason: gone!.reason === "parse_error" ? "invalid_unit" : "parse_error" });
    await expectWrong(/is quarantined as .*, and must be/);
    const json = held.refusals.find(
      ({ job_id }) => job_id === held.jobs.find((job) => !registered(job))?.job_id,
    )!;
    json.raw = { changed: true };
    await expectWrong(/is quarantined as \{.*changed/);
  });

  test("a reading is quarantined that is good, or twice, or was never sent", async () => {
    const job = held.jobs.find(registered)!;
    const refusal = held.refusals.find(({ job_id }) => job_id === job.job_id)!;
    held.refusals.push({ ...refusal, ordinal: 4_000 });
    await expectWrong(/reading 4000 is quarantined and was never sent/);
    held.refusals.at(-1)!.job_id = crypto.randomUUID();
    await expectWrong(/has readings in quarantine and no row/);
  });

  test("Redis says something else of a job than PostgreSQL, or nothing", async () => {
    const { job_id } = held.jobs[2]!;
    held.hash.get(job_id)!.status = "processing";
    await expectWrong(/in Redis and .* in PostgreSQL/);
    held.hash.delete(job_id);
    await expectWrong(/is \{\} in Redis/);
  });

  test("a producer was told another end than the one that is stored", async () => {
    const [one] = sent;
    const [job_id] = one!.jobs.keys();
    const job = held.jobs.find((other) => other.job_id === job_id)!;
    one!.ends.set(job_id!, endText(job));
    expect(await differences()).toEqual([]);
    one!.ends.set(job_id!, endText({ ...job, inserted: job.inserted - 1, duplicate: job.duplicate + 1 }));
    await expectWrong(/its producer was told "completed: /);
  });

  test("something is left in the stream or among the dead letters", async () => {
    held.left["dead:{1}"] = 1;
    await expectWrong("dead:{1} holds 1");
  });
});

describe("a batch without a clear answer", () => {
  const plain = batchWhere((batch) => registered(batch) && batch.key === null);
  const keyed = batchWhere((batch) => registered(batch) && batch.key !== null);

  test("may be missing, or there whole, as often as it was sent", async () => {
    sent.push(sentOf(...plain, [], 2));
    expect(await judge(shape, sent, held)).toMatchObject({ differences: [], unknown: 1, unknown_there: 0 });
    held.take(...plain);
    held.take(...plain);
    expect(await judge(shape, sent, held)).toMatchObject({ differences: [], unknown: 1, unknown_there: 1 });
    held.take(...plain);
    await expectWrong(/has 3 jobs that nobody was told of, from 2 requests/);
  });

  test("of an unregistered system is known by its job", async () => {
    sent.push(sentOf(...batchWhere((batch) => !registered(batch)), [], 1));
    held.take(0, sent.at(-1)!.n);
    expect(await judge(shape, sent, held)).toMatchObject({ differences: [], unknown_there: 1 });
  });

  test("may not be there in part", async () => {
    sent.push(sentOf(...plain, [], 1));
    held.take(...plain);
    held.rows.pop();
    await expectWrong(/a reading is lost|must be/);
  });

  test("may not have its readings there without its job", async () => {
    sent.push(sentOf(...plain, [], 1));
    held.take(...plain);
    held.jobs.pop();
    await expectWrong(/which was not accepted of anybody/);
  });

  test("has one job, if it has an Idempotency-Key and was sent again", async () => {
    sent.push(sentOf(...keyed, [held.take(...keyed)], 1));
    expect(await differences()).toEqual([]);
    held.take(...keyed);
    await expectWrong(/has 2 jobs with one Idempotency-Key/);
  });

  test("that was refused may not be there", async () => {
    sent.push(sentOf(...plain, [], 0));
    held.take(...plain);
    await expectWrong(/is of no batch that was sent/);
  });
});
