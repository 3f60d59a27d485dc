/** The command line of `simulate`. */
import { Command, InvalidArgumentError, Option } from "commander";
import { DEMO_FEEDERS, demoFeeder } from "../../contract/demo.ts";
import { MAX_READINGS_PER_BATCH } from "../../contract/reading.ts";
import { formatTimestamp, parseTimestamp_us } from "../../contract/timestamp.ts";
import { isFeedError, UsageError } from "../errors.ts";
import { listenForInterrupts } from "../interrupt.ts";
import {
  createClient,
  decimal,
  passwordOf,
  reasonOf,
  type ServiceOptions,
  SURROUNDINGS,
  wholeNumber,
  withServiceOptions,
} from "../options.ts";
import { Progress } from "../progress.ts";
import { type SimulationPlan, samplingInterval_s } from "./batches.ts";
import { FAULT_KINDS, type FaultKind, type FaultShares, faultShares } from "./faults.ts";
import { Simulation } from "./run.ts";
import { progressLine, summarize, summaryText } from "./summary.ts";

interface SimulateOptions extends ServiceOptions {
  readonly rate: number;
  readonly duration?: number;
  readonly readings?: number;
  readonly batch: number;
  readonly users?: number;
  readonly seed: number;
  readonly faults: number;
  readonly fault?: ReadonlyMap<FaultKind, number>;
  readonly start?: number;
  readonly json?: true;
}

const DEFAULT_DURATION_S = 60;
/** How long sends and open jobs may take after Ctrl-C. */
const GRACE_MS = 30_000;

/** `simulate`: exit status 0 when every count adds up, 1 when not, 2 when the options cannot work. */
export function simulateCommand(): Command {
  const command = new Command("simulate")
    .description(
      "send the readings of simulated rigs, with faults on purpose, and hold every count to account",
    )
    .option("--rate <n>", "readings per second of all users together", decimal(0.01, 10_000_000), 1000)
    .addOption(
      new Option("--duration <s>", `length of the run (default: ${DEFAULT_DURATION_S})`)
        .argParser(decimal(0.001, 31_536_000))
        .conflicts("readings"),
    )
    .option("--readings <n>", "length of the run in readings", wholeNumber(1, 1e12))
    .option("--batch <n>", "readings per request", wholeNumber(1, MAX_READINGS_PER_BATCH), 100)
    .addOption(
      new Option("--users <n>", `feeders of a development start that send, each its own rig (default: 1)`)
        .argParser(wholeNumber(1, DEMO_FEEDERS))
        .conflicts("username"),
    )
    .option("--seed <n>", "same seed and start, same batches", wholeNumber(0, 2 ** 48), 1)
    .option("--faults <share>", "share of faulty readings (0-1), spread over all kinds", decimal(0, 1), 0)
    .option("--fault <kind=share>", `share of one kind, repeatable: ${FAULT_KINDS.join(", ")}`, collectFault)
    .option(
      "--start <time>",
      "timestamp of the first reading, RFC 3339 or <microseconds>us (default: now)",
      parseStart_us,
    )
    .option("--json", "print the summary as JSON");
  return withServiceOptions(command, 16).action(async (options: SimulateOptions) => {
    try {
      process.exitCode = await simulate(options);
    } catch (error) {
      if (!isFeedError(error)) throw error;
      process.stderr.write(`simulate: ${reasonOf(error)}\n`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    }
  });
}

async function simulate(options: SimulateOptions): Promise<number> {
  const password = await passwordOf(options);
  const users = options.users ?? 1;
  const names = options.username
    ? [options.username]
    : Array.from({ length: users }, (_, i) => demoFeeder(i + 1));
  const clients = names.map((name) => createClient(options, name, password));
  const plan = planOf(options, names.length);
  const interrupt = listenForInterrupts((step) =>
    process.stderr.write(
      step === "stop"
        ? "\nStopping: waiting for open jobs. Ctrl-C again to leave at once.\n"
        : "\nLeaving at once.\n",
    ),
  );
  const simulation = new Simulation({
    plan,
    clients,
    concurrency: options.concurrency,
    wait_ms: options.wait * 1000,
    grace_ms: GRACE_MS,
    run_id: crypto.randomUUID(),
    surroundings: SURROUNDINGS,
    stop: interrupt.stop,
    abandon: interrupt.abandon,
  });
  const progress = new Progress(process.stderr, SURROUNDINGS.clock, () =>
    progressLine(plan, simulation.tally, clients, simulation.elapsed_ms()),
  );
  progress.start();
  try {
    await simulation.run();
  } finally {
    progress.stop();
    interrupt.dispose();
  }
  const summary = summarize(plan, simulation.tally, clients, interrupt.stop.aborted);
  process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : summaryText(summary));
  return summary.ok ? 0 : 1;
}

function planOf(options: SimulateOptions, users: number): SimulationPlan {
  const { rate, batch, seed } = options;
  const plan: SimulationPlan = {
    seed,
    system_id: options.system,
    users,
    rate,
    batch,
    readings: options.readings ?? Math.max(1, Math.round(rate * (options.duration ?? DEFAULT_DURATION_S))),
    start_us: options.start ?? freshStart_us((users - 1) * (batch / rate)),
    shares: sharesOf(options),
  };
  if (samplingInterval_s(plan) < 1e-6) {
    throw new UsageError(
      "at this rate two readings of a sensor share a microsecond: raise --users, or lower --rate",
    );
  }
  return plan;
}

function sharesOf({ faults, fault }: SimulateOptions): FaultShares {
  try {
    return faultShares(faults, fault ?? new Map());
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/**
 * Now, less what the staggering of the users adds, so that no stamp lies in the future when it is sent. The
 * microseconds are drawn, so that two runs of one seed at the same time do not meet on the same stamps.
 */
function freshStart_us(stagger_s: number): number {
  const now_us = SURROUNDINGS.clock.now_ms() * 1000 + Math.floor(SURROUNDINGS.random() * 1000);
  return Math.floor(now_us - stagger_s * 1e6);
}

function parseStart_us(text: string): number {
  const start_us = /^\d{1,16}us$/.test(text) ? Number.parseInt(text, 10) : parseTimestamp_us(text);
  if (Number.isNaN(start_us)) {
    throw new InvalidArgumentError(`It must be like ${formatTimestamp(1_767_225_600_000_000)}.`);
  }
  return start_us;
}

function collectFault(text: string, known?: ReadonlyMap<FaultKind, number>): Map<FaultKind, number> {
  const [name, share = ""] = text.split("=", 2);
  const kind = FAULT_KINDS.find((k) => k === name);
  if (!kind) throw new InvalidArgumentError(`The kinds are ${FAULT_KINDS.join(", ")}.`);
  return new Map(known).set(kind, decimal(0, 1)(share));
}
