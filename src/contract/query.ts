/** What answers of queries look like beside their tables. */
import { type Static, Type } from "@sinclair/typebox";
import { count, orNull, time, uuid } from "./fields.ts";

const RangeFields = {
  from: time("First moment of the answer"),
  to: time("End of the answer, itself not included"),
};
const page = (description: string) => orNull(Type.String({ format: "uri-reference", description }));
export const NextField = { next: page("Address of the next page; null at the end") };

export const SubjectSchema = Type.Object({
  id: uuid("Id of the sensor"),
  name: Type.String(),
  quantity: Type.String(),
  unit: Type.String({ description: "Canonical unit of the values" }),
});

export const ReadingsMetaSchema = Type.Object({
  sensor: SubjectSchema,
  ...RangeFields,
  order: Type.Union([Type.Literal("asc"), Type.Literal("desc")]),
  ...NextField,
  previous: page("Address of the page before; null at the beginning"),
});

export const HourlyMetaSchema = Type.Object({ ...RangeFields, ...NextField });

export const LatestMetaSchema = Type.Object({
  since: time("Readings before it are not looked for"),
  ...NextField,
});

export const SeriesMetaSchema = Type.Object({
  ...RangeFields,
  source: Type.Union([Type.Literal("raw"), Type.Literal("hourly")], {
    description: "Made from the readings, or from their hourly aggregate (averages weighted by count)",
  }),
  bucket_ms: Type.Integer({ description: "Width of a bucket; its timestamp is its begin" }),
  points: Type.Integer({ description: "Buckets of the range; those without readings are left out" }),
});
/** One bucket of a series, as objects have it. */
export interface SeriesPoint {
  readonly timestamp: string;
  readonly min: number;
  readonly avg: number;
  readonly max: number;
  readonly count: number;
}
/** The answer of `GET …/series` in its plain form. */
export interface Series extends Static<typeof SeriesMetaSchema> {
  readonly series: readonly {
    readonly sensor: Static<typeof SubjectSchema>;
    readonly items: readonly SeriesPoint[];
  }[];
}

const share = Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
  description: "received / expected; above 1 when more came than expected; null when nothing was expected",
});
const expected = Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
  description: "Readings of a complete recording; null when the rate is unknown",
});
const RateFields = {
  rate_hz: Type.Union([Type.Number(), Type.Null()], { description: "Readings per second" }),
  rate_source: Type.Union([Type.Literal("expected"), Type.Literal("learnt"), Type.Null()], {
    description:
      "Registered with the sensor; or learnt: the median of the hours of the range that have readings",
  }),
};

export const CompletenessSchema = Type.Object({
  ...RangeFields,
  sensors: Type.Array(
    Type.Object({
      sensor: SubjectSchema,
      ...RateFields,
      expected,
      received: count("Readings stored"),
      completeness: share,
      hours: Type.Array(
        Type.Object({
          hour: time("Begin of the hour"),
          expected,
          received: count("Readings stored"),
          completeness: share,
        }),
      ),
    }),
  ),
  ...NextField,
});
export type CompletenessAnswer = Static<typeof CompletenessSchema>;
export type SensorCompleteness = CompletenessAnswer["sensors"][number];

export const GapsSchema = Type.Object({
  sensor: SubjectSchema,
  ...RangeFields,
  ...RateFields,
  min_gap_s: Type.Number({ description: "Shorter gaps are left out" }),
  gaps: Type.Array(
    Type.Object({
      from: time("The last reading before the gap, or the begin of the range"),
      to: time("The first reading after it, or the end of the range"),
      seconds: Type.Number(),
    }),
  ),
  ...NextField,
});

const ms = (description: string) => Type.Number({ description });
export const SkewSchema = Type.Object({
  ...RangeFields,
  explanation: Type.String(),
  producers: Type.Array(
    Type.Object({
      user_id: uuid("Who sent the batches"),
      username: orNull(Type.String()),
      jobs: count("Batches with stored readings"),
      min_delay_ms: ms("Least time from a batch's newest reading to its receipt; negative: from the future"),
      median_delay_ms: ms("Median of the same"),
      p95_delay_ms: ms("95th percentile of the same"),
      estimated_skew_ms: ms("Producer's clock minus ours, by the least delayed batch: -min_delay_ms"),
      clock_ahead: Type.Boolean({
        description: "Readings came from the future: the clock is certainly ahead",
      }),
    }),
  ),
});
