/** Jobs, newest first, with filters in the address. */
import type { JobView } from "../../../contract/job.ts";
import { useIsReader } from "../lib/access.ts";
import { useList } from "../lib/list.ts";
import { useSystemList } from "../lib/names.ts";
import { queryText, to, useFilters } from "../lib/router.ts";
import { Exports } from "../ui/exports.tsx";
import { ChoiceField, Filters, Moment } from "../ui/field.tsx";
import { ListView } from "../ui/list.tsx";
import { PageFrame } from "../ui/page.tsx";
import { JobTable } from "./job-table.tsx";

const STATES = [
  ["", "All"],
  ["queued", "Queued"],
  ["processing", "Processing"],
  ["completed", "Completed"],
  ["failed", "Failed"],
] as const;
/** Without a begin the API looks at one day only; people look for older jobs than that. */
const DAYS = 30;

export function JobsPage() {
  const [query, change] = useFilters();
  const systems = useSystemList();
  const isReader = useIsReader();
  const status = query.get("status") ?? "";
  const system_id = query.get("system_id") ?? "";
  const end = query.get("to");
  const from = query.get("from") ?? dayBegin(end);
  const filters = { status, system_id, from, to: end };
  const list = useList<JobView>(`/api/v1/jobs?${queryText({ ...filters, limit: "50" })}`);
  const side = (
    <>
      {isReader ? null : <span class="muted small">those that you sent</span>}
      <Exports of="/api/v1/jobs" query={queryText(filters)} />
    </>
  );
  return (
    <PageFrame title="Jobs" side={side}>
      <section class="panel" aria-label="Jobs">
        <Filters label="Filters of jobs">
          <ChoiceField
            label="State"
            value={status}
            choices={STATES}
            onValue={(value) => change({ status: value })}
          />
          <ChoiceField
            label="System"
            value={system_id}
            choices={[["", "All"], ...systems.map(({ id, name }) => [id, name] as const)]}
            onValue={(value) => change({ system_id: value })}
          />
          <div class="pair">
            <Moment label="From" value={query.get("from")} onValue={(value) => change({ from: value })} />
            <Moment label="To" value={end} onValue={(value) => change({ to: value })} />
          </div>
        </Filters>
        <ListView
          list={list}
          empty="No jobs"
          clear={query.size > 0 ? to("/jobs") : null}
          emptyHint={
            query.size > 0
              ? "Nothing fits these filters."
              : isReader
                ? `No batch came in the last ${DAYS} days.`
                : `You sent no batch in the last ${DAYS} days.`
          }
        >
          {(jobs) => <JobTable jobs={jobs} full />}
        </ListView>
      </section>
    </PageFrame>
  );
}

/** A whole day in UTC, so that the address of the list stays the same while the page is open. */
function dayBegin(to: string | null): string {
  const end = to ? new Date(to) : new Date();
  const at = new Date(end.getTime() - DAYS * 86_400_000);
  return `${at.toISOString().slice(0, 10)}T00:00:00Z`;
}
