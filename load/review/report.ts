/** Results of the review benchmark for people and for the record. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../src/commands/environment.ts";
import { whole } from "../../src/verify/format.ts";
import type { Machine } from "../bench/machine.ts";
import type { Measured } from "./measure.ts";
import { PARTS, type Part } from "./options.ts";
import type { TaskResult } from "./task.ts";

export interface ReviewResult {
  readonly date: string;
  readonly machine: Machine;
  readonly edition: "apache" | "community";
  /** Quarantined readings of the lists, and of each task. */
  readonly rows: number;
  readonly requests: number;
  readonly lists: readonly Measured[];
  readonly tasks: readonly TaskResult[];
}

/** Of issue 5. */
const TARGET_P95_MS = 150;

export const missed = ({ lists }: Pick<ReviewResult, "lists">) =>
  lists.filter(({ latency }) => latency.p95_ms >= TARGET_P95_MS);

/** The whole result as text. */
export function report(result: ReviewResult): string {
  const { machine, rows, requests, lists, tasks } = result;
  const over = missed(result);
  return [
    "",
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB, ${machine.kernel}; Bun ${machine.bun}, ` +
      `PostgreSQL ${machine.postgres}, TimescaleDB ${machine.timescaledb}; commit ${machine.commit}`,
    `${whole(rows)} quarantined readings`,
    ...(lists.length > 0 ? ["", ...listLines(lists, requests)] : []),
    ...tasks.flatMap(taskLines),
    "",
    ...(lists.length > 0 ? [`${over.length} of ${lists.length} lists over ${TARGET_P95_MS} ms`] : []),
    "",
  ].join("\n");
}

const cells = (name: string, ...figures: readonly string[]) =>
  name.padEnd(40) + figures.map((figure) => figure.padStart(9)).join("");

function listLines(lists: readonly Measured[], requests: number): string[] {
  const lines = lists.map(({ name, latency: { p50_ms, p95_ms, max_ms } }) => {
    const mark = p95_ms >= TARGET_P95_MS ? `  over ${TARGET_P95_MS} ms` : "";
    return cells(name, p50_ms.toFixed(1), p95_ms.toFixed(1), max_ms.toFixed(1)) + mark;
  });
  return [
    `HTTP, one request at a time, ${requests} of each; ms to the last byte`,
    cells("", "p50", "p95", "max"),
    ...lines,
  ];
}

function taskLines(task: TaskResult): string[] {
  const memory = task.memory_mib.map((mib) => mib ?? "?").join(", ");
  return [
    "",
    `${task.action} of ${whole(task.rows)}: ${task.working_s.toFixed(0)} s, ${whole(task.rows_per_s)} readings/s; accepted in ` +
      `${task.accepted_ms} ms; killed at ${whole(task.killed_at)}, went on ${task.resumed_after_s.toFixed(1)} s after the start`,
    `  memory by fifths of the task: ${memory} MiB; list of pending meanwhile p95 ${task.list_p95_ms} ms`,
    "  all readings once: in the task, the readings, the record, the jobs and the counts",
  ];
}

/** Write the result of the day, the edition and, if they are not all, the parts. @returns the file's name */
export async function save(result: ReviewResult, parts: readonly Part[]): Promise<string> {
  const folder = join(ROOT, "load/results");
  await mkdir(folder, { recursive: true });
  const some = parts.length < PARTS.length ? `-${parts.join("-")}` : "";
  const name = `${result.date.slice(0, 10)}-review-${result.edition}${some}.json`;
  await Bun.write(join(folder, name), `${JSON.stringify(result, null, 2)}\n`);
  return name;
}
