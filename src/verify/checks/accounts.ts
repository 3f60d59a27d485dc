/** Is stored what the jobs and decisions of all time add up to? The only check that reads everything. */
import { type Detail, detailOf } from "../../store/inspect/accounts-detail.ts";
import { Snapshot } from "../../store/inspect/snapshot.ts";
import { type Asked, type Look, look, type Step, type TimeRange } from "../accounts/look.ts";
import type { Difference } from "../accounts/reckoning.ts";
import { type VerifyContext, withHypertable } from "../context.ts";
import { type Finding, failed, notAvailable, ok, warn } from "../finding.ts";
import { plural, whole } from "../format.ts";

const DAY_MS = 86_400_000;
const STATEMENT_MS = 30_000;
/**
 * Compressing a chunk moves rows out of sight of older snapshots, and one that is dropped is gone for all of them: what
 * differs is looked at again, as of a later moment, before it is told.
 */
const LOOKS = 3;
/** Differences that are told with all that can be found out, and those that are listed. */
const EXPLAINED = 3;
const LISTED = 50;
const QUIET_MS = 3_000;

export const accounts = withHypertable("accounts", async (context) => {
  if (!context.accounts) return notAvailable("left out: --no-accounts");
  const step = steps(context);
  const keep_ms = context.clock.now_ms() - context.expected.retention_days * DAY_MS;
  const { since_ms } = context.accounts;
  let only: readonly TimeRange[] | null = null;
  let first: Look | null = null;
  for (let n = 1; ; n += 1) {
    const moment = await Snapshot.take(context.database, STATEMENT_MS);
    try {
      const seen = await look(moment, { keep_ms, since_ms, only } satisfies Asked, step);
      first ??= seen;
      const { differences } = seen;
      if (differences.length > 0 && n < LOOKS) {
        only = differences.map((one) => rangeOf(one, seen));
        continue;
      }
      const told: Told[] = [];
      for (const [at, one] of differences.slice(0, LISTED).entries())
        told.push(await tell(moment, one, seen, at < EXPLAINED));
      return judge(first, seen, told, context);
    } finally {
      await moment.close();
    }
  }
});

/** Says what goes on, now and then, when it takes long. */
function steps({ clock, progress, stop }: VerifyContext): Step {
  let said_ms = clock.monotonic_ms();
  return (text) => {
    stop?.throwIfAborted();
    if (clock.monotonic_ms() - said_ms < QUIET_MS) return;
    said_ms = clock.monotonic_ms();
    progress?.(`accounts: ${text}`);
  };
}

/** From the first to the last chunk of a difference; ends of the axis are those of the chunks. */
function rangeOf({ from_slot, to_slot }: Difference, { slots }: Look): TimeRange {
  const kept = slots.slice(from_slot, to_slot + 1).filter(({ kind }) => kind === "kept");
  return { from_ms: kept[0]?.from_ms ?? 0, to_ms: kept.at(-1)?.to_ms ?? 0 };
}

interface Told {
  readonly text: string;
  readonly command: string;
}

const iso = (ms: number) => new Date(ms).toISOString().replace(".000Z", "Z");

async function tell(moment: Snapshot, one: Difference, seen: Look, explain: boolean): Promise<Told> {
  const range = rangeOf(one, seen);
  const [from, to] = [iso(range.from_ms), iso(range.to_ms)] as const;
  const { system_id } = one;
  const detail = explain ? await detailOf(moment, { system_id, from, to }) : null;
  const books = one.least === one.most ? whole(one.most) : `${whole(one.least)} to ${whole(one.most)}`;
  const where = `system ${system_id}, ${from} to ${to}`;
  return {
    text: `${where}: ${whole(one.stored)} stored, ${books} by its ${plural(one.jobs, "job")}${detail ? explained(detail) : ""}`,
    command: `psql "$DATABASE_URL" -c "SELECT id, created_at, inserted_readings, oldest_reading_at, newest_reading_at FROM diagnostics_ingestion_job WHERE system_id = '${system_id}' AND inserted_readings > 0 AND newest_reading_at >= '${from}' AND oldest_reading_at < '${to}' ORDER BY created_at"`,
  };
}

function explained({ sensors, decided, jobs }: Detail): string {
  const parts = [
    ...sensors.map(
      ({ sensor_id, from, to, stored, aggregated }) =>
        `sensor ${sensor_id}, ${from} to ${to}: ${whole(stored)} stored, ${whole(aggregated)} in the hourly aggregate`,
    ),
    ...decided.map(
      ({ reading_id, sensor_id, at, what }) =>
        `sensor ${sensor_id} at ${at}: quarantined reading ${reading_id} was ${what === "not there" ? "decided to be stored and is not there" : "taken back and is there"}`,
    ),
    ...(jobs.length > 0
      ? [`jobs ${jobs.map(({ id, inserted }) => `${id} (${whole(inserted)})`).join(", ")}`]
      : []),
  ];
  return parts.length > 0 ? ` [${parts.join("; ")}]` : "";
}

function judge(first: Look, last: Look, told: readonly Told[], context: VerifyContext): Finding {
  const { dropped, counters } = last;
  const figures = {
    stored: first.stored,
    by_the_books: first.expected,
    uncertain: first.uncertain,
    counted_chunks: first.counted,
    uncounted_chunks: first.uncounted,
    dropped_before: dropped.before,
    dropped_between: dropped.between,
    reviews: first.reviewed,
    differences: told.map(({ text }) => text),
    wrong_counters: counters.slice(0, LISTED),
  };
  const wrong = [
    ...told.slice(0, EXPLAINED).map(({ text }) => text),
    ...(last.differences.length > EXPLAINED ? [`and ${last.differences.length - EXPLAINED} more`] : []),
    ...counters.slice(0, EXPLAINED),
    ...(counters.length > EXPLAINED ? [`and ${counters.length - EXPLAINED} more counters`] : []),
    ...(dropped.between > 0
      ? [`${plural(dropped.between, "reading")} of jobs lie where no chunk is, and older ones are there`]
      : []),
  ];
  if (wrong.length > 0)
    return failed(
      wrong.join(" | "),
      `docs/verify.md, "When accounts differ"${told[0] ? `; its jobs: ${told[0].command}` : ""}`,
      figures,
    );
  if (first.counted === 0 && first.expected === 0 && dropped.before === 0 && first.uncounted === 0)
    return notAvailable("there are no readings to count", figures);
  return judgeLesser(first, dropped.before, figures, context);
}

function judgeLesser(
  first: Look,
  dropped: number,
  figures: Finding["figures"],
  { expected }: VerifyContext,
): Finding {
  const open =
    first.uncertain > 0
      ? `; ${whole(first.uncertain)} of jobs that reach into dropped time are taken on trust`
      : "";
  const text = `${plural(first.stored, "reading")} in ${plural(first.counted, "chunk")}, as jobs inserted and decisions took out${open}`;
  if (first.uncounted > 0)
    return warn(
      `${text}; ${plural(first.uncounted, "chunk")} took over ${STATEMENT_MS / 1000} s for one sensor and ${first.uncounted === 1 ? "was" : "were"} not counted`,
      "Ask again when the server has less to do",
      figures,
    );
  if (dropped > 0)
    return warn(
      `${text}; ${plural(dropped, "reading")} before the oldest chunk are gone, though RETENTION_DAYS=${expected.retention_days} keeps them`,
      "If chunks were dropped by hand, or RETENTION_DAYS was less before: --since TIME compares from then on",
      figures,
    );
  return ok(text, figures);
}
