/** A run for people and for the record. */
import type { Machine } from "../bench/machine.ts";
import { number } from "../run/report.ts";
import type { KindName } from "./kinds.ts";
import type { Verdict } from "./oracle.ts";
import type { RunResult } from "./run.ts";
import type { KindRecord } from "./timeline.ts";

export interface FaultResult {
  readonly date: string;
  readonly seed: number;
  readonly count: number;
  /** The day that readings are dated before. */
  readonly day: string;
  readonly bound_s: number;
  readonly machine: Machine;
  readonly elapsed_s: number;
  readonly rounds: number;
  readonly done: number;
  /** Faults that cannot be done on this machine, and why. */
  readonly not_done: number;
  readonly no_disks: string | null;
  /** From the end of a round's last fault until all is ready and nothing of before waits, ms. */
  readonly recovery: KindRecord["recovery"];
  readonly worst: RunResult["timeline"]["worst"];
  readonly kinds: Partial<Record<KindName, KindRecord>>;
  /** Requests of producers. */
  readonly sends: RunResult["sends"];
  /** Answers other than accepted, by status; 0: no answer. */
  readonly statuses: RunResult["statuses"];
  readonly reviews: RunResult["reviews"];
  readonly failed_starts: number;
  readonly own_ends: RunResult["own_ends"];
  readonly verify: string;
  readonly data: (Omit<Verdict, "differences"> & { readonly differences: number }) | null;
  readonly failure: string | null;
}

export const passed = ({ failure, data }: Pick<FaultResult, "failure" | "data">): boolean =>
  failure === null && data?.differences === 0;

export function report(result: FaultResult): string {
  const { sends, statuses, recovery, data, verify, reviews } = result;
  const answers = Object.entries(statuses).map(
    ([status, n]) => `${n} ${status === "0" ? "without answer" : status}`,
  );
  const rows: [string, string][] = [
    [
      "faults",
      `${number(result.done)} done in ${result.rounds} rounds and ${result.elapsed_s} s${notDone(result)}`,
    ],
    [
      "recovery p50/p95/max",
      `${recovery.p50} / ${recovery.p95} / ${recovery.max} ms, bound ${result.bound_s} s`,
    ],
    [
      "longest recovery",
      `waited for ${result.worst.last.join("; ") || "-"}, after ${result.worst.faults.join("; ")}`,
    ],
    [
      "requests",
      `${number(sends.accepted)} accepted, ${sends.replayed} replayed, ${sends.refused} refused, ${sends.unknown} unknown, ${sends.cut} cut off (${answers.join(", ") || "no others"})`,
    ],
    [
      "reviews",
      `${number(reviews.readings)} readings of ${reviews.batches} batches; ${reviews.decisions} decisions, ${reviews.tasks} tasks, ${reviews.again} asked for again`,
    ],
    ["starts that failed", String(result.failed_starts)],
    ["hydraulic verify", verify],
  ];
  return [
    "",
    `seed ${result.seed}, ${result.count} faults, readings before ${result.day}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(22)}${value}`),
    data === null ? "data: not judged" : dataLine(data),
    ...(result.failure === null ? [] : [result.failure]),
    passed(result) ? "passed" : "FAILED",
    "",
  ].join("\n");
}

function notDone({ not_done, no_disks }: FaultResult): string {
  return not_done === 0 ? "" : `; ${not_done} not done: ${no_disks}`;
}

function dataLine(data: NonNullable<FaultResult["data"]>): string {
  const verdict = data.differences === 0 ? "right" : `WRONG, ${data.differences} differences`;
  return `data: ${verdict}: ${number(data.jobs)} jobs (${data.failed_jobs} of unregistered systems), ${number(data.readings)} readings = ${number(data.inserted)} inserted + ${number(data.duplicate)} duplicate + ${number(data.quarantined)} quarantined; of ${data.unknown} batches without a clear answer ${data.unknown_there} are there, whole`;
}
