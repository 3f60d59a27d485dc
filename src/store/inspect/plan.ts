/** The plan of the question that is asked most: one sensor's readings of a time range. */
import type { Database } from "../pool.ts";

export interface PlanNode {
  readonly "Node Type": string;
  readonly Schema?: string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows"?: number;
  readonly "Actual Loops"?: number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

export interface RangePlan {
  readonly sensor_id: string;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly root: PlanNode;
  readonly planning_ms: number;
  readonly execution_ms: number;
}

interface Explained {
  readonly Plan: PlanNode;
  readonly "Planning Time": number;
  readonly "Execution Time": number;
}

const DAY_MS = 86_400_000;

/**
 * EXPLAIN ANALYZE (which only reads here) of the newest 24 hours of a sensor.
 * @param draw from 0 to below 1, chooses the sensor
 * @returns null when no sensor has readings
 * @throws {StoreUnavailableError}
 */
export function explainRange(database: Database, draw: () => number): Promise<RangePlan | null> {
  return database.run("explain range", async (sql) => {
    const [newest] = await sql<{ sensor_id: string; newest_ms: number }[]>`
      SELECT s.id AS sensor_id, (extract(epoch FROM newest.at) * 1000)::float8 AS newest_ms
      FROM (SELECT id FROM diagnostics_sensor ORDER BY md5(id::text || ${String(draw())}) LIMIT 100) s
      CROSS JOIN LATERAL (SELECT "timestamp" AS at FROM diagnostics_sensordata WHERE sensor_id = s.id
        ORDER BY "timestamp" DESC LIMIT 1) newest
      LIMIT 1`;
    if (!newest) return null;
    const to_ms = Math.ceil(newest.newest_ms) + 1;
    const from_ms = to_ms - DAY_MS;
    const [row] = await sql<{ "QUERY PLAN": Explained[] }[]>`
      EXPLAIN (ANALYZE, VERBOSE, TIMING off, FORMAT json)
      SELECT "timestamp", value, unit, quality FROM diagnostics_sensordata
      WHERE sensor_id = ${newest.sensor_id} AND "timestamp" >= ${new Date(from_ms)} AND "timestamp" < ${new Date(to_ms)}
      ORDER BY "timestamp"`;
    const explained = row!["QUERY PLAN"][0]!;
    return {
      sensor_id: newest.sensor_id,
      from_ms,
      to_ms,
      root: explained.Plan,
      planning_ms: explained["Planning Time"],
      execution_ms: explained["Execution Time"],
    };
  });
}

/** A scan without an index. */
export interface WholeScan {
  readonly relation: string;
  readonly rows_read: number;
  readonly rows_returned: number;
}

export interface PlanFacts {
  /** Schema and name of every relation that is scanned, the hypertable itself left out. */
  readonly relations: readonly string[];
  readonly indexes: readonly string[];
  readonly whole_scans: readonly WholeScan[];
  readonly rows: number;
}

/** What the nodes of a plan say about scans (PostgreSQL documentation, "Using EXPLAIN"). */
export function readPlan(root: PlanNode): PlanFacts {
  const relations = new Set<string>();
  const indexes = new Set<string>();
  const whole_scans: WholeScan[] = [];
  const visit = (node: PlanNode) => {
    const name = node["Relation Name"];
    if (name !== undefined && name !== "diagnostics_sensordata") relations.add(`${node.Schema}.${name}`);
    if (node["Index Name"] !== undefined) indexes.add(node["Index Name"]);
    if (node["Node Type"] === "Seq Scan" && name !== undefined) {
      const loops = node["Actual Loops"] ?? 1;
      const rows_returned = (node["Actual Rows"] ?? 0) * loops;
      const rows_read = rows_returned + (node["Rows Removed by Filter"] ?? 0) * loops;
      whole_scans.push({ relation: name, rows_read, rows_returned });
    }
    for (const inner of node.Plans ?? []) visit(inner);
  };
  visit(root);
  return {
    relations: [...relations],
    indexes: [...indexes],
    whole_scans,
    rows: root["Actual Rows"] ?? 0,
  };
}
