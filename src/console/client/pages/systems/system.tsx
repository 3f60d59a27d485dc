/** One system: how complete the recordings of its sensors are, hour by hour. */

import { useMemo } from "preact/hooks";
import type { SensorCompleteness } from "../../../../contract/query.ts";
import type { Sensor, System } from "../../../../contract/registry.ts";
import { useIsReader } from "../../lib/access.ts";
import { count, NOTHING, number, percent, timeText, unitText } from "../../lib/format.ts";
import { both, type List, useList } from "../../lib/list.ts";
import { zone } from "../../lib/preferences.ts";
import { useResource } from "../../lib/resource.ts";
import { queryText, to, useFilters } from "../../lib/router.ts";
import { useShared } from "../../lib/shared.ts";
import { Badge } from "../../ui/badge.tsx";
import { ChoiceField, Filters, Search } from "../../ui/field.tsx";
import { ListView } from "../../ui/list.tsx";
import { SensorName } from "../../ui/name.tsx";
import { PageFrame, Panel } from "../../ui/page.tsx";
import { ProblemBox, Shown } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { AlertLimitsPanel } from "./alert-limits.tsx";
import { CompletenessLegend, CompletenessStrip } from "./strip.tsx";
import { SHOWN } from "./systems.tsx";
import { useCompleteness } from "./use-completeness.ts";

const SPANS = [
  ["1", "24 hours"],
  ["3", "3 days"],
  ["7", "7 days"],
  ["14", "14 days"],
] as const;
const HOUR_MS = 3_600_000;

export function SystemPage({ id }: { id: string }) {
  const system = useResource<System>(`/api/v1/systems/${id}`);
  const isReader = useIsReader();
  return (
    <PageFrame
      title={system.data?.name ?? "System"}
      above={[to("/systems"), "Systems"]}
      side={
        <>
          {system.data?.archived_at ? <Badge>archived</Badge> : null}
          <a class="button" href={to(`/systems/${id}/mappings`)}>
            Mappings
          </a>
          {isReader ? (
            <a class="button" href={to("/quarantine", { system_id: id })}>
              Quarantine
            </a>
          ) : null}
        </>
      }
    >
      <Shown of={system}>
        {({ description }) => (description ? <p class="muted lead-text">{description}</p> : null)}
      </Shown>
      {system.error && !system.data ? null : (
        <>
          <Sensors id={id} />
          {isReader ? <AlertLimitsPanel id={id} /> : null}
        </>
      )}
    </PageFrame>
  );
}

function Sensors({ id }: { id: string }) {
  const [query, change] = useFilters();
  const days = SPANS.find(([value]) => value === query.get("days"))?.[0] ?? "1";
  const stretch = useMemo(() => wholeHours(Number(days)), [days]);
  const [text, archived] = [query.get("text") ?? "", query.get("archived") ?? ""];
  const path = `/api/v1/systems/${id}/sensors?${queryText({ text, archived, limit: "100" })}`;
  const sensors = useList<Sensor>(path);
  const completeness = useCompleteness(id, sensors.items ?? [], stretch);
  return (
    <Panel title="Sensors" side={<CompletenessLegend />}>
      <Filters label="Filters of sensors">
        <Search label="Name" value={text} onValue={(value) => change({ text: value })} />
        <ChoiceField
          label="Show"
          value={archived}
          choices={SHOWN}
          onValue={(value) => change({ archived: value })}
        />
        <ChoiceField
          label="Completeness of"
          value={days}
          choices={SPANS}
          onValue={(value) => change({ days: value })}
        />
      </Filters>
      {completeness.error ? <ProblemBox problem={completeness.error} retry={completeness.reload} /> : null}
      <SensorList
        list={both(sensors, completeness)}
        system_id={id}
        bySensor={completeness.rows}
        from={stretch.from}
        clear={text !== "" || archived !== "" ? to(`/systems/${id}`) : null}
      />
    </Panel>
  );
}

/** The hours that ended, and the running one. */
function wholeHours(days: number): { from: string; to: string } {
  const end_ms = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
  return { from: new Date(end_ms - days * 24 * HOUR_MS).toISOString(), to: new Date(end_ms).toISOString() };
}

const unknown = (row: null | undefined) => <span class="muted">{row === null ? NOTHING : "…"}</span>;

interface SensorListProps {
  readonly list: List<Sensor>;
  readonly system_id: string;
  /** Null: nothing is told of it; absent: not yet. */
  readonly bySensor: ReadonlyMap<string, SensorCompleteness | null>;
  /** The first hour of the strips. */
  readonly from: string;
  /** Address without filters, where there are some. */
  readonly clear: string | null;
}

function SensorList({ list, system_id, bySensor, from, clear }: SensorListProps) {
  const since = timeText(from, useShared(zone), { seconds: false });
  const columns = [...COLUMNS, ...completenessColumns(bySensor, since)];
  return (
    <ListView
      list={list}
      empty="No sensors"
      emptyHint="Sensors appear with their first good reading, or are registered by the API."
      clear={clear}
    >
      {(sensors) => (
        <Table
          label="Sensors"
          rows={sensors}
          keyOf={({ id }) => id}
          columns={[nameColumn(system_id), ...columns]}
        />
      )}
    </ListView>
  );
}

const nameColumn = (system_id: string): Column<Sensor> => ({
  label: "Sensor",
  name: true,
  cell: ({ id, name, archived_at }) => (
    <>
      <SensorName name={name} id={id} href={to(`/systems/${system_id}/sensors/${id}`)} />
      {archived_at ? (
        <>
          {" "}
          <Badge>archived</Badge>
        </>
      ) : null}
    </>
  ),
});

const COLUMNS: readonly Column<Sensor>[] = [
  { label: "Quantity", cell: ({ quantity, unit }) => `${quantity} in ${unitText(unit)}` },
  {
    label: "Range",
    figures: true,
    cell: ({ range: { min, max }, unit }) =>
      min === null && max === null ? "none" : `${number(min)} to ${number(max)} ${unitText(unit)}`,
  },
];

const completenessColumns = (
  bySensor: SensorListProps["bySensor"],
  since: string,
): readonly Column<Sensor>[] => [
  {
    label: "Received",
    figures: true,
    cell: ({ id }) => {
      const row = bySensor.get(id);
      return row ? `${count(row.received)} · ${percent(row.completeness)}` : unknown(row);
    },
  },
  {
    label: `Completeness by hour since ${since}`,
    wide: true,
    cell: ({ id, name }) => {
      const row = bySensor.get(id);
      return row ? <CompletenessStrip hours={row.hours} name={name} /> : unknown(row);
    },
  },
];
