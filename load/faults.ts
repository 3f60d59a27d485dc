/**
 * `bun run faults`: faults drawn from a seed, under load, and the question whether anything of what was accepted was
 * lost or doubled. Exit code 1 when it was, or the service did not recover by itself; 2 when the run could not be made.
 */
import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../src/commands/environment.ts";
import { describeMachine } from "./bench/machine.ts";
import { UsageError } from "./command-line.ts";
import type { Difference } from "./faults/difference.ts";
import { disksOf, prefixOf } from "./faults/disks.ts";
import { END_WITH_US } from "./faults/end-with-us.ts";
import { type FaultOptions, readOptions, USAGE } from "./faults/options.ts";
import { originOf } from "./faults/producers.ts";
import { type FaultResult, passed, report } from "./faults/result.ts";
import { type RunResult, run } from "./faults/run.ts";
import { save } from "./faults/save.ts";
import { describeFault, type Round, scheduleOf } from "./faults/schedule.ts";
import { openStack, type Stack } from "./faults/stack.ts";
import { runProgram } from "./program.ts";

const SHOWN = 10;
/** Told by the outer process to the inner one in place of a folder's name when there are no disks. */
const NO_DISKS = "no-disks:";

const dayText = (day_ms: number) => new Date(day_ms).toISOString().slice(0, 10);

/** The same command again, where it has disks that it may fill. @returns its exit code */
async function startInside(options: FaultOptions, stop: AbortSignal): Promise<number> {
  const { seed, count, day_ms } = options;
  const folder = join(ROOT, `.data/faults/${seed}-${count}-${process.pid}`);
  await mkdir(folder, { recursive: true });
  const disks = await prefixOf(folder, count);
  const [prefix, missing] = "prefix" in disks ? [disks.prefix, ""] : [[], `${NO_DISKS}${disks.missing}`];
  const again = ["--seed", String(seed), "--day", dayText(day_ms), "--inside", `${folder}${missing}`];
  const args = process.argv.slice(2).filter((one) => !one.startsWith("--seed=") && !one.startsWith("--day="));
  const child = Bun.spawn(
    [...END_WITH_US, ...prefix, process.execPath, import.meta.path, ...args, ...again],
    {
      stdio: ["inherit", "inherit", "inherit"],
    },
  );
  stop.addEventListener("abort", () => child.kill("SIGTERM"));
  const code = await child.exited;
  // Not before: the disks are mounted in it.
  if (code === 0 && !options.keep) await rm(folder, { recursive: true, force: true });
  return code;
}

/** @returns the exit code */
async function faults(options: FaultOptions, inside: string, stop: AbortSignal): Promise<number> {
  const [folder = "", no_disks = null] = inside.split(NO_DISKS);
  const { seed, count, day_ms } = options;
  console.error(
    `seed ${seed}, ${count} faults, readings before ${dayText(day_ms)}; data and logs in ${folder}`,
  );
  if (no_disks !== null) console.error(`no disk can be filled here, these faults are left out: ${no_disks}`);
  const rounds = scheduleOf(seed, count);
  const shape = { seed, origin_ms: originOf(day_ms, count) };
  const stack = await openStack(folder);
  let wrong = true;
  try {
    const plan = { shape, rounds, bound_ms: options.bound_ms, folder, no_disks };
    const machine = await describeMachine({ sql: stack.postgres.sql, redis: stack.redis.redis });
    const seen = await run(stack, plan, (line) => console.error(line), stop);
    const result = resultOf(options, machine, seen, no_disks);
    wrong = !passed(result);
    if (wrong) console.error(explanation(seen));
    const exits = await closed(stack, folder, wrong || options.keep);
    const judged = exits.length === 0 || wrong ? result : { ...result, failure: exits.join(", ") };
    wrong = !passed(judged);
    process.stdout.write(report(judged));
    if (options.save) console.error(`saved as load/results/${await save(judged)}`);
    if (wrong) console.error(`data and logs are kept in ${folder}; again with: ${command(options)}`);
    return wrong ? 1 : 0;
  } finally {
    await stack.close();
  }
}

const command = ({ seed, count, day_ms }: FaultOptions) =>
  `bun run faults --seed ${seed} --count ${count} --day ${dayText(day_ms)}`;

/** Stop everything. What is on disks that end with this process is copied first if it is to be kept. */
async function closed(stack: Stack, folder: string, keep: boolean): Promise<string[]> {
  const exits = await stack.close();
  if (keep) {
    const { postgres, redis } = disksOf(folder);
    await cp(join(postgres, "cluster"), join(folder, "kept/postgres"), { recursive: true });
    await cp(join(redis, "redis"), join(folder, "kept/redis"), { recursive: true });
  }
  return exits;
}

function resultOf(
  { seed, count, day_ms, bound_ms }: FaultOptions,
  machine: FaultResult["machine"],
  seen: RunResult,
  no_disks: string | null,
): FaultResult {
  const { timeline, verdict, sends, statuses, reviews, failed_starts, own_ends, verify, failure, elapsed_s } =
    seen;
  return {
    date: new Date().toISOString(),
    ...{ seed, count, day: dayText(day_ms), bound_s: bound_ms / 1_000, machine, elapsed_s },
    rounds: timeline.rounds,
    done: timeline.done,
    not_done: timeline.not_done,
    no_disks,
    recovery: timeline.recovery(),
    worst: timeline.worst,
    kinds: timeline.kinds(),
    ...{ sends, statuses, reviews, failed_starts, own_ends, verify, failure },
    data: verdict && { ...verdict, differences: verdict.differences.length },
  };
}

/** The first differences, each with the faults before it. */
function explanation({ verdict, timeline, failure }: RunResult): string {
  const lines = failure === null ? [] : [failure, "the last faults:", ...indented(timeline.around(null))];
  for (const difference of verdict?.differences.slice(0, SHOWN) ?? [])
    lines.push(
      difference.what,
      ...indented(told(difference)),
      ...indented(timeline.around(difference.at_ms)),
    );
  return lines.join("\n");
}

const told = ({ at_ms }: Difference) =>
  at_ms === null ? [] : [`at ${new Date(at_ms).toISOString()}, among these faults:`];
const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}`);

function list(rounds: readonly Round[]): string {
  const text = rounds.map((round, i) => `round ${i + 1}\n${indented(round.map(describeFault)).join("\n")}`);
  return `${text.join("\n")}\n`;
}

async function main(stop: AbortSignal): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env, Date.now());
  if (!options) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (process.platform !== "linux")
    throw new UsageError("faults are made by means of Linux: use WSL or a container");
  if (options.list) {
    process.stdout.write(list(scheduleOf(options.seed, options.count)));
    return 0;
  }
  return options.inside === null ? startInside(options, stop) : faults(options, options.inside, stop);
}

await runProgram(main);
