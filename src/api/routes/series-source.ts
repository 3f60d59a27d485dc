/** From which source a series is made, and how wide its buckets are. */
import {
  bucketWidth_ms,
  HOUR_MS,
  HOUR_US,
  type TimeRange,
  wholeBuckets,
} from "../../contract/query-range.ts";
import type { QueryOptions } from "../../store/queries/reader.ts";
import type { SeriesSource } from "../../store/queries/series.ts";
import type { RouteDeps } from "../deps.ts";

/**
 * A day at 1 Hz and a little more; what exceeds it is left to the hourly aggregate. Lying close together, 86,400
 * readings are aggregated in 20 ms; 192,000 that are scattered over 14 days and 4 GB of other sensors' take 145 ms.
 */
export const MAX_RAW_READINGS = 100_000;
/** Counting more hours would cost more than it saves: then there are many readings, too. */
const MAX_COUNTED_HOURS = 50_000;

export interface SeriesPlan {
  readonly source: SeriesSource;
  readonly bucket_ms: number;
  /** Whole buckets. */
  readonly range: TimeRange;
}

export interface SeriesAsked {
  readonly system_id: string;
  readonly sensor_ids: readonly string[];
  readonly range: TimeRange;
  readonly points: number;
  readonly source: SeriesSource | "auto";
}

/**
 * Buckets of whole hours come from the hourly aggregate, which gives the same numbers. Narrower ones come from the
 * readings as long as these are few; else they are widened to an hour. Throws what `Reader.rows` throws.
 */
export async function planSeries(
  asked: SeriesAsked,
  { hourly }: Pick<RouteDeps["queries"], "hourly">,
  options: QueryOptions,
): Promise<SeriesPlan> {
  const narrow_ms = bucketWidth_ms(asked.range, asked.points);
  const source = asked.source === "auto" ? await choose(asked, narrow_ms, hourly, options) : asked.source;
  const bucket_ms = source === "raw" ? narrow_ms : bucketWidth_ms(asked.range, asked.points, HOUR_MS);
  return { source, bucket_ms, range: wholeBuckets(asked.range, bucket_ms) };
}

async function choose(
  { system_id, sensor_ids, range }: SeriesAsked,
  narrow_ms: number,
  hourly: RouteDeps["queries"]["hourly"],
  options: QueryOptions,
): Promise<SeriesSource> {
  if (narrow_ms >= HOUR_MS) return "hourly";
  // An envelope of one or two hours says nothing.
  if (range.to_us - range.from_us <= 2 * HOUR_US) return "raw";
  const hours = wholeBuckets(range, HOUR_MS);
  if ((sensor_ids.length * (hours.to_us - hours.from_us)) / HOUR_US > MAX_COUNTED_HOURS) return "hourly";
  const readings = await hourly.count(system_id, sensor_ids, hours, options);
  return readings <= MAX_RAW_READINGS ? "raw" : "hourly";
}
