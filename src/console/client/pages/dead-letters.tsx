/** Batches that could not be processed, with their payload kept. */
import type { DeadLetterView } from "../../../contract/oversight.ts";
import { bytes, count, shortId } from "../lib/format.ts";
import { useList } from "../lib/list.ts";
import { useSystemNames } from "../lib/names.ts";
import { to } from "../lib/router.ts";
import { Exports } from "../ui/exports.tsx";
import { ListView } from "../ui/list.tsx";
import { PageFrame } from "../ui/page.tsx";
import { Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";

export function DeadLettersPage() {
  const list = useList<DeadLetterView>("/api/v1/dead-letters?limit=50");
  return (
    <PageFrame
      title="Dead letters"
      side={<Exports of="/api/v1/dead-letters" query="" what="All dead letters" />}
    >
      <section class="panel" aria-label="Dead letters">
        <ListView
          list={list}
          empty="No dead letters"
          emptyHint="Every batch could be processed: there is nothing to do."
        >
          {(letters) => <DeadLetterTable letters={letters} />}
        </ListView>
      </section>
    </PageFrame>
  );
}

function DeadLetterTable({ letters }: { letters: readonly DeadLetterView[] }) {
  const nameOf = useSystemNames();
  return (
    <Table
      label="Dead letters"
      rows={letters}
      keyOf={({ id }) => id}
      columns={[
        {
          label: "Entry",
          cell: ({ id }) => (
            <a class="mono nowrap" href={to(`/dead-letters/${id}`)}>
              {id}
            </a>
          ),
        },
        { label: "Buried", cell: ({ buried_at }) => <Time at={buried_at} /> },
        { label: "Why", wide: true, cell: ({ reason }) => reason },
        {
          label: "Job",
          cell: ({ job }) =>
            job ? (
              <a class="mono nowrap" href={to(`/jobs/${job.job_id}`)} title={job.job_id}>
                {shortId(job.job_id)}
              </a>
            ) : (
              <span class="muted">unknown</span>
            ),
        },
        { label: "System", name: true, cell: ({ job }) => (job ? nameOf(job.system_id) : "–") },
        { label: "Readings", figures: true, cell: ({ job }) => count(job?.total_readings) },
        { label: "Size", figures: true, cell: ({ size_bytes }) => bytes(size_bytes) },
      ]}
    />
  );
}
