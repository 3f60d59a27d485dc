/** Results of the query benchmark for people and for the record. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../src/commands/environment.ts";
import type { Compressed } from "../../src/store/benchmark-tables.ts";
import { bytes, percent, whole } from "../../src/verify/format.ts";
import type { Machine } from "../bench/machine.ts";
import type { IngestBeside } from "./ingest-beside.ts";
import type { Measured } from "./measure.ts";

export interface DatabaseResult {
  readonly rows: number;
  readonly jobs: number;
  readonly readings_bytes: number;
  readonly compressed: Compressed | null;
  /** Null when the database was there. */
  readonly copy_rows_per_s: number | null;
  readonly questions: readonly Measured[];
}

export interface QueryResult {
  readonly date: string;
  readonly machine: Machine;
  readonly edition: "apache" | "community";
  readonly requests: number;
  readonly small: DatabaseResult;
  readonly large: DatabaseResult;
  /** What came into the large database meanwhile. */
  readonly ingest?: IngestBeside;
}

/** Of issue 4. */
const TARGETS = { p95_ms: 100, growth: 1.5 } as const;
const RESULTS = join(ROOT, "load/results");
const WIDTHS = [42, 9, 16, 16, 14, 9] as const;

export interface Compared {
  readonly small: Measured;
  readonly large: Measured;
  /** Of p95, large over small. */
  readonly growth: number;
  readonly met: boolean;
}

/** With readings that come into one of them only, growth says nothing. */
function compare({ small, large, ingest }: QueryResult): Compared[] {
  return small.questions.map((question, i) => {
    const other = large.questions[i]!;
    const growth = other.latency.p95_ms / question.latency.p95_ms;
    const p95_ms = Math.max(question.latency.p95_ms, other.latency.p95_ms);
    return {
      small: question,
      large: other,
      growth,
      met: p95_ms < TARGETS.p95_ms && (ingest !== undefined || growth <= TARGETS.growth),
    };
  });
}

const cells = (parts: readonly string[]) =>
  parts.map((part, i) => (i === 0 ? part.padEnd(WIDTHS[i]!) : part.padStart(WIDTHS[i]!))).join("");
const times = ({ latency }: Measured) => `${latency.p50_ms.toFixed(1)} / ${latency.p95_ms.toFixed(1)}`;

/** The whole result as text. */
export function report(result: QueryResult): string {
  const { machine, small, large } = result;
  const lines = compare(result).map(({ small, large, growth, met }) =>
    cells([
      large.name,
      whole(large.rows),
      times(small),
      times(large),
      growth.toFixed(2),
      large.counts ? (met ? "met" : "missed") : "-",
    ]),
  );
  return [
    "",
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB, ${machine.kernel}; Bun ${machine.bun}, ` +
      `PostgreSQL ${machine.postgres}, TimescaleDB ${machine.timescaledb}; commit ${machine.commit}`,
    `HTTP, one request at a time, ${result.requests} of each; p50 / p95 in ms to the last byte`,
    `target: p95 below ${TARGETS.p95_ms} ms at both sizes, p95 grows at most ${TARGETS.growth} times`,
    "",
    cells(["", "rows", `at ${short(small.rows)}`, `at ${short(large.rows)}`, "growth of p95", "target"]),
    ...lines,
    "",
    ...[small, large].map(describe),
    ...(result.ingest ? [ingestLine(result.ingest)] : []),
    "",
  ].join("\n");
}

const short = (rows: number) => (rows >= 1e6 ? `${Math.round(rows / 1e6)}M` : `${Math.round(rows / 1e3)}k`);

function describe({ rows, jobs, readings_bytes, compressed, copy_rows_per_s }: DatabaseResult): string {
  const parts = [`${whole(rows)} readings in ${bytes(readings_bytes)}, ${whole(jobs)} jobs`];
  if (compressed) {
    const { before_bytes, after_bytes } = compressed;
    const saved = before_bytes && after_bytes ? `: ${percent(1 - after_bytes / before_bytes)} saved` : "";
    parts.push(`${compressed.compressed_chunks} of ${compressed.chunks} chunks compressed${saved}`);
  }
  if (copy_rows_per_s !== null) parts.push(`filled by COPY at ${whole(copy_rows_per_s)} rows/s`);
  return parts.join("; ");
}

const ingestLine = ({ rows, rows_per_s, accept }: IngestBeside) =>
  `meanwhile ${whole(rows)} readings came into the large one, ${whole(rows_per_s)} a second, all stored; accept p95 ${accept.p95} ms`;

/** Write the result of the day and edition, and its line into the table of all. */
export async function save(result: QueryResult): Promise<string> {
  await mkdir(RESULTS, { recursive: true });
  const name = `${result.date.slice(0, 10)}-queries-${nameOf(result)}.json`;
  await Bun.write(join(RESULTS, name), `${JSON.stringify(result, null, 2)}\n`);
  const names = (await readdir(RESULTS)).filter((file) => /-queries-.*\.json$/.test(file)).sort();
  const rows = await Promise.all(
    names.map(async (file) => tableRow(file, (await Bun.file(join(RESULTS, file)).json()) as QueryResult)),
  );
  const page = join(RESULTS, "queries.md");
  // What was measured by hand stands below the table.
  const [, ...byHand] = (await Bun.file(page).text()).split(/^(?=## )/m);
  await Bun.write(page, `${README}${rows.join("\n")}\n\n${byHand.join("")}`);
  return name;
}

/** Edition, whether all chunks are compressed, and whether readings came meanwhile. */
function nameOf({ edition, large, ingest }: QueryResult): string {
  const all = large.compressed && large.compressed.compressed_chunks === large.compressed.chunks;
  return `${edition}${all ? "-all-compressed" : ""}${ingest ? "-with-ingest" : ""}`;
}

const README = `# Results of \`bun run bench:queries\`

Requests to the HTTP API, one at a time, against a small and a large database in turn. Each cell: p95 in ms with the
small / with the large database. The JSON has p50, rows, sizes and the machine. docs/verify.md says what is asked.

| run | commit | machine | readings | 24 h, every reading | 24 h, 1,000 buckets | 14 days, 1 Hz | 14 days, other | latest of 100 | hourly, one | hourly, all | jobs |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`;

function tableRow(file: string, result: QueryResult): string {
  const { machine, small, large } = result;
  const figures = compare(result).map(
    ({ small, large }) => `${small.latency.p95_ms} / ${large.latency.p95_ms}`,
  );
  const columns = [
    `[${file.replace(/-queries-|\.json$/g, (part) => (part === ".json" ? "" : " "))}](${file})`,
    machine.commit,
    `${machine.cpu}, ${machine.cores} cores`,
    `${short(small.rows)} / ${short(large.rows)}`,
    ...figures,
  ];
  return `| ${columns.join(" | ")} |`;
}
