/** The ingest threads of every process, from their heartbeats. */
import type { WorkerView } from "../../../contract/oversight.ts";
import { duration } from "../lib/format.ts";
import { useResource } from "../lib/resource.ts";
import type { Page } from "../types.ts";
import { StateBadge } from "../ui/badge.tsx";
import { Count } from "../ui/count.tsx";
import { PageFrame } from "../ui/page.tsx";
import { Empty, Shown } from "../ui/states.tsx";
import { type Column, Table } from "../ui/table.tsx";

const REFRESH_MS = 2_000;

export function WorkersPage() {
  const workers = useResource<Page<WorkerView>>("/api/v1/workers", REFRESH_MS);
  return (
    <PageFrame title="Workers" side={<span class="muted small">updated every {REFRESH_MS / 1000} s</span>}>
      <section class="panel" aria-label="Workers">
        <Shown of={workers}>
          {({ items }) =>
            items.length > 0 ? (
              <WorkerTable workers={items} />
            ) : (
              <Empty title="No worker is running">
                Accepted batches wait in the backlog until one starts: <code>hydraulic start worker</code>.
              </Empty>
            )
          }
        </Shown>
      </section>
    </PageFrame>
  );
}

export function WorkerTable({ workers, brief = false }: { workers: readonly WorkerView[]; brief?: boolean }) {
  const columns: Column<WorkerView>[] = [
    { label: "Worker", wide: true, cell: ({ name }) => <span class="mono">{name}</span> },
    { label: "State", cell: ({ state }) => <StateBadge state={state} /> },
    { label: "Heartbeat", figures: true, cell: ({ heartbeat_age_ms }) => duration(heartbeat_age_ms) },
    { label: "Restarts", figures: true, cell: ({ restarts }) => <Count of={restarts} warn /> },
  ];
  const more: Column<WorkerView>[] = [
    { label: "Process", cell: ({ process }) => <span class="mono">{process}</span> },
    { label: "In hand", figures: true, cell: ({ in_hand }) => <Count of={in_hand} /> },
  ];
  return (
    <Table
      label="Workers"
      rows={workers}
      keyOf={({ name }) => name}
      columns={brief ? columns : [...columns, ...more]}
    />
  );
}
