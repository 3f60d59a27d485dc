/**
 * How many quarantined readings there are by reason, status, system and sensor, each counted with the filters on the
 * others. Without a job, an incident, a text or a range they are read from the totals, exactly. A job is counted
 * from the table, exactly; the others as far as a bound goes, after which a count says "at least".
 */
import type { Count, QuarantineCounts } from "../../contract/quarantine-review.ts";
import { REFUSAL_REASONS } from "../../contract/refusal.ts";
import { REVIEW_STATUSES } from "../../contract/review-status.ts";
import {
  COUNT_CAP,
  incidentSource,
  jobSource,
  rangeSource,
  rareTextSource,
  type Sources,
  textSource,
} from "./quarantine-count-sources.ts";
import { all, type QuarantineFilter, reachConditions, Values } from "./quarantine-filter.ts";
import { NO_SENSOR } from "./quarantine-item.ts";
import { isRare, isShort } from "./quarantine-looks.ts";
import { totalsSource } from "./quarantine-totals.ts";
import type { QueryOptions, Reader } from "./reader.ts";

/** Systems and sensors that are told, largest first. */
const LARGEST = 50;

interface CountRow {
  readonly dimension: "total" | "cut" | "reason" | "status" | "system" | "sensor";
  readonly value: string | null;
  readonly name: string | null;
  readonly system_id: string | null;
  readonly n: number;
  /** Some were not looked at. */
  readonly cut: boolean | null;
}

export class QuarantineCountQueries {
  constructor(private readonly reader: Reader) {}

  /** One statement, so that all counts are of one moment. Throws what `Reader.rows` throws. */
  async counts(filter: QuarantineFilter, options?: QueryOptions): Promise<QuarantineCounts> {
    const values = new Values();
    const { q } = filter;
    const isFound = q !== null && !isShort(filter) && (await isRare(this.reader, q, options));
    const sources = sourcesOf(filter, isFound, values);
    const text = `WITH ${sources.tables} ${facets(filter, sources, values)}`;
    const rows = await this.reader.rows<CountRow>(
      { label: `counts of quarantined readings by ${sources.name}`, text, values: values.list },
      options,
    );
    return toCounts(rows, sources.exact);
  }
}

/** @param isFound the text is found by its own index */
function sourcesOf(filter: QuarantineFilter, isFound: boolean, values: Values): Sources {
  const { q } = filter;
  if (isShort(filter)) return jobSource(filter, values);
  if (q !== null) return isFound ? rareTextSource(filter, values) : textSource({ ...filter, q }, values);
  if (filter.incident !== null) return incidentSource(filter, values);
  if (filter.from_us !== null || filter.to_us !== null) return rangeSource(filter, values);
  return totalsSource(filter, values);
}

/** One row for each value of each dimension. */
function facets(filter: QuarantineFilter, sources: Sources, values: Values): string {
  const reason = `reason = ANY(${values.add(filter.reasons, "text[]")})`;
  const status = `status = ANY(${values.add(filter.statuses, "text[]")})`;
  // What is chosen already is not asked for again.
  const of = (...conditions: readonly string[]) => (sources.chosen ? [] : conditions);
  const one = (column: "system_id" | "sensor_id") =>
    filter[column] === null || sources.chosen ? [] : [`${column} = ${values.add(filter[column], "uuid")}`];
  const [system, sensor] = [one("system_id"), one("sensor_id")];
  const both = sources.narrowed ? [] : [...system, ...sensor];
  // Names are looked up for those that are told: for 33,000 sensors it was half of the work.
  const largest = (keys: string, from: string, conditions: readonly string[]) =>
    `(SELECT ${keys}, sum(n)::bigint AS n, bool_or(cut) AS cut FROM ${from} WHERE ${all(conditions)}
      GROUP BY ${keys} HAVING sum(n) > 0 ORDER BY n DESC, ${keys} LIMIT ${LARGEST})`;
  return [
    `SELECT 'total' AS dimension, NULL::text AS value, NULL::text AS name, NULL::uuid AS system_id,
       coalesce(sum(n), 0)::bigint AS n, bool_or(cut) AS cut
     FROM ${sources.cells} WHERE ${all([reason, status, ...both])}`,
    `SELECT 'cut', NULL, NULL, NULL, 0, bool_or(cut) FROM ${sources.cells} WHERE ${sources.cutsAll}`,
    `SELECT 'reason', reason, NULL, NULL, sum(n)::bigint, bool_or(cut)
     FROM ${sources.cells} WHERE ${all([status, ...both])} GROUP BY reason`,
    `SELECT 'status', status, NULL, NULL, sum(n)::bigint, bool_or(cut)
     FROM ${sources.cells} WHERE ${all([reason, ...both])} GROUP BY status`,
    `(SELECT 'system', f.system_id::text, y.name, NULL::uuid, f.n, f.cut
      FROM ${largest("system_id", sources.bySystem, of(reason, status, ...sensor))} f
      LEFT JOIN diagnostics_system y ON y.id = f.system_id ORDER BY f.n DESC, 2)`,
    `(SELECT 'sensor', f.sensor_id::text, s.name, f.system_id, f.n, f.cut
      FROM ${largest("sensor_id, system_id", sources.bySensor, [...of(reason, status, ...system), `sensor_id <> '${NO_SENSOR}'`])} f
      LEFT JOIN diagnostics_sensor s ON s.id = f.sensor_id AND ${all(reachConditions(filter.reach, values, "s"))}
      ORDER BY f.n DESC, 2)`,
  ].join(" UNION ALL ");
}

function toCounts(rows: readonly CountRow[], exact: boolean): QuarantineCounts {
  const of = (dimension: CountRow["dimension"]) => rows.filter((row) => row.dimension === dimension);
  const count = ({ n, cut }: Pick<CountRow, "n" | "cut">): Count => {
    const capped = !exact && (cut === true || n > COUNT_CAP);
    return { count: capped ? Math.min(n, COUNT_CAP) : n, capped };
  };
  const missing = count({ n: 0, cut: of("cut")[0]?.cut ?? null });
  const named = <T extends string>(names: readonly T[], found: readonly CountRow[]) => {
    const known = new Map(found.map((row) => [row.value, count(row)]));
    return Object.fromEntries(names.map((name) => [name, known.get(name) ?? missing])) as Record<T, Count>;
  };
  const [total] = of("total");
  return {
    total: total && total.n > 0 ? count(total) : missing,
    reasons: named(REFUSAL_REASONS, of("reason")),
    statuses: named(REVIEW_STATUSES, of("status")),
    systems: of("system").map((row) => ({ id: row.value ?? "", name: row.name, ...count(row) })),
    sensors: of("sensor").map((row) => ({
      id: row.value ?? "",
      name: row.name,
      system_id: row.system_id ?? "",
      ...count(row),
    })),
  };
}
