/**
 * `bun run bench:review`: how long do the lists of the quarantine take with a million readings in it, and how long
 * does a decision about a million?
 *
 * The lists are asked over HTTP, one request at a time, of a service over a database that was filled through the
 * service's tables. A task runs in a service of its own, which is killed with SIGKILL halfway and started again; then
 * every reading must be decided on, and stored, once. A list over the target, or wrong data, ends the benchmark with
 * exit code 1.
 */
import { join } from "node:path";
import { detectEdition } from "../src/store/edition.ts";
import type { Sql } from "../src/store/pool.ts";
import { describeMachine } from "./bench/machine.ts";
import { dropDatabase, ownUrl } from "./bench/own-database.ts";
import { type Service, startService } from "./bench/service.ts";
import { runProgram } from "./program.ts";
import { openServices, type QueryServices, REVIEW_DIR } from "./queries/services.ts";
import { withDeadLetters } from "./review/dead-letters.ts";
import {
  fillLists,
  fillMore,
  fillTasks,
  LIMITED,
  LISTS,
  TASKS,
  USER,
  withSql,
} from "./review/filled-database.ts";
import { type Measured, measure } from "./review/measure.ts";
import { type ReviewBenchOptions, readOptions, USAGE } from "./review/options.ts";
import { SYSTEMS, systemId } from "./review/quarantine-data.ts";
import { QUESTIONS } from "./review/questions.ts";
import { missed, type ReviewResult, report, save } from "./review/report.ts";
import { findSubjects } from "./review/subjects.ts";
import { runTask, type TaskResult } from "./review/task.ts";

const serviceOver = (
  databaseUrl: string,
  { redisUrl }: QueryServices,
  name: string,
  others: readonly string[] = [],
): Promise<Service> =>
  startService({ databaseUrl, redisUrl }, undefined, {
    role: "all",
    logPath: join(REVIEW_DIR, `service-${name}.log`),
    users: [USER, ...others],
  });

async function runLists(
  services: QueryServices,
  { rows, requests, match, keep }: ReviewBenchOptions,
  stop: AbortSignal,
): Promise<Measured[]> {
  const url = await fillLists(services.databaseUrl, rows, keep, stop);
  const service = await serviceOver(url, services, "lists", Object.keys(LIMITED));
  try {
    const [token = "", rig = "", empty = ""] = service.tokens;
    const asked = { origin: `http://${service.host}:${service.port}`, token };
    const questions = QUESTIONS.filter(({ name }) => match === null || name.includes(match));
    return await withDeadLetters(services.redis, systemId(SYSTEMS), async (letters) => {
      const subjects = await withSql(url, (sql) => findSubjects(sql, systemId(1), letters));
      return measure({ ...asked, limited: { rig, empty } }, questions, subjects, requests, stop);
    });
  } finally {
    await service.stop();
  }
}

async function runTasks(
  services: QueryServices,
  { rows, parts }: ReviewBenchOptions,
  stop: AbortSignal,
): Promise<TaskResult[]> {
  const url = await fillTasks(services.databaseUrl, rows, stop);
  const start = () => serviceOver(url, services, "tasks");
  const results: TaskResult[] = [];
  const run = (action: "approve" | "reject", reason: "out_of_range" | "invalid_unit") =>
    withSql(url, (sql) => runTask(start, sql, { action, reason, rows }, stop));
  if (parts.includes("approve")) results.push(await run("approve", "out_of_range"));
  if (parts.includes("reject")) {
    await fillMore(url, rows, stop);
    results.push(await run("reject", "invalid_unit"));
  }
  return results;
}

async function runAll(
  services: QueryServices,
  options: ReviewBenchOptions,
  stop: AbortSignal,
): Promise<ReviewResult> {
  const lists = options.parts.includes("lists") ? await runLists(services, options, stop) : [];
  const withTasks = options.parts.some((part) => part !== "lists");
  const tasks = withTasks ? await runTasks(services, options, stop) : [];
  const any = ownUrl(services.databaseUrl, withTasks ? TASKS : LISTS);
  return withSql(any, async (sql) => ({
    date: new Date().toISOString(),
    machine: await describeMachine({ sql, redis: services.redis }),
    edition: await detectEdition(sql as unknown as Sql),
    rows: options.rows,
    requests: options.requests,
    lists,
    tasks,
  }));
}

/** @returns the exit code */
async function main(stop: AbortSignal): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    process.stdout.write(USAGE);
    return 0;
  }
  const services = await openServices(REVIEW_DIR);
  try {
    const result = await runAll(services, options, stop);
    process.stdout.write(report(result));
    if (options.save) console.error(`saved as load/results/${await save(result, options.parts)}`);
    return missed(result).length === 0 ? 0 : 1;
  } finally {
    await dropDatabase(services.databaseUrl, TASKS);
    if (!options.keep) await dropDatabase(services.databaseUrl, LISTS);
    await services.close();
  }
}

await runProgram(main);
