/** Systems whose share of quarantined readings passed the limit, now or before. */
import { useState } from "preact/hooks";
import type { AlertView } from "../../../contract/alert.ts";
import { count, countOf, duration, percent } from "../lib/format.ts";
import { useList } from "../lib/list.ts";
import { queryText, to, useFilters } from "../lib/router.ts";
import { Badge } from "../ui/badge.tsx";
import { Exports } from "../ui/exports.tsx";
import { ChoiceField, Filters } from "../ui/field.tsx";
import { ListView } from "../ui/list.tsx";
import { PageFrame } from "../ui/page.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Time } from "../ui/time.tsx";
import { AcknowledgeDialog } from "./acknowledge.tsx";

const STATES = [
  ["open", "Open"],
  ["resolved", "Resolved"],
  ["any", "All"],
] as const;

export function AlertsPage() {
  const [query, change] = useFilters();
  const state = query.get("state") ?? "open";
  const system_id = query.get("system_id");
  const [chosen, setChosen] = useState<AlertView | null>(null);
  const filters = queryText({ state, system_id });
  const list = useList<AlertView>(`/api/v1/alerts?${filters}`);
  return (
    <PageFrame title="Alerts" side={<Exports of="/api/v1/alerts" query={filters} />}>
      <section class="panel" aria-label="Alerts">
        <Filters label="Filters of alerts">
          <ChoiceField
            label="State"
            value={state}
            choices={STATES}
            onValue={(value) => change({ state: value })}
          />
          {system_id ? (
            <a class="button" href={to("/alerts", { state })}>
              Of all systems
            </a>
          ) : null}
        </Filters>
        <ListView
          list={list}
          empty={state === "open" ? "No open alerts" : "No alerts"}
          emptyHint="An alert opens when a system's share of quarantined readings passes its limit. Limits are set on the page of the system."
        >
          {(alerts) => <AlertTable alerts={alerts} onAcknowledge={setChosen} />}
        </ListView>
      </section>
      {chosen ? (
        <AcknowledgeDialog alert={chosen} onDone={list.reload} onClose={() => setChosen(null)} />
      ) : null}
    </PageFrame>
  );
}

const systemOf = ({ system_id, system_name }: AlertView) => (
  <a href={to("/quarantine", { system_id })}>{system_name ?? system_id}</a>
);
const SYSTEM: Column<AlertView> = { label: "System", cell: systemOf };
/** Where nothing else says who looks into it. */
const SYSTEM_AND_WHO: Column<AlertView> = {
  ...SYSTEM,
  cell: (alert) => (
    <div class="stack">
      {systemOf(alert)}
      {alert.acknowledged_by ? <span class="muted small">{alert.acknowledged_by} looks into it</span> : null}
    </div>
  ),
};
const FIGURES: readonly Column<AlertView>[] = [
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
    cell: ({ resolved_at, back_since }) =>
      resolved_at ? (
        <Badge tone="good">resolved</Badge>
      ) : (
        <Badge tone={back_since ? "warn" : "bad"}>{back_since ? "open, share is back" : "open"}</Badge>
      ),
  },
  { label: "Peak", figures: true, cell: ({ peak_share }) => percent(peak_share) },
  {
    label: "Quarantined",
    figures: true,
    cell: ({ quarantined, readings }) => `${count(quarantined)} of ${count(readings)}`,
  },
  {
    label: "Window",
    figures: true,
    cell: ({ window_s, min_readings }) => (
      <div class="stack">
        {duration(window_s * 1000)}
        {min_readings === null ? null : (
          <span class="muted small">from {countOf(min_readings, "reading")} on</span>
        )}
      </div>
    ),
  },
  { label: "Resolved", cell: ({ resolved_at }) => <Time at={resolved_at} /> },
];

interface AlertTableProps {
  readonly alerts: readonly AlertView[];
  /** Without it the table is brief. */
  readonly onAcknowledge?: (alert: AlertView) => void;
}

export const AlertTable = ({ alerts, onAcknowledge }: AlertTableProps) => (
  <Table
    label="Alerts"
    rows={alerts}
    keyOf={({ id }) => id}
    columns={
      onAcknowledge ? [SYSTEM, ...FIGURES, ...MORE, seenBy(onAcknowledge)] : [SYSTEM_AND_WHO, ...FIGURES]
    }
  />
);

const verbOf = ({ acknowledged_by }: AlertView) => (acknowledged_by ? "Change the note" : "Look into it");

const seenBy = (onAcknowledge: (alert: AlertView) => void): Column<AlertView> => ({
  label: "Looked into by",
  wide: true,
  cell: (alert) => (
    <div class="stack">
      {alert.acknowledged_by ? (
        <span>
          {alert.acknowledged_by}, <Time at={alert.acknowledged_at} />
        </span>
      ) : null}
      {alert.acknowledged_note ? <span class="muted">{alert.acknowledged_note}</span> : null}
      <button
        type="button"
        class="button small-button"
        aria-label={`${verbOf(alert)}: ${alert.system_name ?? alert.system_id}`}
        onClick={() => onAcknowledge(alert)}
      >
        {verbOf(alert)}
      </button>
    </div>
  ),
});
