/** Does the service hold exactly what it accepted? Jobs one by one, quarantine by reason, readings sensor by sensor. */
import { isTerminal } from "../../src/contract/job.ts";
import { WrongDataError } from "../bench/tables.ts";
import { isForUnknownSystem } from "../k6/faults.ts";
import { type RunShape, unknownSystem } from "../k6/rig.ts";
import { type BatchOutcome, Expected, secondOf, sensorsOf } from "./expected.ts";
import type { Held, HeldJob, OwnJob, SensorSum } from "./held.ts";
import { fateOf, type SentBatch } from "./record.ts";

export interface Checked {
  readonly readings: number;
  readonly sensors: number;
  readonly jobs: number;
  readonly quarantined: number;
  /** Requests without a clear answer, and how many of them are there. */
  readonly unknown: number;
  readonly unknown_there: number;
  /** Of the jobs that were accepted. */
  readonly held: readonly HeldJob[];
}

const SHOWN = 3;

/**
 * Wait until all is stored, then compare.
 * @throws {WrongDataError} that says what is missing, too many or different
 */
export async function checkRun(held: Held, shape: RunShape, sent: readonly SentBatch[]): Promise<Checked> {
  const accepted = sent.filter((batch) => fateOf(batch) === "accepted");
  const own = accepted.map(({ job_id, rig }): OwnJob => ({ job_id: job_id!, rig }));
  await held.settle(own);
  const expected = new Expected(shape);
  for (const { rig, n } of accepted) expected.add(rig, n);
  const accounted = { ...expected.totals, reasons: expected.reasons() };
  const unknown = sent.filter((batch) => fateOf(batch) === "unknown");
  let there = 0;
  for (const batch of unknown) {
    if (!(await isThere(held, expected, batch))) continue;
    there += 1;
    expected.add(batch.rig, batch.n);
  }
  const jobs = await held.jobs(own);
  const totals = expected.totals;
  checkJobs(jobs, accepted, expected, held.whole ? totals.jobs : accounted.jobs);
  if (held.whole || there === 0) checkTotals(jobs, totals);
  const reasons = await held.reasons(jobs, new Map(own.map(({ job_id, rig }) => [job_id, rig])));
  same("quarantined readings by reason", reasons, held.whole ? expected.reasons() : accounted.reasons);
  const sums = expected.sums();
  compareSums(await held.sums(sums.map(({ sensor_id }) => sensor_id)), sums);
  const strangers = await held.strangers();
  if (strangers) throw new WrongDataError(`${strangers} readings are there that nobody sent`);
  return {
    readings: totals.inserted,
    sensors: sums.length,
    jobs: totals.jobs,
    quarantined: totals.quarantined,
    unknown: unknown.length,
    unknown_there: there,
    held: jobs,
  };
}

/** A batch without an answer is there whole or not at all. @throws {WrongDataError} */
async function isThere(held: Held, expected: Expected, { rig, n }: SentBatch): Promise<boolean> {
  const { shape } = expected;
  if (isForUnknownSystem(shape, n)) return (await held.jobsOf(unknownSystem(shape.run, rig, n), rig)) > 0;
  const from_ms = secondOf(shape, n);
  const readings = await held.count(sensorsOf(shape, rig), from_ms, from_ms + 1000);
  const { inserted } = expected.outcomeOf(n);
  if (readings !== 0 && readings !== inserted)
    throw new WrongDataError(`of a batch without an answer ${readings} of ${inserted} readings are stored`);
  return readings > 0;
}

/** @param all how many there must be */
function checkJobs(
  jobs: readonly HeldJob[],
  accepted: readonly SentBatch[],
  expected: Expected,
  all: number,
): void {
  const byId = new Map(jobs.map((job) => [job.job_id, job]));
  if (byId.size !== jobs.length) throw new WrongDataError("a job is there twice");
  const wrong: string[] = [];
  for (const { job_id, n } of accepted) {
    const job = byId.get(job_id!);
    const fault = job ? faultOf(job, expected.outcomeOf(n)) : "is not there";
    if (fault !== null) wrong.push(`job ${job_id} ${fault}`);
  }
  if (wrong.length > 0) throw new WrongDataError(listed(wrong));
  if (jobs.length !== all) throw new WrongDataError(`there are ${jobs.length} jobs, not ${all}`);
}

function faultOf(job: HeldJob, outcome: BatchOutcome): string | null {
  if (!isTerminal(job.status)) return `is still ${job.status}`;
  if (job.status !== outcome.status) return `is ${job.status}, not ${outcome.status}`;
  const { total_readings: total, inserted_readings: inserted, duplicate_readings: duplicate } = job;
  const kept = inserted - outcome.inserted;
  const fits =
    total === outcome.total &&
    job.quarantined_readings === outcome.quarantined &&
    inserted + duplicate === total - outcome.quarantined &&
    (kept === 0 || (kept === 1 && outcome.kept > 0));
  if (fits) return null;
  return `says ${total} = ${inserted} + ${duplicate} + ${job.quarantined_readings}, of which must be ${JSON.stringify(outcome)}`;
}

function checkTotals(jobs: readonly HeldJob[], totals: Expected["totals"]): void {
  const sum = (of: (job: HeldJob) => number) => jobs.reduce((all, job) => all + of(job), 0);
  const found = {
    jobs: jobs.length,
    failed: sum(({ status }) => (status === "failed" ? 1 : 0)),
    total: sum((job) => job.total_readings),
    inserted: sum((job) => job.inserted_readings),
    duplicate: sum((job) => job.duplicate_readings),
    quarantined: sum((job) => job.quarantined_readings),
  };
  same("the jobs' counters", found, totals);
}

function compareSums(held: readonly SensorSum[], expected: readonly SensorSum[]): void {
  const known = new Map(held.map((sum) => [sum.sensor_id, sum]));
  const wrong = expected.flatMap((sum) => {
    const found = known.get(sum.sensor_id);
    known.delete(sum.sensor_id);
    return Bun.deepEquals(found, sum)
      ? []
      : [`${JSON.stringify(found ?? "no readings")} must be ${JSON.stringify(sum)}`];
  });
  for (const sum of known.values()) wrong.push(`${JSON.stringify(sum)} must not be there`);
  if (wrong.length > 0) throw new WrongDataError(`the readings of ${wrong.length} sensors: ${listed(wrong)}`);
}

const sorted = (record: object) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

function same(what: string, found: object, expected: object): void {
  if (Bun.deepEquals(sorted(found), sorted(expected))) return;
  throw new WrongDataError(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}

function listed(wrong: readonly string[]): string {
  const more = wrong.length > SHOWN ? `; and ${wrong.length - SHOWN} more` : "";
  return wrong.slice(0, SHOWN).join("; ") + more;
}
