/**
 * Quarantined readings, newest first, a page at a time, as text.
 *
 * Each branch of the statement is one reason and one status, an equality prefix of an index that ends in the order of
 * the list; the branches are merged as far as the page goes. A job's readings are few and found by its own index. The
 * readings of an incident come in the order of the moments that it goes by, so that its index has the page, too.
 */

import { all, conditionsOf, eventAt, pairsOf, type QuarantineFilter, Values } from "./quarantine-filter.ts";
import { ITEM_COLUMNS, ITEM_SOURCE } from "./quarantine-item.ts";
import type { QueryOptions, Reader } from "./reader.ts";
import { type BodyRow, selectBody, type TableStyle, textOf } from "./table-text.ts";

export interface QuarantineKey {
  /** When it was quarantined; of an incident's readings the moment that the incident goes by. RFC 3339 with all its microseconds. */
  readonly at: string;
  readonly id: number;
}

export interface QuarantineText {
  readonly body: string;
  readonly count: number;
  /** The last reading of the page; null at the end of the list. */
  readonly next: QuarantineKey | null;
}

interface PageRow extends BodyRow {
  readonly more: boolean;
  readonly n: number;
  readonly last_at: string | null;
  readonly last_id: number | null;
}

const TABLE = "diagnostics_quarantined_reading";
const ORDER = "ORDER BY at DESC, id DESC";

export class QuarantineListQueries {
  constructor(private readonly reader: Reader) {}

  /**
   * Throws what `Reader.rows` throws.
   * @param after last one seen
   */
  async page(
    filter: QuarantineFilter,
    after: QuarantineKey | null,
    limit: number,
    style: TableStyle,
    options?: QueryOptions,
  ): Promise<QuarantineText> {
    const values = new Values();
    const some = values.add(limit, "int");
    const text = `WITH found AS MATERIALIZED (
        SELECT id, at FROM (${branches(filter, after, some, values)}) merged ${ORDER} LIMIT ${some} + 1)
      SELECT (SELECT count(*) FROM found) > ${some} AS more, count(*) AS n, min(at) AS last_at,
        (array_agg(id))[count(*)::int] AS last_id, ${selectBody(ITEM_COLUMNS, style)}
      FROM (SELECT item.*, shown.at FROM (SELECT id, at FROM found ${ORDER} LIMIT ${some}) shown
        JOIN (${ITEM_SOURCE}) item ON item.id = shown.id ORDER BY shown.at DESC, item.id DESC) page`;
    const [row] = await this.reader.rows<PageRow>(
      { label: "quarantined readings", text, values: values.list },
      options,
    );
    const { more = false, n = 0, last_at = null, last_id = null } = row ?? {};
    return {
      body: textOf(row, ITEM_COLUMNS, style),
      count: n,
      next: more && last_at !== null && last_id !== null ? { at: last_at, id: last_id } : null,
    };
  }
}

/** The newest `some` + 1 of each branch. */
function branches(
  filter: QuarantineFilter,
  after: QuarantineKey | null,
  some: string,
  values: Values,
): string {
  const parts = ["ids", "incident", "job_id", "sensor_id", "system_id", "range", "q"] as const;
  const common = conditionsOf(filter, parts, values);
  const at = filter.incident === null ? "quarantined_at" : eventAt(TABLE);
  if (after) {
    common.push(`(${at}, id) < (${values.add(after.at, "timestamptz")}, ${values.add(after.id, "bigint")})`);
  }
  const branch = (conditions: readonly string[]) =>
    `(SELECT id, ${at} AS at FROM ${TABLE}
      WHERE ${all([...conditions, ...common])} ${ORDER} LIMIT ${some} + 1)`;
  if (filter.job_id !== null || filter.ids !== null) {
    return branch([
      `reason = ANY(${values.add(filter.reasons, "text[]")})`,
      `review_status = ANY(${values.add(filter.statuses, "text[]")})`,
    ]);
  }
  return pairsOf(filter)
    .map(({ reason, status }) =>
      branch([`reason = ${values.add(reason, "text")}`, `review_status = ${values.add(status, "text")}`]),
    )
    .join(" UNION ALL ");
}
