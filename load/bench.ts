/**
 * `bun run bench`: how fast is the whole way of a reading, as a share of what PostgreSQL can do at all?
 *
 * In one run and interleaved, so that whatever else the machine does hits all alike: the same rows by one raw
 * binary COPY, over HTTP in large requests as JSON, as line protocol and with conflicts, and over HTTP in small
 * ones; then a steady pace for latencies. The service runs as a process of its own with every feature on. After each
 * run the tables are compared with what was sent: wrong data ends the benchmark with exit code 1, a missed target
 * does not.
 */
import { detectEdition } from "../src/store/edition.ts";
import type { Sql } from "../src/store/pool.ts";
import { comparison } from "./bench/compare.ts";
import { CpuMeter } from "./bench/cpu.ts";
import { Dataset, SENSORS } from "./bench/dataset.ts";
import { type Bench, checkRun, flatOut, requestsOf, writesOf } from "./bench/http-runs.ts";
import { describeMachine } from "./bench/machine.ts";
import { type BenchOptions, readOptions, USAGE } from "./bench/options.ts";
import { type PacedRun, paced } from "./bench/paced-run.ts";
import { phaseRuns } from "./bench/phases.ts";
import { type RawCopy, rawCopy } from "./bench/raw-copy.ts";
import { recordingOf } from "./bench/recording.ts";
import { type RawRun, type Repetition, type Result, report, save } from "./bench/report.ts";
import { startService } from "./bench/service.ts";
import { mapSensors, openStack, type Stack, SYSTEM_ID } from "./bench/stack.ts";
import { storedRuns } from "./bench/stored.ts";
import { checkReadings, makeRawTable, RAW_TABLE, startAfresh } from "./bench/tables.ts";
import { workerRuns } from "./bench/worker-processes.ts";
import { runProgram, untilStopped } from "./program.ts";

/** A thousand small requests are too few for JavaScriptCore to have compiled what is hot. */
const WARM_UP_ROWS = 300_000;
/** The service's promise. */
const MAPPINGS_HOLD_AFTER_MS = 5_000;
const PACED_ROWS_PER_S = 10_000;
const PACED_BATCH = 1_000;

async function runRaw({ sql }: Stack, copy: RawCopy, data: Dataset): Promise<RawRun> {
  const ms = await copy.run();
  await checkReadings(sql, RAW_TABLE, data);
  return { tool: copy.tool, ms: Math.round(ms), rows_per_s: Math.round((data.shape.rows / ms) * 1000) };
}

/** Compile what is hot before the first measurement, as a service that has been up for a minute has. */
async function warmUp(bench: Bench, { large, small }: BenchOptions): Promise<void> {
  const data = recordingOf(WARM_UP_ROWS);
  const { stack, service } = bench;
  const warm = async (requests: readonly Buffer[], connections: number) => {
    await startAfresh(stack.sql);
    await flatOut(bench, WARM_UP_ROWS, requests, connections, () => checkRun(stack, data, requests.length));
  };
  for (const { batch, connections } of [large, small]) {
    await warm(requestsOf(service, data.bodies(batch)), connections);
  }
  // The sensors are registered now.
  await mapSensors(stack.databaseUrl, data.mappings());
  await Bun.sleep(MAPPINGS_HOLD_AFTER_MS);
  await warm(writesOf(service, data, large.batch), large.connections);
}

async function repeat(bench: Bench, options: BenchOptions): Promise<Repetition[]> {
  const { stack } = bench;
  const data = recordingOf(options.rows);
  const copy = await rawCopy(stack.databaseUrl, data.copyBytes());
  const runs = phaseRuns(bench, options, data);
  const repetitions: Repetition[] = [];
  for (let n = 1; n <= options.repetitions; n += 1) {
    let repetition: Repetition = {};
    if (options.phases.has("raw")) {
      await startAfresh(stack.sql);
      repetition = { raw: await runRaw(stack, copy, data) };
    }
    for (const phase of options.http) repetition = { ...repetition, [phase]: await runs[phase]!() };
    const rates = Object.entries(repetition).map(([name, run]) => `${name} ${run.rows_per_s} rows/s`);
    console.error(`repetition ${n} of ${options.repetitions}: ${rates.join(", ")}`);
    repetitions.push(repetition);
  }
  return repetitions;
}

/** Live data: as many samples of all sensors a second as the pace asks for. */
async function runPaced(bench: Bench, options: BenchOptions): Promise<PacedRun> {
  const rows = PACED_ROWS_PER_S * options.paced_s;
  const interval_ms = Math.floor((1000 * SENSORS) / PACED_ROWS_PER_S);
  const start_ms = Date.now() - options.paced_s * 1000;
  const data = new Dataset({ rows, system_id: SYSTEM_ID, start_ms, interval_ms });
  const requests = requestsOf(bench.service, data.bodies(PACED_BATCH));
  await startAfresh(bench.stack.sql);
  return paced(bench, data, requests, (1000 * PACED_BATCH) / PACED_ROWS_PER_S);
}

async function measure(stack: Stack, asked: BenchOptions): Promise<void> {
  const options = await offered(stack, asked);
  await makeRawTable(stack.sql);
  const measured = await measureOne(stack, options);
  const result: Result = {
    date: new Date().toISOString(),
    machine: await describeMachine(stack),
    rows: options.rows,
    data: `${options.rows.toLocaleString("en-US")} readings of ${SENSORS} sensors over 14 days, chunks of 7 days`,
    ...measured,
    ...(options.workers ? { workers: await workerRuns(stack, options) } : {}),
  };
  process.stdout.write(report(result));
  if (options.compare) process.stdout.write(await comparison(result));
  if (options.save) console.error(`saved as load/results/${await save(result)}`);
}

/** All that one process with every role is measured by. */
async function measureOne(
  stack: Stack,
  options: BenchOptions,
): Promise<Pick<Result, "repetitions" | "stored" | "paced">> {
  const service = await startService(stack, options.profile);
  try {
    const meter = await CpuMeter.of(service.pid, stack.sql, stack.redis);
    const bench: Bench = { stack, service, meter };
    await warmUp(bench, options);
    return {
      repetitions: await repeat(bench, options),
      paced: options.phases.has("paced") ? await runPaced(bench, options) : undefined,
      stored: options.stored > 0 ? await storedRuns(bench, options) : undefined,
    };
  } finally {
    await service.stop();
  }
}

/** Without what the server's edition does not offer. */
async function offered({ sql }: Stack, options: BenchOptions): Promise<BenchOptions> {
  if (!options.http.includes("late") || (await detectEdition(sql as unknown as Sql)) === "community")
    return options;
  console.error("left out: late readings into compressed chunks, which the Apache edition does not have");
  return { ...options, http: options.http.filter((phase) => phase !== "late") };
}

async function main(stop: AbortSignal): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    process.stdout.write(USAGE);
    return 0;
  }
  const stack = await openStack();
  try {
    await untilStopped(measure(stack, options), stop);
    return 0;
  } finally {
    await stack.close();
  }
}

await runProgram(main);
