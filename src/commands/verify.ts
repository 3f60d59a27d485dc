/** `hydraulic verify`: is everything in place and in order, and how fast is it? Production's tables stay as they are. */
import { Command, InvalidArgumentError } from "commander";
import { parseTimestamp_us } from "../contract/timestamp.ts";
import { listenForInterrupts } from "../feed/interrupt.ts";
import { wholeNumber } from "../feed/options.ts";
import { Chance } from "../feed/simulate/chance.ts";
import { systemClock } from "../ops/clock.ts";
import { inspectStorage } from "../store/inspect/tables.ts";
import { Database } from "../store/pool.ts";
import { withSessionSettings } from "../store/session-options.ts";
import { ready, StreamUnavailableError, workClient } from "../stream/connection.ts";
import { PartitionRegister } from "../stream/partitions.ts";
import type { ScriptedRedis } from "../stream/scripts.ts";
import { type BenchmarkResult, judge, runBenchmark } from "../verify/benchmark/run.ts";
import { spaceOf } from "../verify/checks/storage.ts";
import type { VerifyContext } from "../verify/context.ts";
import { gravest, type NamedFinding } from "../verify/finding.ts";
import { bytes } from "../verify/format.ts";
import { Screen } from "../verify/screen.ts";
import { closingLine } from "../verify/table.ts";
import { verify } from "../verify/verify.ts";
import { type Environment, MIGRATIONS, openEnvironment, streamBounds } from "./environment.ts";
import { CommandError } from "./fail.ts";
import { replicaSettings } from "./open-replicas.ts";

interface VerifyOptions {
  readonly json?: boolean;
  readonly seed: number;
  readonly samples: number;
  readonly benchmark?: boolean;
  readonly rows: number;
  readonly accounts: boolean;
  /** ms since the epoch */
  readonly since?: number;
}

const QUERY_DEADLINE_MS = 30_000;
const REDIS_DEADLINE_MS = 3_000;
const SEEDS = 2 ** 32;
const ROUNDS = 3;
const REPEATS = 100;
/** Two tables with their indexes, and the write-ahead log of writing them again and again. */
const BYTES_PER_ROW = 1_000;
const SPARE_BYTES = 1e9;
/** 128 and the number of SIGINT, as shells have it. */
const INTERRUPTED = 130;

/** ms since the epoch. @throws {InvalidArgumentError} */
function parseMoment_ms(text: string): number {
  const at_us = parseTimestamp_us(text);
  if (Number.isNaN(at_us)) throw new InvalidArgumentError("It must be a time such as 2026-01-31T00:00:00Z.");
  return at_us / 1_000;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description(
      "Check database, hourly aggregate, plans, Redis, disk, and that what is stored is what jobs and decisions add up to; print a table. Changes nothing of the service's.",
    )
    .option("--json", "one JSON object on standard output instead of the table")
    .option("--samples <n>", "random sensor-days whose aggregate is compared", wholeNumber(1, 1_000), 20)
    .option("--seed <n>", "draw the same samples again (a random one)", wholeNumber(0, SEEDS - 1))
    .option(
      "--no-accounts",
      "do not compare all stored readings with jobs and decisions, which reads every reading",
    )
    .option(
      "--since <time>",
      "compare them from this time on (RFC 3339), as after drop_chunks by hand",
      parseMoment_ms,
    )
    .option(
      "--benchmark",
      "then measure write speed and queries, in a schema of its own that is dropped at the end",
    )
    .option("--rows <n>", "readings of the benchmark", wholeNumber(20_000, 20_000_000), 1_000_000)
    .addHelpText(
      "after",
      "\nExit status: 0 nothing failed, 1 something failed (a difference of stored readings, too) or could not be reached.",
    )
    .action((options: Omit<VerifyOptions, "seed"> & { seed?: number }) =>
      verifyAction({ ...options, seed: options.seed ?? Math.floor(Math.random() * SEEDS) }),
    );
}

async function verifyAction(options: VerifyOptions): Promise<void> {
  const environment = await openEnvironment("work", undefined, process.stderr);
  const interrupt = listenForInterrupts((step) => {
    if (step === "abandon") process.exit(INTERRUPTED);
  });
  try {
    await checkAndMeasure(environment, options, interrupt.stop);
  } catch (error) {
    if (!interrupt.stop.aborted) throw error;
    process.stderr.write("interrupted; nothing is left behind\n");
    process.exitCode = INTERRUPTED;
  } finally {
    interrupt.dispose();
    await environment.services.stop();
  }
}

