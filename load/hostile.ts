/**
 * `bun run hostile`: hostile requests to a stack of its own. Measures an honest producer, looks at what is kept, sends
 * the requests beside an honest producer, and looks and measures again. Exit code 1 when anything is found, 2 when it
 * could not be run to its end.
 */
import { describeMachine } from "./bench/machine.ts";
import { SYSTEM_ID } from "./bench/stack.ts";
import { checkpoint, untilDrained, untilMirrored, WrongDataError } from "./bench/tables.ts";
import { attack } from "./hostile/attack.ts";
import { type Burden, burdenOf } from "./hostile/burden.ts";
import { complaintsOf } from "./hostile/complaints.ts";
import { LOG_PATH, openRun, type Run } from "./hostile/ground.ts";
import { type Honest, SpeedRuns } from "./hostile/honest.ts";
import { differences, type Kept, whatIsKept } from "./hostile/kept.ts";
import { oddBatches } from "./hostile/odd.ts";
import { type HostileOptions, readOptions, USAGE } from "./hostile/options.ts";
import { startPaced } from "./hostile/paced.ts";
import { report } from "./hostile/report.ts";
import { type HostileResult, isUnharmed, judgeRun, passed } from "./hostile/result.ts";
import { save } from "./hostile/save.ts";
import { showCases } from "./hostile/single.ts";
import { runProgram, untilStopped } from "./program.ts";

/** Connections that were left are let go within the service's own timeouts, ms. */
const REST_DEADLINE_MS = 60_000;
const POLL_MS = 200;

async function quiet({ stack }: Run): Promise<void> {
  await untilDrained(stack.redis);
  await untilMirrored(stack.redis);
}

/** @throws {WrongDataError} unless exactly what the honest producers sent is stored of their system */
async function checkHonest({ stack: { sql } }: Run, honest: Honest): Promise<void> {
  const [row] = await sql<Record<"jobs" | "good" | "rows", number>[]>`
    SELECT count(*)::int AS jobs, count(*) FILTER (WHERE status = 'completed' AND inserted_readings = total_readings)::int AS good,
      (SELECT count(*)::int FROM diagnostics_sensordata WHERE system_id = ${SYSTEM_ID}) AS rows
    FROM diagnostics_ingestion_job WHERE system_id = ${SYSTEM_ID}`;
  const { jobs, rows } = honest;
  if (row?.jobs !== jobs || row.good !== jobs || row.rows !== rows)
    throw new WrongDataError(
      `of the honest system there is ${JSON.stringify(row)}, not ${jobs} jobs and ${rows} rows`,
    );
}

/** What the service holds at rest: it goes down to `level`, or the deadline passes. */
async function atRest(pid: number, level: Burden | null): Promise<Burden | null> {
  const until_ms = performance.now() + REST_DEADLINE_MS;
  for (;;) {
    const burden = burdenOf(pid);
    if (burden === null || level === null || isBack(burden, level)) return burden;
    if (performance.now() > until_ms) return burden;
    await Bun.sleep(POLL_MS);
  }
}

const isBack = (burden: Burden, level: Burden) =>
  burden.descriptors <= level.descriptors &&
  burden.rss_bytes <= level.rss_bytes &&
  burden.threads <= level.threads;

async function kept(run: Run): Promise<Kept> {
  await quiet(run);
  return whatIsKept(run.stack.sql, run.stack.redis, [SYSTEM_ID, run.ground.odd]);
}

async function measure(run: Run, options: HostileOptions): Promise<HostileResult> {
  const { service, stack, ground } = run;
  const { seed, count, speed_rows, speed_runs } = options;
  const speeds = new SpeedRuns(run, speed_rows);
  console.error(`hostile, seed ${seed}: getting warm`);
  await speeds.measure(1);
  const speedBefore = await speeds.measure(speed_runs);
  const before = await kept(run);
  const burdenBefore = await atRest(service.pid, null);
  console.error(`${count} hostile requests beside an honest producer`);
  const stopPaced = startPaced({
    host: service.host,
    port: service.port,
    tokens: service.tokens.slice(1, -1),
  });
  const [attacked, odd] = await Promise.all([
    attack({ port: service.port, ground, seed, count }),
    oddBatches(run, seed, options.odd),
  ]);
  const honest = await stopPaced();
  console.error("looking at what is left");
  const after = await kept(run);
  await checkHonest(run, {
    jobs: speeds.jobs + honest.accepted.jobs,
    rows: speeds.rows + honest.accepted.rows,
  });
  await checkpoint(stack.sql);
  const speedAfter = await speeds.measure(speed_runs, (after) => isUnharmed(speedBefore, after));
  // Behind the same honest work as the look before: what is no longer used was given back by then.
  const burdenAfter = await atRest(service.pid, burdenBefore);
  const found = {
    date: new Date().toISOString(),
    seed,
    count,
    machine: await describeMachine(stack),
    attack: attacked,
    honest,
    odd,
    speed: [speedBefore, speedAfter] as const,
    burden: burdenBefore && burdenAfter ? ([burdenBefore, burdenAfter] as const) : null,
    left: differences(before, after),
    complaints: await complaintsOf(await service.metrics(), LOG_PATH),
    routes: ground.routes.length,
  };
  return { ...found, bounds: judgeRun(found, speed_runs > 1) };
}

/** @returns the exit code */
async function main(stop: AbortSignal): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    process.stdout.write(USAGE);
    return 0;
  }
  const run = await openRun();
  try {
    if (options.only !== null) return await untilStopped(showCases(run, options.seed, options.only), stop);
    const result = await untilStopped(measure(run, options), stop);
    process.stdout.write(report(result));
    if (options.save) console.error(`saved as load/results/${await save(result)}`);
    return passed(result) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof WrongDataError)) throw error;
    console.error(`data: WRONG: ${error.message}`);
    return 1;
  } finally {
    await run.close();
  }
}

await runProgram(main);
