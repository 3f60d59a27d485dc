/** Quarantined readings, newest first, a page at a time, as text; what is read for it: quarantine-looks.ts. */

import { all, conditionsOf, type QuarantineFilter, Values } from "./quarantine-filter.ts";
import { ITEM_COLUMNS, ITEM_SOURCE } from "./quarantine-item.ts";
import {
  anyPair,
  branches,
  hasText,
  isRare,
  isShort,
  momentOf,
  NEWEST_FIRST,
  pairsOf,
  TABLE,
  withoutText,
} from "./quarantine-looks.ts";
import type { QueryOptions, Reader } from "./reader.ts";
import { type BodyRow, selectBody, type TableStyle, textOf } from "./table-text.ts";

/** Readings that one page looks at for a text that many have: about 20 ms. */
const LOOKED_AT = 10_000;

export interface QuarantineKey {
  /** When it was quarantined; of an incident's readings the moment that the incident goes by. RFC 3339 with all its microseconds. */
  readonly at: string;
  readonly id: number;
}

export interface QuarantineText {
  readonly body: string;
  readonly count: number;
  /** Where the next page begins; null at the end of the list. */
  readonly next: QuarantineKey | null;
}

interface PageRow extends BodyRow {
  /** There are more readings than the page has. */
  readonly more: boolean;
  readonly n: number;
  readonly last_at: string | null;
  readonly last_id: number | null;
  /** The reading at which the look for a text ended before its end. */
  readonly cut_at: string | null;
  readonly cut_id: number | null;
}

export class QuarantineListQueries {
  constructor(
    private readonly reader: Reader,
    private readonly lookedAt = LOOKED_AT,
  ) {}

  /**
   * With a text, a page may have fewer readings than its limit, even none, and yet have a next one.
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
    const isFound = filter.q !== null && !isShort(filter) && (await isRare(this.reader, filter.q, options));
    const values = new Values();
    const some = values.add(limit, "int");
    const text = `WITH found AS MATERIALIZED (${foundBy(filter, isFound ? "found" : this.lookedAt, after, some, values)})
      SELECT (SELECT count(*) FROM found WHERE hit) > ${some} AS more, count(*) AS n, min(at) AS last_at,
        (array_agg(id))[count(*)::int] AS last_id, (SELECT at FROM found WHERE cut) AS cut_at,
        (SELECT id FROM found WHERE cut) AS cut_id, ${selectBody(ITEM_COLUMNS, style)}
      FROM (SELECT item.*, shown.at FROM (SELECT id, at FROM found WHERE hit ${NEWEST_FIRST} LIMIT ${some}) shown
        JOIN (${ITEM_SOURCE}) item ON item.id = shown.id ORDER BY shown.at DESC, item.id DESC) page`;
    const [row] = await this.reader.rows<PageRow>(
      { label: "quarantined readings", text, values: values.list },
      options,
    );
    const key = (at: string | null = null, id: number | null = null) =>
      at !== null && id !== null ? { at, id } : null;
    return {
      body: textOf(row, ITEM_COLUMNS, style),
      count: row?.n ?? 0,
      next: row?.more ? key(row.last_at, row.last_id) : key(row?.cut_at, row?.cut_id),
    };
  }
}

/**
 * A table (id, at, hit, cut) of the newest `some` + 1 readings, and of the one at which the look was cut.
 * @param text "found" by its own index, or how many readings are looked at for it
 */
function foundBy(
  filter: QuarantineFilter,
  text: "found" | number,
  after: QuarantineKey | null,
  some: string,
  values: Values,
): string {
  const at = momentOf(filter);
  const common = withoutText(filter, values);
  if (after) {
    common.push(`(${at}, id) < (${values.add(after.at, "timestamptz")}, ${values.add(after.id, "bigint")})`);
  }
  const page = `${NEWEST_FIRST} LIMIT ${some} + 1`;
  if (isShort(filter) || text === "found") {
    const conditions = [...common, ...conditionsOf(filter, ["q"], values), ...anyPair(filter, values)];
    return `SELECT id, ${at} AS at, true AS hit, false AS cut FROM ${TABLE} WHERE ${all(conditions)} ${page}`;
  }
  const pairs = pairsOf(filter);
  if (filter.q === null) {
    const merged = branches(filter, pairs, common, {
      columns: [],
      limit: `${some} + 1`,
      bySystem: true,
      values,
    });
    return `SELECT id, at, true AS hit, false AS cut FROM (${merged}) merged ${page}`;
  }
  const limit = String(text);
  const merged = branches(filter, pairs, common, { columns: ["reason_details"], limit, values });
  return `SELECT id, at, hit, nth = ${limit} AS cut FROM (
      SELECT id, at, ${hasText(filter.q, values)} AS hit, row_number() OVER (${NEWEST_FIRST}) AS nth
      FROM (SELECT * FROM (${merged}) merged ${NEWEST_FIRST} LIMIT ${limit}) looked) n
    WHERE hit OR nth = ${limit} ${page}`;
}
