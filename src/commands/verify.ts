/** `hydraulic verify`: is everything in place and in order? Changes nothing. */
import { Command, InvalidArgumentError } from "commander";
import { Chance } from "../feed/simulate/chance.ts";
import { systemClock } from "../ops/clock.ts";
import { Database } from "../store/pool.ts";
import { withSessionSettings } from "../store/session-options.ts";
import { ready, StreamUnavailableError, workClient } from "../stream/connection.ts";
import type { ScriptedRedis } from "../stream/scripts.ts";
import type { VerifyContext } from "../verify/context.ts";
import { gravest } from "../verify/finding.ts";
import { closingLine, tableLine } from "../verify/table.ts";
import { verify } from "../verify/verify.ts";
import { type Environment, MIGRATIONS, openEnvironment, streamBounds } from "./environment.ts";

interface VerifyOptions {
  readonly json?: boolean;
  readonly seed: number;
  readonly samples: number;
}

const QUERY_DEADLINE_MS = 30_000;
const REDIS_DEADLINE_MS = 3_000;
const SEEDS = 2 ** 32;

function wholeNumber(min: number, max: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description(
      "Check database, hourly aggregate, plans, Redis and disk, and print a table. Changes nothing.",
    )
    .option("--json", "one JSON object on standard output instead of the table")
    .option("--samples <n>", "random sensor-days whose aggregate is compared", wholeNumber(1, 1_000), 20)
    .option(
      "--seed <n>",
      "draw the same samples again",
      wholeNumber(0, SEEDS - 1),
      Math.floor(Math.random() * SEEDS),
    )
    .addHelpText("after", "\nExit status: 0 nothing failed, 1 something failed or could not be reached.")
    .action(verifyAction);
}

async function verifyAction(options: VerifyOptions): Promise<void> {
  const environment = await openEnvironment(undefined, process.stderr);
  try {
    await check(environment, options);
  } finally {
    await environment.services.stop();
  }
}

async function check(environment: Environment, options: VerifyOptions): Promise<void> {
  const { databaseUrl, redisUrl } = environment.services;
  const database = new Database({
    url: withSessionSettings(databaseUrl, { default_transaction_read_only: "on" }),
    size: 1,
    query_deadline_ms: QUERY_DEADLINE_MS,
  });
  const redis = await reachRedis(redisUrl);
  try {
    await report(context(environment, options, database, redis), options);
  } finally {
    if (!(redis instanceof Error)) redis.disconnect();
    await database.close();
  }
}

function context(
  { config }: Environment,
  { seed, samples }: VerifyOptions,
  database: Database,
  redis: ScriptedRedis | Error,
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
      bounds: streamBounds(config),
    },
    clock: systemClock,
    draw: () => chance.uniform(),
    samples,
  };
}

async function report(context: VerifyContext, { json, seed }: VerifyOptions): Promise<void> {
  const colour = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const findings = await verify(context, (finding) => {
    if (!json) process.stdout.write(tableLine(finding, colour));
  });
  const verdict = gravest(findings);
  if (json) {
    const checked_at = new Date(context.clock.now_ms()).toISOString();
    process.stdout.write(`${JSON.stringify({ verdict, checked_at, seed, findings }, null, 2)}\n`);
  } else process.stdout.write(`\n${closingLine(findings)}`);
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