async function checkAndMeasure(
  environment: Environment,
  options: VerifyOptions,
  stop: AbortSignal,
): Promise<void> {
  const screen = new Screen(options.json === true);
  const findings = await check(environment, options, stop, screen);
  const benchmark = options.benchmark ? await measure(environment, options, stop, screen) : null;
  report(findings, benchmark, options, screen);
}

async function check(
  environment: Environment,
  options: VerifyOptions,
  stop: AbortSignal,
  screen: Screen,
): Promise<NamedFinding[]> {
  const { databaseUrl, redisUrl } = environment.services;
  const database = new Database({
    url: withSessionSettings(databaseUrl, { default_transaction_read_only: "on" }),
    size: 1,
    query_deadline_ms: QUERY_DEADLINE_MS,
  });
  const redis = await reachRedis(redisUrl);
  try {
    const partitions = await partitionsIn(environment, redis);
    const context = {
      ...contextOf(environment, options, database, redis, partitions),
      progress: (text: string) => screen.step(text),
      stop,
    };
    const findings = await verify(context, (finding) => screen.finding(finding));
    if (options.benchmark && gravest(findings) !== "fail") await assertRoom(database, options.rows);
    return findings;
  } finally {
    if (!(redis instanceof Error)) redis.disconnect();
    await database.close();
  }
}

function contextOf(
  { config, services }: Environment,
  { seed, samples, accounts, since }: VerifyOptions,
  database: Database,
  redis: ScriptedRedis | Error,
  partitions: number,
): VerifyContext {
  const chance = new Chance(seed, "verify");
  return {
    database,
    redis,
    expected: {
      migrations_directory: MIGRATIONS,
      chunk_interval_days: config.CHUNK_INTERVAL_DAYS,
      compress_after_days: config.COMPRESS_AFTER_DAYS,
      retention_days: config.RETENTION_DAYS,
      bounds: { ...streamBounds(config), partitions },
      durability: config.REDIS_DURABILITY,
      replicas: replicaSettings(config, services.redisUrl).replicas,
    },
    clock: systemClock,
    draw: () => chance.uniform(),
    samples,
    accounts: accounts ? { since_ms: since ?? null } : null,
  };
}

/** Those of all producers. */
async function partitionsIn({ config, log }: Environment, redis: ScriptedRedis | Error): Promise<number> {
  if (redis instanceof Error) return config.STREAM_PARTITIONS;
  const register = new PartitionRegister(redis, config.STREAM_PARTITIONS, false, systemClock, log);
  await register.look();
  return register.count();
}

/** @throws {CommandError} when the disk is seen and has too little room for the benchmark */
async function assertRoom(database: Database, rows: number): Promise<void> {
  const { data_directory, local } = await inspectStorage(database);
  const space = local && data_directory !== null ? await spaceOf(data_directory) : null;
  const needed = rows * BYTES_PER_ROW + SPARE_BYTES;
  if (space && space.free_bytes < needed)
    throw new CommandError(
      `the benchmark needs ${bytes(needed)} of disk, and ${bytes(space.free_bytes)} are free; --rows makes it smaller`,
    );
}

async function measure(
  { config, services }: Environment,
  { rows, seed }: VerifyOptions,
  stop: AbortSignal,
  screen: Screen,
): Promise<BenchmarkResult> {
  screen.text("\n");
  const settings = {
    database_url: services.databaseUrl,
    migrations: { directory: MIGRATIONS, chunk_interval_days: config.CHUNK_INTERVAL_DAYS },
    compress_after_days: config.COMPRESS_AFTER_DAYS,
    rows,
    rounds: ROUNDS,
    repeats: REPEATS,
    seed,
  };
  const result = await runBenchmark(settings, stop, (step) => screen.step(step));
  for (const finding of judge(result)) screen.finding(finding);
  return result;
}

function report(
  checks: readonly NamedFinding[],
  benchmark: BenchmarkResult | null,
  { json, seed }: VerifyOptions,
  screen: Screen,
): void {
  const measured = benchmark ? judge(benchmark) : [];
  const findings = [...checks, ...measured];
  const verdict = gravest(findings);
  screen.text(`\n${closingLine(findings)}`);
  if (json) {
    const checked_at = new Date(systemClock.now_ms()).toISOString();
    const whole = {
      verdict,
      checked_at,
      seed,
      findings: checks,
      ...(benchmark ? { benchmark, measured } : {}),
    };
    process.stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
  }
  if (verdict === "fail") process.exitCode = 1;
}

async function reachRedis(url: string): Promise<ScriptedRedis | Error> {
  const redis = workClient(url);
  try {
    await ready(redis, REDIS_DEADLINE_MS);
    return redis;
  } catch (error) {
    redis.disconnect();
    if (error instanceof StreamUnavailableError) return error;
    throw error;
  }
}
