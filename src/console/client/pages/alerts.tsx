/** Systems whose share of quarantined readings passed the limit, now or before. */
import type { AlertView } from "../../../contract/oversight.ts";
import { count, duration, percent } from "../lib/format.ts";
import { useList } from "../lib/resource.ts";
import { queryText, to, useFilters } from "../lib/router.ts";
import { Badge } from "../ui/badge.tsx";
import { ChoiceField, Filters } from "../ui/field.tsx";
import { ListView } from "../ui/list.tsx";
import { PageFrame } from "../ui/page.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";

const STATES = [
  ["open", "Open"],
  ["resolved", "Resolved"],
  ["any", "All"],
] as const;

export function AlertsPage() {
  const [query, change] = useFilters();
  const state = query.get("state") ?? "open";
  const system_id = query.get("system_id");
  const list = useList<AlertView>(`/api/v1/alerts?${queryText({ state, system_id })}`);
  return (
    <PageFrame title="Alerts">
      <section class="panel" aria-label="Alerts">
        <Filters label="Filters of alerts">
          <ChoiceField
            label="State"
            value={state}
            choices={STATES}
            onValue={(value) => change({ state: value })}
          />
        </Filters>
        <ListView
          list={list}
          empty={state === "open" ? "No open alerts" : "No alerts"}
          emptyHint="An alert opens when a system's share of quarantined readings passes its limit."
        >
          {(alerts) => <AlertTable alerts={alerts} />}
        </ListView>
      </section>
    </PageFrame>
  );
}

const BRIEF: readonly Column<AlertView>[] = [
  {
    label: "System",
    cell: ({ system_id, system_name }) => (
      <a href={to("/quarantine", { system_id })}>{system_name ?? system_id}</a>
    ),
  },
  {
    label: "Share",
    figures: true,
    cell: ({ share, limit }) => (
      <>
        <strong class={share > limit ? "bad" : undefined}>{percent(share)}</strong>{" "}
        <span class="muted small">limit {percent(limit)}</span>
      </>
    ),
  },
  { label: "Raised", cell: ({ raised_at }) => <Time at={raised_at} /> },
];
const MORE: readonly Column<AlertView>[] = [
  {
    label: "State",
    cell: ({ resolved_at }) =>
      resolved_at ? <Badge tone="good">resolved</Badge> : <Badge tone="bad">open</Badge>,
  },
  { label: "Peak", figures: true, cell: ({ peak_share }) => percent(peak_share) },
  {
    label: "Quarantined",
    figures: true,
    cell: ({ quarantined, readings }) => `${count(quarantined)} of ${count(readings)}`,
  },
  { label: "Window", figures: true, cell: ({ window_s }) => duration(window_s * 1000) },
  { label: "Resolved", cell: ({ resolved_at }) => <Time at={resolved_at} /> },
];

export const AlertTable = ({ alerts, brief = false }: { alerts: readonly AlertView[]; brief?: boolean }) => (
  <Table label="Alerts" rows={alerts} keyOf={({ id }) => id} columns={brief ? BRIEF : [...BRIEF, ...MORE]} />
);
