/**
 * Is what the service holds exactly what it accepted? Every reading of every accepted batch is looked for: it is stored
 * with its value, unit and quality, or in the quarantine with the right reason, or the same is stored already. Knows
 * nothing of how the service works; of which of two conflicting readings comes first it only demands that it be one.
 */
import {
  batchOf,
  type DataShape,
  type LaneBatch,
  SENSORS,
  SYSTEM_ID,
  sensorId,
  windowStart,
} from "./batches.ts";
import type { Difference } from "./difference.ts";
import type { Held, HeldJob, HeldRefusal } from "./held.ts";
import { type JudgedJob, LaneJudge } from "./lane-judge.ts";
import type { SentBatch } from "./send-log.ts";

export interface Verdict {
  readonly differences: readonly Difference[];
  readonly jobs: number;
  readonly readings: number;
  readonly inserted: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly failed_jobs: number;
  /** Batches whose requests had no clear answer, and those of them that are there. */
  readonly unknown: number;
  readonly unknown_there: number;
}

export async function judge(shape: DataShape, sent: readonly SentBatch[], held: Held): Promise<Verdict> {
  const differences: Difference[] = [];
  const refusals = Map.groupBy(held.refusals, ({ job_id }) => job_id);
  const { owned, unowned } = owners(shape, sent, held.jobs, refusals);
  const byPlace = Map.groupBy(owned.values(), ({ place }) => place);
  for (const job of unowned) differences.push(ofJob(job, "is of no batch that was sent"));
  for (const job_id of refusals.keys())
    if (!owned.has(job_id) && !unowned.some((job) => job.job_id === job_id))
      differences.push({ ...NOWHERE, job_id, what: `job ${job_id} has readings in quarantine and no row` });
  let rows = 0;
  for (const [lane, batches] of Map.groupBy(sent, (one) => one.lane)) {
    const sensors = Array.from({ length: SENSORS }, (_, sensor) => sensorId(shape, lane, sensor));
    const readings = await held.readings(sensors);
    rows += readings.length;
    const judgement = new LaneJudge(shape, lane, readings, refusals);
    for (const one of batches)
      judgement.add(batchOf(shape, lane, one.n), one, jobsOf(one, owned, byPlace.get(placeOf(one)) ?? []));
    differences.push(...judgement.differences());
  }
  if (rows !== held.count)
    differences.push({ ...NOWHERE, what: `${held.count - rows} readings are of sensors that nobody has` });
  differences.push(...(await hashDifferences(held)), ...(await leftoverDifferences(held)));
  return { differences, ...sumsOf(held, sent, owned) };
}

const NOWHERE = { lane: null, n: null, job_id: null, at_ms: null };

function ofJob(job: HeldJob, what: string): Difference {
  const { job_id, created_at_ms } = job;
  return { ...NOWHERE, job_id, at_ms: created_at_ms, what: `job ${job_id} ${what}` };
}

type Owned = ReadonlyMap<string, { readonly job: HeldJob; readonly place: string }>;
const placeOf = ({ lane, n }: Pick<SentBatch, "lane" | "n">) => `${lane} ${n}`;

/** Whose each job is: a producer was told of it, or its first refused reading says so. */
function owners(
  shape: DataShape,
  sent: readonly SentBatch[],
  jobs: readonly HeldJob[],
  refusals: ReadonlyMap<string, readonly HeldRefusal[]>,
): { owned: Owned; unowned: HeldJob[] } {
  const told = new Map(sent.flatMap((one) => [...one.jobs.keys()].map((id) => [id, placeOf(one)] as const)));
  const marks = new Map<string, string>();
  for (const one of sent) {
    const { system_id } = batchOf(shape, one.lane, one.n);
    const mark = system_id === SYSTEM_ID ? markOf(shape, one) : system_id;
    if (one.unknown > 0) marks.set(mark, placeOf(one));
  }
  const owned = new Map<string, { job: HeldJob; place: string }>();
  const unowned: HeldJob[] = [];
  for (const job of jobs) {
    const first = refusals.get(job.job_id)?.find(({ ordinal }) => ordinal === 0);
    const mark = job.system_id === SYSTEM_ID ? `${first?.sensor_id} ${first?.at_ms}` : job.system_id;
    const place = told.get(job.job_id) ?? marks.get(mark);
    if (place === undefined) unowned.push(job);
    else owned.set(job.job_id, { job, place });
  }
  return { owned, unowned };
}

const markOf = (shape: DataShape, { lane, n }: Pick<LaneBatch, "lane" | "n">) =>
  `${sensorId(shape, lane, 0)} ${windowStart(shape, n)}`;

/** The jobs of a batch: those that were told of, there or not, and others that are there. */
function jobsOf(sent: SentBatch, owned: Owned, there: readonly { readonly job: HeldJob }[]): JudgedJob[] {
  const told = [...sent.jobs].map(([job_id, at_ms]): JudgedJob => {
    return { job_id, at_ms, end: sent.ends.get(job_id) ?? null, job: owned.get(job_id)?.job ?? null };
  });
  const others = there.filter(({ job }) => !sent.jobs.has(job.job_id));
  return [
    ...told,
    ...others.map(({ job }): JudgedJob => ({ job_id: job.job_id, at_ms: null, end: null, job })),
  ];
}

async function hashDifferences(held: Held): Promise<Difference[]> {
  const hashes = await held.hashes(held.jobs.map(({ job_id }) => job_id));
  return held.jobs.flatMap((job, i) => {
    const { status, total, inserted, duplicate, quarantined, system_id, created_by, error } = hashes[i]!;
    const hash = { status, total, inserted, duplicate, quarantined, system_id, created_by, error };
    const row = {
      status: job.status,
      total: String(job.total),
      inserted: String(job.inserted),
      duplicate: String(job.duplicate),
      quarantined: String(job.quarantined),
      system_id: job.system_id,
      created_by: job.created_by,
      error: job.error ?? "",
    };
    if (Bun.deepEquals(hash, row)) return [];
    return [ofJob(job, `is ${JSON.stringify(hash)} in Redis and ${JSON.stringify(row)} in PostgreSQL`)];
  });
}

async function leftoverDifferences(held: Held): Promise<Difference[]> {
  return Object.entries(await held.leftovers())
    .filter(([, left]) => left !== 0)
    .map(([where, left]) => ({ ...NOWHERE, what: `${where} holds ${left}` }));
}

function sumsOf(held: Held, sent: readonly SentBatch[], owned: Owned): Omit<Verdict, "differences"> {
  const sum = (of: (job: HeldJob) => number) => held.jobs.reduce((all, job) => all + of(job), 0);
  const unknown = sent.filter((one) => one.unknown > 0 && one.jobs.size === 0);
  const there = new Set([...owned.values()].map(({ place }) => place));
  return {
    jobs: held.jobs.length,
    readings: sum(({ total }) => total),
    inserted: sum(({ inserted }) => inserted),
    duplicate: sum(({ duplicate }) => duplicate),
    quarantined: sum(({ quarantined }) => quarantined),
    failed_jobs: sum(({ status }) => Number(status === "failed")),
    unknown: unknown.length,
    unknown_there: unknown.filter((one) => there.has(placeOf(one))).length,
  };
}
