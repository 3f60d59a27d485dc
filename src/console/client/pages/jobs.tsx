/** Jobs, newest first, with filters in the address. */
import { useState } from "preact/hooks";
import type { JobView } from "../../../contract/job.ts";
import { useIsReader } from "../lib/access.ts";
import { useList } from "../lib/list.ts";
import { useSystemList } from "../lib/names.ts";
import { navigate, queryText, to, useFilters } from "../lib/router.ts";
import { Exports } from "../ui/exports.tsx";
import { ChoiceField, Filters, TextField } from "../ui/field.tsx";
import { ListView } from "../ui/list.tsx";
import { MomentFilter } from "../ui/moment.tsx";
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
  const [query] = useFilters();
  const isReader = useIsReader();
  const end = query.get("to");
  const filters = {
    status: query.get("status") ?? "",
    system_id: query.get("system_id") ?? "",
    from: query.get("from") ?? dayBegin(end),
    to: end,
  };
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
        <JobFilters />
        <ListView
          list={list}
          empty="No jobs"
          clear={query.size > 0 ? to("/jobs") : null}
          emptyHint={
            isReader
              ? `No batch came in the last ${DAYS} days. For older jobs, set From.`
              : `You sent no batch in the last ${DAYS} days. For older jobs, set From.`
          }
        >
          {(jobs) => <JobTable jobs={jobs} full />}
        </ListView>
      </section>
    </PageFrame>
  );
}

function JobFilters() {
  const [query, change] = useFilters();
  const systems = useSystemList();
  return (
    <Filters label="Filters of jobs">
      <ChoiceField
        label="State"
        value={query.get("status") ?? ""}
        choices={STATES}
        onValue={(value) => change({ status: value })}
      />
      <ChoiceField
        label="System"
        value={query.get("system_id") ?? ""}
        choices={[["", "All"], ...systems.map(({ id, name }) => [id, name] as const)]}
        onValue={(value) => change({ system_id: value })}
      />
      <div class="pair">
        <MomentFilter label="From" name="from" />
        <MomentFilter label="To" name="to" />
      </div>
      <JobById />
    </Filters>
  );
}

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Leads to a job whose id stands in somebody's log. */
function JobById() {
  const [id, setId] = useState("");
  const given = id.trim();
  const open = (event: Event) => {
    event.preventDefault();
    if (UUID.test(given)) navigate(to(`/jobs/${given.toLowerCase()}`));
  };
  const isWrong = given !== "" && !UUID.test(given);
  return (
    <form class="pair" onSubmit={open}>
      <TextField
        label="Job id, then Enter"
        value={id}
        onValue={setId}
        {...(isWrong ? { hint: "A whole UUID" } : {})}
      />
    </form>
  );
}

/** A whole day in UTC, so that the address of the list stays the same while the page is open. */
function dayBegin(to: string | null): string {
  const end = to ? new Date(to) : new Date();
  const at = new Date(end.getTime() - DAYS * 86_400_000);
  return `${at.toISOString().slice(0, 10)}T00:00:00Z`;
}
