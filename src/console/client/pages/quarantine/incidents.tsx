/** Neighbouring refusals of one sensor and reason, as one row each: most quarantine is a few faults, many times. */

import type { ComponentChildren } from "preact";
import type { Incident, QuarantineCounts } from "../../../../contract/quarantine-review.ts";
import { MAX_INCIDENTS } from "../../../../contract/review-status.ts";
import {
  count,
  countOf,
  duration,
  quantity,
  shortId,
  shortName,
  someText,
  timeText,
  words,
} from "../../lib/format.ts";
import { both, type List, useList } from "../../lib/list.ts";
import { sentName } from "../../lib/mapping-key.ts";
import { zone } from "../../lib/preferences.ts";
import { useResource } from "../../lib/resource.ts";
import { queryText, to, usePlace } from "../../lib/router.ts";
import { useShared } from "../../lib/shared.ts";
import { Reason, StateBadge } from "../../ui/badge.tsx";
import { Exports } from "../../ui/exports.tsx";
import { ListView } from "../../ui/list.tsx";
import { SensorName } from "../../ui/name.tsx";
import { PageFrame } from "../../ui/page.tsx";
import { type Column, type RowLook, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { ActionBar, SelectShown } from "./action-bar.tsx";
import { Facets } from "./facets.tsx";
import { apiQuery, OF_TIME, ONLY_OF_READINGS } from "./filters.ts";
import { QuarantineTabs } from "./tabs.tsx";
import { type Review, ReviewDialogs, systemOf, useReview } from "./use-review.tsx";

/** The sensor's name; of an unknown one the name that readings have for it. */
const nameOf = ({ sensor_name, sample }: Incident) => sensor_name ?? sentName(sample.raw);

const sensorText = (incident: Incident) => {
  const name = nameOf(incident);
  const { sensor_id } = incident;
  return name ? shortName(name) : sensor_id ? shortId(sensor_id) : "Unknown sensor";
};

const incidentPage = ({ sample, key, count: readings }: Incident) =>
  to(`/quarantine/readings/${sample.id}`, { incident: key, of: String(readings) });

/** Exactly the readings of an incident, whatever was decided about them. */
export const incidentReadings = (key: string) => to("/quarantine/readings", { incident: key, status: "any" });

export function IncidentsPage() {
  const { query } = usePlace();
  const filters = apiQuery(query, ONLY_OF_READINGS);
  const counted = apiQuery(query, [...ONLY_OF_READINGS, ...OF_TIME]);
  const list = useList<Incident>(`/api/v1/quarantine/incidents?${filters}`);
  const counts = useResource<QuarantineCounts>(`/api/v1/quarantine/counts?${counted}`);
  const review = useReview(list.isOld ? [] : (list.items ?? []), ({ key }) => key, incidentPage, filters);
  const { chosen, targets } = review;
  const after = () => {
    chosen.clear();
    list.reload();
    counts.reload();
  };
  return (
    <PageFrame title="Quarantine" side={<IncidentExports filters={filters} ticked={chosen.items} />}>
      <QuarantineTabs />
      <div class="grid with-side">
        <Facets counts={counts} of="incidents" />
        <IncidentsPanel list={both(list, counts)} review={review} />
      </div>
      <ReviewDialogs
        review={review}
        selections={targets.map(({ key }) => ({ incident: key }))}
        about={aboutIncidents(targets)}
        unit={targets[0]?.unit ?? null}
        system_id={systemOf(targets)}
        onDone={after}
      />
    </PageFrame>
  );
}

interface IncidentExportsProps {
  readonly filters: string;
  /** Whose readings are exported; none: all incidents that the filters show. */
  readonly ticked: readonly Incident[];
}

function IncidentExports({ filters, ticked }: IncidentExportsProps) {
  if (ticked.length > MAX_INCIDENTS)
    return (
      <span class="muted small">Readings of at most {MAX_INCIDENTS} selected incidents can be exported</span>
    );
  if (ticked.length === 0) return <Exports of="/api/v1/quarantine/incidents" query={filters} />;
  const query = queryText({ incident: ticked.map(({ key }) => key).join(","), status: "any" });
  return <Exports of="/api/v1/quarantine" query={query} what="All readings of what is selected" />;
}

interface IncidentsPanelProps {
  readonly list: List<Incident>;
  readonly review: Review<Incident>;
}

const IncidentsPanel = ({ list, review: { chosen, cursor, targets, setAction } }: IncidentsPanelProps) => (
  <section class="panel" aria-label="Incidents">
    <ActionBar
      selected={someText(chosen.items.length, "incident")}
      disabled={targets.length === 0}
      onAct={setAction}
    >
      {list.items && list.items.length > 0 ? (
        <SelectShown
          isNone={chosen.items.length === 0}
          onShown={() => chosen.set(list.items ?? [])}
          onNone={chosen.clear}
        />
      ) : null}
    </ActionBar>
    <ListView
      list={list}
      empty="No incidents"
      emptyHint="Nothing waits for review. What the rules refuse shows here; decided readings under State."
      clear={usePlace().query.size > 0 ? to("/quarantine") : null}
    >
      {(incidents) => (
        <IncidentTable
          items={incidents}
          lead={(item) => chosen.box(item, sensorText(item))}
          look={(item, index) => ({ current: index === cursor, selected: chosen.has(item) })}
        />
      )}
    </ListView>
  </section>
);

function aboutIncidents(targets: readonly Incident[]): string {
  const readings = targets.reduce((sum, { count: n }) => sum + n, 0);
  const first = targets[0];
  if (targets.length > 1 || !first) return `${countOf(readings, "reading")} of ${targets.length} incidents`;
  return `${countOf(readings, "reading")} of ${sensorText(first)}, ${words(first.reason)}`;
}

interface IncidentTableProps {
  readonly items: readonly Incident[];
  readonly lead: (item: Incident) => ComponentChildren;
  readonly look: (item: Incident, index: number) => RowLook;
}

/** What one of the readings was refused for. */
function Example({ of: { value, unit, reason_details } }: { of: Incident["sample"] }) {
  const text = `e.g. ${value === null ? "" : `${quantity(value, unit)}: `}${reason_details}`;
  return (
    <span class="muted small clamp" title={text}>
      {text}
    </span>
  );
}

const COLUMNS: readonly Column<Incident>[] = [
  {
    label: "Sensor",
    name: true,
    cell: (incident) => (
      <div class="stack">
        <SensorName name={nameOf(incident)} id={incident.sensor_id} href={incidentPage(incident)} />
        <span class="muted small">{incident.system_name ?? shortId(incident.system_id)}</span>
      </div>
    ),
  },
  {
    label: "Why",
    wide: true,
    cell: ({ reason, sample }) => (
      <div class="stack">
        <Reason name={reason} />
        <Example of={sample} />
      </div>
    ),
  },
  {
    label: "Readings",
    figures: true,
    cell: ({ key, count: n }) => <a href={incidentReadings(key)}>{count(n)}</a>,
  },
  { label: "Last", cell: (incident) => <Stretch of={incident} /> },
  { label: "State", cell: ({ statuses }) => <Statuses statuses={statuses} /> },
];

const IncidentTable = ({ items, lead, look }: IncidentTableProps) => (
  <Table label="Incidents" rows={items} keyOf={({ key }) => key} lead={lead} look={look} columns={COLUMNS} />
);

/** When it was seen last, and for how long by then. */
function Stretch({ of: { first_at, last_at } }: { of: Incident }) {
  const shown = useShared(zone);
  const ms = Date.parse(last_at ?? "") - Date.parse(first_at ?? "");
  return (
    <div class="stack">
      <Time at={last_at} />
      {ms > 0 && first_at ? (
        <span class="muted small" title={`since ${timeText(first_at, shown)}`}>
          over {duration(ms)}
        </span>
      ) : null}
    </div>
  );
}

/** How many of each, where they are not all of one. */
function Statuses({ statuses }: { statuses: Incident["statuses"] }) {
  const all = Object.entries(statuses).filter(([, n]) => n > 0);
  return (
    <div class="stack">
      {all.map(([name, n]) => (
        <span key={name} class="nowrap">
          <StateBadge state={name} />
          {all.length > 1 ? <span class="small muted"> {count(n)}</span> : null}
        </span>
      ))}
    </div>
  );
}
