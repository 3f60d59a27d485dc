/** All checks, one after the other: together they would measure each other. */
import { classify, isDropRace, sqlState } from "../store/errors.ts";
import { inspectHypertable } from "../store/inspect/hypertable.ts";
import { inspectServer } from "../store/inspect/server.ts";
import { StreamUnavailableError } from "../stream/connection.ts";
import { accounts } from "./checks/accounts.ts";
import { agreement, freshness } from "./checks/hourly.ts";
import { chunkInterval, compression, hypertable, retention } from "./checks/lifecycle.ts";
import { rangePlan } from "./checks/plan.ts";
import { record } from "./checks/record.ts";
import { redis } from "./checks/redis.ts";
import { indexes, migrations } from "./checks/schema.ts";
import { clock, extension, settings } from "./checks/server.ts";
import { disk } from "./checks/storage.ts";
import { backlog, ledger } from "./checks/stream.ts";
import type { Check, Surveyed, VerifyContext } from "./context.ts";
import { type Finding, failed, type NamedFinding } from "./finding.ts";

const ATTEMPTS = 3;

/** In the order of the table. */
export const CHECKS: readonly Check[] = [
  extension,
  migrations,
  settings,
  hypertable,
  chunkInterval,
  indexes,
  compression,
  retention,
  freshness,
  agreement,
  rangePlan,
  ledger,
  record,
  redis,
  backlog,
  clock,
  disk,
  accounts,
];

/**
 * Run the checks. Nothing is changed.
 * @param each told as each is done
 * @throws the reason of `context.stop`
 * @throws {StoreUnavailableError} when the database cannot be reached at all
 */
export async function verify(
  context: VerifyContext,
  each: (finding: NamedFinding) => void = () => undefined,
): Promise<NamedFinding[]> {
  const findings: NamedFinding[] = [];
  const surveyed = await survey(context);
  if ("verdict" in surveyed) {
    const finding = { check: extension.name, ...surveyed };
    each(finding);
    return [finding];
  }
  for (const check of CHECKS) {
    context.stop?.throwIfAborted();
    const finding = { check: check.name, ...(await guarded(check, context, surveyed)) };
    findings.push(finding);
    each(finding);
  }
  return findings;
}

/** What all checks build upon; a finding when the server cannot even say that (a library that is missing). */
async function survey({ database }: VerifyContext): Promise<Surveyed | Finding> {
  try {
    const server = await inspectServer(database);
    return { server, hypertable: server.timescaledb ? await inspectHypertable(database) : null };
  } catch (error) {
    const sqlstate = sqlState(error);
    if (sqlstate === undefined) throw error;
    return failed(`PostgreSQL refuses: ${(error as Error).message}`, "Run: hydraulic migrate", { sqlstate });
  }
}

/** A question that the services cannot answer is a failed check; any other error is a mistake of the program. */
async function guarded(check: Check, context: VerifyContext, surveyed: Surveyed): Promise<Finding> {
  try {
    return await unlessDropped(() => check.run(context, surveyed));
  } catch (error) {
    const answered = sqlState(error);
    const expected =
      answered !== undefined || classify(error) === "unavailable" || error instanceof StreamUnavailableError;
    if (!expected) throw error;
    return failed(`could not be checked: ${(error as Error).message}`, "Mend what stands above it first", {
      sqlstate: answered ?? null,
    });
  }
}

/** Again while chunks are dropped in the middle of it: the next attempt does not see them any more. */
async function unlessDropped(run: () => Promise<Finding>): Promise<Finding> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (!isDropRace(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}
