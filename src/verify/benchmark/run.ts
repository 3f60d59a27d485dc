/** `verify --benchmark`: write speed and query latencies, in a schema of its own that is gone at the end. */
import { BenchmarkTables, type Compressed } from "../../store/benchmark-tables.ts";
import type { MigrationSettings } from "../../store/migrate.ts";
import { Database } from "../../store/pool.ts";
import { createQueries } from "../../store/queries/queries.ts";
import { Reader } from "../../store/queries/reader.ts";
import { ScratchSchema } from "../../store/scratch.ts";
import { type NamedFinding, ok, warn } from "../finding.ts";
import { bytes, duration, percent, whole } from "../format.ts";
import { aggregateAll } from "./aggregate.ts";
import { type Answered, measureQuestions } from "./questions.ts";
import { Recording } from "./recording.ts";
import { measureWriting, type WriteSpeed } from "./write-speed.ts";

export interface BenchmarkSettings {
  readonly database_url: string;
  readonly migrations: MigrationSettings;
  readonly compress_after_days: number;
  /** Readings, about. */
  readonly rows: number;
  /** Rounds of writing, and of each question. */
  readonly rounds: number;
  readonly repeats: number;
  readonly seed: number;
}

export interface BenchmarkResult {
  readonly schema: string;
  readonly writing: WriteSpeed;
  readonly aggregated_hours: number;
  readonly aggregating_ms: number;
  readonly compressed: Compressed | null;
  readonly questions: readonly Answered[];
}

/** The share of raw COPY that the whole service must reach over HTTP; the writer alone must not be what misses it. */
const WRITE_RATIO = 0.5;
const P95_MS = 100;
/** Jobs beside the readings, as many as the first page of a busy month has behind it. */
const JOBS = 100_000;
const JOB_DAYS = 14;
const MINUTE_MS = 60_000;
const DEADLINE_MS = 300_000;

/**
 * @param stop ends the benchmark between two steps; the schema is dropped then, too
 * @param told what is done next
 */
export async function runBenchmark(
  settings: BenchmarkSettings,
  stop: AbortSignal,
  told: (step: string) => void,
): Promise<BenchmarkResult> {
  for (const name of await ScratchSchema.dropAbandoned(settings.database_url))
    told(`dropped ${name}, which a benchmark that was killed had left`);
  stop.throwIfAborted();
  const schema = await ScratchSchema.create(settings.database_url, settings.migrations);
  try {
    told(`schema ${schema.name}`);
    return await measureIn(schema, settings, stop, told);
  } finally {
    await schema.drop();
  }
}

async function measureIn(
  schema: ScratchSchema,
  settings: BenchmarkSettings,
  stop: AbortSignal,
  told: (step: string) => void,
): Promise<BenchmarkResult> {
  const { url } = schema;
  const database = new Database({ url, size: 1, query_deadline_ms: DEADLINE_MS });
  const reader = new Reader({ url, size: 1, deadline_ms: DEADLINE_MS });
  try {
    const tables = new BenchmarkTables(database);
    const user_id = crypto.randomUUID();
    const end_ms = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    const shape = { rows: settings.rows, system_id: crypto.randomUUID(), end_ms, seed: settings.seed };
    const recording = new Recording(shape);
    await tables.addSystem(shape.system_id, "benchmark");
    await tables.makeRawTable();
    told(`writing ${whole(settings.rows)} readings, ${settings.rounds} times each way`);
    const writing = await measureWriting({ url, tables, user_id }, recording, settings.rounds, stop);
    await tables.dropRawTable();
    told("aggregating");
    const begin = performance.now();
    const aggregated_hours = await aggregateAll(url, stop);
    const aggregating_ms = Math.round(performance.now() - begin);
    await tables.addJobs(JOBS, shape.system_id, [user_id], JOB_DAYS);
    await tables.compress(settings.compress_after_days, false);
    await tables.vacuum();
    told(`asking each question ${settings.repeats} times`);
    const questions = await measureQuestions(createQueries(reader), recording, settings.repeats, stop);
    const compressed = await tables.compressed();
    return { schema: schema.name, writing, aggregated_hours, aggregating_ms, compressed, questions };
  } finally {
    await reader.close();
    await database.close();
  }
}

/** The result against the targets: a missed one is a warning, because it may be the machine. */
export function judge({ writing, questions, compressed, ...rest }: BenchmarkResult): NamedFinding[] {
  const findings: NamedFinding[] = [{ check: "write speed", ...judgeWriting(writing) }];
  findings.push({
    check: "aggregation",
    ...ok(`${whole(rest.aggregated_hours)} hours of 100 sensors in ${duration(rest.aggregating_ms)}`, {
      hours: rest.aggregated_hours,
      duration_ms: rest.aggregating_ms,
    }),
  });
  if (compressed?.before_bytes && compressed.after_bytes) {
    const saved = 1 - compressed.after_bytes / compressed.before_bytes;
    const text = `${compressed.compressed_chunks} of ${compressed.chunks} chunks: ${bytes(compressed.before_bytes)} to ${bytes(compressed.after_bytes)}, ${percent(saved)} saved`;
    findings.push({ check: "compression", ...ok(text, { saved_share: saved }) });
  }
  return [...findings, ...questions.map(judgeQuestion)];
}

function judgeWriting({ rows, raw_rows_per_s, service_rows_per_s, ratio }: WriteSpeed) {
  const text = `${whole(service_rows_per_s)} rows/s, ${ratio.toFixed(2)} of raw COPY (${whole(raw_rows_per_s)} rows/s); ${whole(rows)} rows, one connection`;
  const figures = { rows, raw_rows_per_s, service_rows_per_s, ratio, target_ratio: WRITE_RATIO };
  return ratio >= WRITE_RATIO
    ? ok(text, figures)
    : warn(`${text}; target ${WRITE_RATIO}`, "Is the machine busy? Run it again", figures);
}

function judgeQuestion({ name, about, latency }: Answered): NamedFinding {
  const { p50_ms, p95_ms } = latency;
  const text = `${about}: p50 ${p50_ms} ms, p95 ${p95_ms} ms`;
  const figures = { ...latency, target_p95_ms: P95_MS };
  const finding =
    p95_ms < P95_MS
      ? ok(text, figures)
      : warn(`${text}; target p95 ${P95_MS} ms`, "Is the machine busy? Run it again", figures);
  return { check: name, ...finding };
}
