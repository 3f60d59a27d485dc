/** The plan of a range of one sensor: only the chunks of the range, each by an index. */
import type { ChunkFacts } from "../../store/inspect/hypertable.ts";
import { explainRange, readPlan, type WholeScan } from "../../store/inspect/plan.ts";
import { withHypertable } from "../context.ts";
import { failed, notAvailable, ok } from "../finding.ts";
import { duration, plural, whole } from "../format.ts";

/** Below this PostgreSQL rightly reads a table whole. */
const FEW_ROWS = 1_000;

export const rangePlan = withHypertable("range plan", async ({ database, draw }, { hypertable }) => {
  const plan = await explainRange(database, draw);
  if (!plan) return notAvailable("there are no readings to ask for");
  const facts = readPlan(plan.root);
  const inRange = overlapping(hypertable.chunks, plan.from_ms, plan.to_ms);
  const scanned = hypertable.chunks.filter(({ name }) => facts.relations.includes(name));
  const needless = scanned.filter((chunk) => !inRange.includes(chunk)).map(({ name }) => name);
  const wasteful = facts.whole_scans.filter(isWasteful).map(({ relation }) => relation);
  const figures = {
    sensor_id: plan.sensor_id,
    chunks: hypertable.chunks.length,
    chunks_in_range: inRange.length,
    chunks_scanned: scanned.length,
    indexes: facts.indexes,
    whole_scans: wasteful,
    rows: facts.rows,
    planning_ms: plan.planning_ms,
    execution_ms: plan.execution_ms,
  };
  const text = `24 h of one sensor: ${scanned.length} of ${plural(hypertable.chunks.length, "chunk")} scanned`;
  if (needless.length > 0)
    return failed(
      `${text}, ${needless.length} outside the range`,
      "Is timescaledb.enable_chunk_append or constraint_exclusion switched off?",
      figures,
    );
  if (wasteful.length > 0)
    return failed(
      `${text}, ${wasteful.join(", ")} without an index`,
      "ANALYZE diagnostics_sensordata; the indexes check says whether one is missing",
      figures,
    );
  const how = facts.indexes.length > 0 ? "by index" : "small enough to be read whole";
  return ok(
    `${text}, ${how}; ${whole(facts.rows)} rows in ${duration(Math.ceil(plan.execution_ms))}`,
    figures,
  );
});

const overlapping = (chunks: readonly ChunkFacts[], from_ms: number, to_ms: number) =>
  chunks.filter((chunk) => chunk.from_ms < to_ms && chunk.to_ms > from_ms);

/**
 * Reads much and throws most of it away. A chunk that has just begun holds little more than the range itself:
 * reading it whole is what a good plan does.
 */
function isWasteful({ rows_read, rows_returned }: WholeScan): boolean {
  return rows_read > FEW_ROWS && rows_returned < rows_read / 10;
}
