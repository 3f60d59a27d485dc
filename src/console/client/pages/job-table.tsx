/** Jobs in a table, for the list and the overview. */
import type { JobView } from "../../../contract/job.ts";
import { duration, percent, shortId } from "../lib/format.ts";
import { useSystemNames } from "../lib/names.ts";
import { to } from "../lib/router.ts";
import { StateBadge } from "../ui/badge.tsx";
import { Count } from "../ui/count.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";

export function JobTable({ jobs, full = false }: { jobs: readonly JobView[]; full?: boolean }) {
  const nameOf = useSystemNames();
  const columns: Column<JobView>[] = [
    {
      label: "Job",
      cell: ({ job_id }) => (
        <a class="mono nowrap" href={to(`/jobs/${job_id}`)} title={job_id}>
          {shortId(job_id)}
        </a>
      ),
    },
    { label: "State", cell: ({ status }) => <StateBadge state={status} /> },
    {
      label: "System",
      cell: ({ system_id }) => <a href={to(`/systems/${system_id}`)}>{nameOf(system_id)}</a>,
    },
    { label: "Received", cell: ({ created_at }) => <Time at={created_at} relative={!full} /> },
    { label: "Readings", figures: true, cell: (job) => <Count of={job.total_readings} /> },
  ];
  const more: Column<JobView>[] = [
    { label: "Stored", figures: true, cell: (job) => <Count of={job.inserted_readings} /> },
    { label: "Duplicate", figures: true, cell: (job) => <Count of={job.duplicate_readings} /> },
    { label: "Quarantined", figures: true, cell: (job) => <Count of={job.quarantined_readings} warn /> },
    { label: "Took", figures: true, cell: (job) => duration(job.processing_time_ms) },
    {
      label: "Good",
      figures: true,
      cell: ({ success_rate }) => percent(success_rate == null ? null : success_rate / 100),
    },
  ];
  const shown = full ? [...columns, ...more] : [...columns, more[2]!];
  return <Table label="Jobs" columns={shown} rows={jobs} keyOf={({ job_id }) => job_id} />;
}
