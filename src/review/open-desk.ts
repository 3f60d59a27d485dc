/** A review desk over connections of its own. */
import { DEFAULT_MAX_FUTURE_MS, DEFAULT_MAX_PAST_YEARS } from "../contract/rules.ts";
import { systemClock } from "../ops/clock.ts";
import type { Database } from "../store/pool.ts";
import { RegistryReader } from "../store/registry.ts";
import { ReviewHoldings } from "../store/review/holdings.ts";
import { ReviewReadings } from "../store/review/readings.ts";
import { ReviewTaskStore } from "../store/review/tasks.ts";
import { Writer } from "../store/writer/writer.ts";
import { type DeskDeps, ReviewDesk } from "./desk.ts";
import type { ReviewRules } from "./judge.ts";

export interface OpenDesk {
  readonly desk: ReviewDesk;
  readonly tasks: ReviewTaskStore;
  close(): Promise<void>;
}

const WRITE_DEADLINE_MS = 60_000;

/** @param name of the writer's session, at most 63 bytes */
export function openDesk(
  database: Database,
  name: string,
  rules: Pick<ReviewRules, "units" | "registration">,
  onOutcome: DeskDeps["onOutcome"],
  clock = systemClock,
): OpenDesk {
  const tasks = new ReviewTaskStore(database);
  const writer = new Writer(
    { url: database.url, application_name: name.slice(-63), deadline_ms: WRITE_DEADLINE_MS },
    clock.now_ms,
  );
  const desk = new ReviewDesk({
    readings: new ReviewReadings(database),
    holdings: new ReviewHoldings(database),
    tasks,
    registry: new RegistryReader(database),
    writer,
    rules: { ...rules, maxFuture_ms: DEFAULT_MAX_FUTURE_MS, maxPast_years: DEFAULT_MAX_PAST_YEARS },
    clock,
    onOutcome,
  });
  return { desk, tasks, close: () => writer.close() };
}
