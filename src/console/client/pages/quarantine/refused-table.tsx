/** Refused readings in a table. */

import type { ComponentChildren } from "preact";
import type { OwnRefusal } from "../../../../contract/quarantine.ts";
import type { QuarantinedReading } from "../../../../contract/quarantine-review.ts";
import { number, quantity, unitText } from "../../lib/format.ts";
import { sentName } from "../../lib/mapping-key.ts";
import { to } from "../../lib/router.ts";
import { Reason, StateBadge } from "../../ui/badge.tsx";
import { PlaceInBatch, SensorName } from "../../ui/name.tsx";
import { type Column, type RowLook, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";

type Shown = Pick<
  QuarantinedReading,
  "timestamp" | "sensor_id" | "raw" | "value" | "unit" | "reason" | "reason_details"
>;

/** What every table of refused readings says. */
const columnsOf = <T extends Shown>(nameOf: (sensor_id: string) => string | null): readonly Column<T>[] => [
  { label: "Taken", cell: ({ timestamp }) => <Time at={timestamp} precise /> },
  {
    label: "Sensor",
    name: true,
    cell: ({ sensor_id, raw }) =>
      sensor_id ? <SensorName name={nameOf(sensor_id) ?? sentName(raw)} id={sensor_id} /> : "–",
  },
  {
    label: "As sent",
    figures: true,
    cell: ({ value, unit }) => <Sent value={value} unit={unit} />,
  },
  {
    label: "Why",
    wide: true,
    cell: ({ reason, reason_details }) => (
      <div class="stack">
        <Reason name={reason} />
        <span class="muted small clamp" title={reason_details}>
          {reason_details}
        </span>
      </div>
    ),
  },
];

/** Longer ones have their unit below the number, so that they leave room for the reason. */
const LONGEST_SENT = 12;
function Sent({ value, unit }: { value: number | null; unit: string | null }) {
  const text = quantity(value, unit);
  if (text.length <= LONGEST_SENT) return text;
  return (
    <div class="stack broken">
      <span class="nowrap">{number(value)}</span>
      <span>{unitText(unit)}</span>
    </div>
  );
}

interface RefusedTableProps {
  readonly items: readonly QuarantinedReading[];
  readonly nameOf?: (sensor_id: string) => string | null;
  readonly lead?: (item: QuarantinedReading) => ComponentChildren;
  readonly look?: (item: QuarantinedReading, index: number) => RowLook;
}

export const RefusedTable = ({ items, nameOf = () => null, lead, look }: RefusedTableProps) => (
  <Table
    label="Readings in quarantine"
    rows={items}
    keyOf={({ id }) => id}
    {...(lead ? { lead } : {})}
    {...(look ? { look } : {})}
    columns={[
      {
        label: "Reading",
        cell: ({ id, review_status }) => (
          <div class="stack">
            <a href={to(`/quarantine/readings/${id}`)}>#{id}</a>
            <span>
              <StateBadge state={review_status} />
            </span>
          </div>
        ),
      },
      ...columnsOf<QuarantinedReading>(nameOf),
    ]}
  />
);

export const OwnRefusedTable = ({ items }: { items: readonly OwnRefusal[] }) => (
  <Table
    label="Readings in quarantine"
    rows={items}
    keyOf={({ ordinal }) => ordinal}
    columns={[
      { label: "In the batch", cell: ({ ordinal }) => <PlaceInBatch ordinal={ordinal} /> },
      ...columnsOf<OwnRefusal>(() => null),
    ]}
  />
);
