/** A quarantined reading as lists, incidents and the detail show it. */
import type { Column } from "./table-text.ts";

/** The nil UUID, which stands for a reading without a sensor in incidents and totals. */
export const NO_SENSOR = "00000000-0000-0000-0000-000000000000";

export const ITEM_COLUMNS: readonly Column[] = [
  { name: "id", kind: "number" },
  { name: "job_id", kind: "id" },
  { name: "ordinal", kind: "number" },
  { name: "system_id", kind: "id" },
  { name: "sensor_id", kind: "id", nullable: true },
  { name: "timestamp", kind: "time", nullable: true },
  { name: "value", kind: "number", nullable: true },
  { name: "unit", kind: "text", nullable: true },
  { name: "quality", kind: "number", nullable: true },
  { name: "raw", kind: "json" },
  { name: "reason", kind: "word" },
  { name: "reason_details", kind: "text" },
  { name: "range_version", kind: "number", nullable: true },
  { name: "quarantined_at", kind: "time" },
  { name: "review_status", kind: "word" },
  { name: "reviewed_by", kind: "id", nullable: true },
  { name: "reviewed_by_name", kind: "text", nullable: true },
  { name: "reviewed_at", kind: "time", nullable: true },
  { name: "review_notes", kind: "text", nullable: true },
  { name: "review_task_id", kind: "id", nullable: true },
  { name: "stored_by_job", kind: "id", nullable: true },
];

/** JSON has no infinity and no NaN (which PostgreSQL holds for larger than every number). */
const finite = (column: string) =>
  `CASE WHEN q.${column} > '-Infinity' AND q.${column} < 'Infinity' THEN q.${column} END`;
const TAKEN_FROM: Readonly<Record<string, string>> = {
  // Years before 1 have no text in RFC 3339; `raw` has them as sent.
  timestamp: `CASE WHEN q."timestamp" >= '0001-01-01T00:00:00Z' THEN q."timestamp" END`,
  value: finite("value"),
  quality: finite("quality"),
  reviewed_by_name: "u.username",
};

/** A table of all items with the columns above; to be narrowed by its id. */
export const ITEM_SOURCE = `SELECT ${ITEM_COLUMNS.map(
  ({ name }) => `${TAKEN_FROM[name] ?? `q.${name}`} AS "${name}"`,
).join(", ")}
  FROM diagnostics_quarantined_reading q LEFT JOIN diagnostics_user u ON u.id = q.reviewed_by`;
