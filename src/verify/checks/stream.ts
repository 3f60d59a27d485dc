/** The backlog, dead letters, and the ledger of jobs. */
import { inspectLedger } from "../../store/inspect/ledger.ts";
import { StreamHealth } from "../../stream/health.ts";
import { type Check, NO_REDIS, withHypertable } from "../context.ts";
import { failed, ok, warn } from "../finding.ts";
import { bytes, plural, whole } from "../format.ts";

export const backlog: Check = {
  name: "backlog",
  async run({ redis, expected }) {
    if (redis instanceof Error) return warn("not known without Redis", NO_REDIS);
    const state = await new StreamHealth(redis, expected.bounds).look();
    const text = `${plural(state.entries, "batch").replace("batchs", "batches")} waiting (${bytes(state.bytes)}), ${whole(state.pending)} in work, ${plural(state.dead_letters, "dead letter")}`;
    const figures = { ...state };
    if (state.full)
      return failed(
        `${text}; a bound is reached, new batches are refused`,
        "Add workers, or find what stops them",
        figures,
      );
    if (state.dead_letters > 0)
      return warn(text, "hydraulic replay lists them and brings them back", figures);
    return ok(text, figures);
  },
};

export const ledger = withHypertable("ledger", async ({ database }) => {
  const { day, stuck, lost, newest_lost, checked, wrong } = await inspectLedger(database);
  const figures = {
    ...prefixed(day),
    stuck_jobs: stuck,
    lost_jobs: lost,
    newest_lost_jobs: newest_lost,
    checked_jobs: checked,
    wrong_jobs: wrong,
  };
  const recent = Object.entries(day).map(([status, jobs]) => `${whole(jobs)} ${status}`);
  const text = `last 24 h: ${recent.join(", ") || "no jobs"}; ${plural(checked, "newest job")} accounted for`;
  if (wrong.length > 0)
    return failed(
      `quarantine does not hold what ${wrong.join(", ")} counted`,
      "Report it: the service never does this; somebody deleted rows",
      figures,
    );
  if (lost > 0)
    return warn(
      `${text}; ${plural(lost, "job")} lost with Redis in 7 days: ${newest_lost.join(", ")}${lost > newest_lost.length ? ", …" : ""}`,
      "GET /api/v1/jobs?lost=true lists them; their producers send them again (docs/operate.md, HydraulicJobsLost)",
      figures,
    );
  if (stuck > 0)
    return warn(
      `${text}; ${plural(stuck, "job")} unfinished for over an hour`,
      "Is a worker running?",
      figures,
    );
  return ok(text, figures);
});

const prefixed = (day: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(day).map(([status, jobs]) => [`last_day_${status}_jobs`, jobs]));
