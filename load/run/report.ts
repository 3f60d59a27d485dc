/** The table that a run ends with. */
import type { Latency } from "../bench/http-runs.ts";
import type { Bound } from "./judge.ts";
import { IN_BOUNDS, type Ramp } from "./knee.ts";
import type { LoadResult, Use } from "./result.ts";

const MIB = 2 ** 20;
/** Above this k6 takes so much of the machine that speed is a statement about k6 as well. */
const K6_CORES_OF_NOTE = 0.5;

export const number = (n: number): string => Math.round(n).toLocaleString("en-US");
const latency = ({ p50, p95, p99 }: Latency) => `${p50} / ${p95} / ${p99} ms`;

/** Whether all bounds are kept and the data is right. */
export function passed({ bounds, data }: LoadResult): boolean {
  return bounds.every(({ ok }) => ok !== false) && !("wrong" in data);
}

export function boundLines(bounds: readonly Bound[]): string[] {
  return bounds.map(({ rule, found, ok }) => {
    const verdict = ok === null ? "not judged" : ok ? "kept" : "BROKEN";
    return `  ${verdict.padEnd(12)}${rule}  (${found})`;
  });
}

/** The whole result as text. */
export function report(result: LoadResult): string {
  const lines = rows(result).map(([name, value]) => `  ${name.padEnd(28)}${value}`);
  return [
    "",
    `${result.scenario}, ${result.seconds} s, ${result.target}, k6 ${result.k6.version}`,
    ...lines,
    ...(result.ramp ? rampLines(result.ramp) : []),
    "bounds",
    ...boundLines(result.bounds),
    dataLine(result),
    passed(result) ? "passed" : "FAILED",
    "",
  ].join("\n");
}

function rows(result: LoadResult): [string, string][] {
  const { requests, not_accepted, accept, stored, job_ended, looked, k6, use } = result;
  const kinds = Object.entries(not_accepted).map(
    ([status, n]) => `${n} ${status === "0" ? "without answer" : status}`,
  );
  const cores = k6.cpu_s / k6.elapsed_s;
  const note = cores > K6_CORES_OF_NOTE ? "; k6 took so much that it shapes the figures" : "";
  return [
    ["rows accepted", `${number(result.rows_accepted)}, ${number(result.rows_per_s)} rows/s`],
    [
      "requests",
      `${number(requests.accepted)} accepted, ${requests.refused} refused, ${requests.unknown} unknown${kinds.length > 0 ? ` (${kinds.join(", ")})` : ""}`,
    ],
    ["accept p50/p95/p99", latency(accept)],
    ...(stored ? [["accepted to stored", latency(stored)] as [string, string]] : []),
    ...(job_ended ? [["job followed to its end", latency(job_ended)] as [string, string]] : []),
    ...(looked ? [["questions of the console", latency(looked)] as [string, string]] : []),
    ["processor: k6", `${k6.cpu_s} s, ${cores.toFixed(2)} of a core${note}`],
    ...(use ? useRows(use) : []),
  ];
}

function useRows({ cpu, worker_cpu_s, rss_peak_bytes, backlog_peak, growth }: Use): [string, string][] {
  const worker = worker_cpu_s === null ? "" : `, worker ${worker_cpu_s} s`;
  const mib = (bytes: number) => `${Math.round(bytes / MIB)} MiB`;
  const grown = growth ? `; minute 5 ${mib(growth.minute_5)}, end ${mib(growth.end)}` : "";
  return [
    [
      "processor: others",
      `service ${cpu.service ?? "?"} s${worker}, PostgreSQL ${cpu.postgres ?? "?"} s, Redis ${cpu.redis ?? "?"} s`,
    ],
    ["memory of the service", rss_peak_bytes === null ? "unknown" : `at most ${mib(rss_peak_bytes)}${grown}`],
    ["batches waiting", `at most ${backlog_peak}`],
  ];
}

function rampLines({ steps, knee }: Ramp): string[] {
  const cells = (parts: readonly string[]) =>
    `  ${parts.map((part, i) => part.padStart([10, 10, 12, 12][i] ?? 0)).join("")}`;
  const ms = (value: number | null) => (value === null ? "-" : `${Math.round(value)} ms`);
  return [
    cells(["rows/s", "accepted", "accept p95", "stored p95"]),
    ...steps.map((step) => {
      const { wanted, accepted, accept_p95_ms, stored_p95_ms, beyond } = step;
      const row = cells([number(wanted), number(accepted), ms(accept_p95_ms), ms(stored_p95_ms)]);
      return `${row}   ${beyond ?? ""}`.trimEnd();
    }),
    `  knee: ${knee === null ? "below the first step" : `${number(knee)} rows/s`} (the last step with accept p95 within ${IN_BOUNDS.accept_p95_ms} ms and stored p95 within ${IN_BOUNDS.stored_p95_ms} ms)`,
  ];
}

function dataLine({ data, target }: LoadResult): string {
  if ("wrong" in data) return `data: WRONG: ${data.wrong}`;
  const { readings, sensors, jobs, quarantined, unknown, unknown_there } = data;
  const lost =
    unknown === 0 ? "" : `; of ${unknown} requests without a clear answer ${unknown_there} are there, whole`;
  return `data: right: ${number(readings)} readings of ${number(sensors)} sensors, ${number(jobs)} jobs, ${number(quarantined)} quarantined, exactly what was accepted by ${target}${lost}`;
}
