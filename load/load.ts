/**
 * `bun run load SCENARIO`: readings from k6, at the scenario's pace, against a stack of its own or a service that
 * runs already; afterwards the tables (or the API's answers) are compared with what was accepted. Exit code 1 when a
 * bound of the scenario is broken or data is wrong, 2 when it could not be run to its end.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { spent, statOf } from "./bench/cpu.ts";
import { BENCH_DIR } from "./bench/stack.ts";
import { WrongDataError } from "./bench/tables.ts";
import { MAX_BATCHES, type RunShape } from "./k6/rig.ts";
import { SCENARIOS, step_s } from "./k6/scenarios.ts";
import { runProgram } from "./program.ts";
import { type Checked, checkRun } from "./run/check.ts";
import { findK6 } from "./run/find-k6.ts";
import { judge } from "./run/judge.ts";
import { type K6Run, runK6 } from "./run/k6.ts";
import { rampOf } from "./run/knee.ts";
import { growthOf } from "./run/memory.ts";
import { type LoadOptions, readOptions, USAGE } from "./run/options.ts";
import { passed, report } from "./run/report.ts";
import { type LoadResult, peaksOf, seenByK6, storedOf, type Use } from "./run/result.ts";
import { save } from "./run/save.ts";
import { type OwnProcesses, openTarget, type Target } from "./run/target.ts";
import { Watch } from "./run/watch.ts";

/** What k6 is given and leaves. Kept when the data is wrong, to look into it. */
const FOLDER = join(BENCH_DIR, `load-${process.pid}`);

/** k6 of this run; `use` is null of a service that was given. */
async function sendAll(
  k6: string,
  target: Target,
  { scenario, seconds }: LoadOptions,
  shape: RunShape,
  stop: AbortSignal,
): Promise<{ run: K6Run; use: Use | null }> {
  const { run, start_s } = shape;
  const plan = { ...target.plan, scenario, run, start_s, seconds };
  const start = () => runK6(k6, FOLDER, plan, stop);
  return target.own ? watched(target.own, start) : { run: await start(), use: null };
}

async function watched(own: OwnProcesses, start: () => Promise<K6Run>): Promise<{ run: K6Run; use: Use }> {
  const [, worker] = own.pids;
  const worker_s = () => (worker === undefined ? null : (statOf(worker)?.own ?? null));
  const [before, workerBefore] = [await own.meter.read(), worker_s()];
  const watch = new Watch(own, (line) => console.error(line));
  let run: K6Run;
  try {
    run = await start();
  } finally {
    watch.stop();
  }
  const workerAfter = worker_s();
  const use: Use = {
    cpu: spent(before, await own.meter.read()),
    worker_cpu_s:
      workerBefore === null || workerAfter === null
        ? null
        : Math.round((workerAfter - workerBefore) * 100) / 100,
    ...peaksOf(watch.looks),
    growth: growthOf(watch.looks),
  };
  return { run, use };
}

async function checked(
  target: Target,
  shape: RunShape,
  run: K6Run,
  stop: AbortSignal,
): Promise<Checked | { wrong: string }> {
  const interrupted = new Promise<never>((_, reject) =>
    stop.addEventListener("abort", () => reject(stop.reason)),
  );
  try {
    return await Promise.race([checkRun(target.held(shape), shape, run.sent), interrupted]);
  } catch (error) {
    if (!(error instanceof WrongDataError)) throw error;
    return { wrong: `${error.message}; what k6 sent is in ${FOLDER}` };
  }
}

async function measure(
  k6: string,
  target: Target,
  options: LoadOptions,
  stop: AbortSignal,
): Promise<LoadResult> {
  const { batch, faults, bounds, pace } = SCENARIOS[options.scenario];
  const shape: RunShape = {
    run: crypto.getRandomValues(new Uint32Array(1))[0]!,
    start_s: Math.floor(Date.now() / 1000) - MAX_BATCHES,
    system_id: target.plan.system_id,
    batch,
    faults,
  };
  console.error(`${options.scenario}: ${options.seconds} s with k6 against ${target.what}`);
  const { run, use } = await sendAll(k6, target, options, shape, stop);
  console.error("comparing what is stored with what was accepted");
  const found = await checked(target, shape, run, stop);
  const held = "wrong" in found ? null : found.held;
  const ramp =
    bounds.knee_rows_per_s === undefined || held === null || pace === null
      ? null
      : rampOf({ pace, step_s: step_s(pace, options.seconds), batch }, run.sent, held);
  const stored = held && storedOf(held);
  const { held: _, ...data } = "wrong" in found ? { ...found, held: null } : found;
  return {
    date: new Date().toISOString(),
    scenario: options.scenario,
    seconds: options.seconds,
    target: target.what,
    machine: target.own?.machine ?? null,
    ...seenByK6(run),
    stored,
    use,
    ramp,
    data,
    bounds: judge(bounds, run, { stored, growth: use?.growth ?? null, ramp }),
  };
}

/** @returns the exit code */
async function main(stop: AbortSignal): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env);
  if (!options) {
    process.stdout.write(USAGE);
    return 0;
  }
  const k6 = findK6();
  const target = await openTarget(options);
  let keep = false;
  try {
    stop.throwIfAborted();
    const result = await measure(k6, target, options, stop);
    keep = "wrong" in result.data;
    process.stdout.write(report(result));
    if (options.save) console.error(`saved as load/results/${await save(result)}`);
    return passed(result) ? 0 : 1;
  } finally {
    if (!keep) await rm(FOLDER, { recursive: true, force: true });
    await target.close(keep);
  }
}

await runProgram(main);
