/** Refused readings in a table. */

import type { ComponentChildren } from "preact";
import type { QuarantinedReading } from "../../../../contract/quarantine-review.ts";
import { quantity, shortId } from "../../lib/format.ts";
import { to } from "../../lib/router.ts";
import { Reason, StateBadge } from "../../ui/badge.tsx";
import { type RowLook, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";

interface RefusedTableProps {
  readonly items: readonly QuarantinedReading[];
  readonly nameOf?: (sensor_id: string) => string;
  readonly lead?: (item: QuarantinedReading) => ComponentChildren;
  readonly look?: (item: QuarantinedReading, index: number) => RowLook;
}

export const RefusedTable = ({ items, nameOf = shortId, lead, look }: RefusedTableProps) => (
  <Table
    label="Readings in quarantine"
    rows={items}
    keyOf={({ id }) => id}
    {...(lead ? { lead } : {})}
    {...(look ? { look } : {})}
    columns={[
      { label: "Reading", cell: ({ id }) => <a href={to(`/quarantine/readings/${id}`)}>#{id}</a> },
      { label: "Taken", cell: ({ timestamp }) => <Time at={timestamp} /> },
      { label: "Sensor", cell: ({ sensor_id }) => (sensor_id ? nameOf(sensor_id) : "–") },
      { label: "As sent", figures: true, cell: ({ value, unit }) => quantity(value, unit) },
      {
        label: "Why",
        wide: true,
        cell: ({ reason, reason_details }) => (
          <div class="stack">
            <Reason name={reason} />
            <span class="muted small">{reason_details}</span>
          </div>
        ),
      },
      { label: "State", cell: ({ review_status }) => <StateBadge state={review_status} /> },
    ]}
  />
);
