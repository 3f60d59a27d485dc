/** A batch written in each format, and compressed in each coding: what a producer's library would make of it. */
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

/** One reading as every format can say it: a field is a text, a number, or not there. */
export interface PlainReading {
  readonly sensor_id?: string;
  readonly sensor?: string;
  readonly timestamp?: string;
  readonly value?: number | string;
  readonly unit?: string;
  readonly quality?: number | string;
}

export interface WrittenBatch {
  readonly path: string;
  readonly type: string;
  readonly body: string;
}

const COLUMNS = ["quality", "sensor", "sensor_id", "value", "unit", "timestamp"] as const;
const cell = (value: string | number | undefined) => {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export const WRITERS: Readonly<
  Record<string, (system_id: string, readings: readonly PlainReading[]) => WrittenBatch>
> = {
  json: (system_id, readings) => ({
    path: "/api/v1/data/ingest",
    type: "application/json",
    body: JSON.stringify({ system_id, readings }),
  }),
  ndjson: (system_id, readings) => ({
    path: `/api/v1/data/ingest?system_id=${system_id}`,
    type: "application/x-ndjson",
    body: readings.map((reading) => JSON.stringify(reading)).join("\r\n"),
  }),
  csv: (system_id, readings) => ({
    path: `/api/v1/data/ingest?system_id=${system_id}`,
    type: "text/csv",
    body: [
      COLUMNS.join(","),
      ...readings.map((one) => COLUMNS.map((name) => cell(one[name])).join(",")),
    ].join("\n"),
  }),
};

const tagText = (text: string) => text.replace(/[,= ]/g, "\\$&");
const fieldText = (value: number | string | undefined) =>
  typeof value === "string" ? `"${value.replace(/["\\]/g, "\\$&")}"` : String(value);

/** A reading as a field of a line; what line protocol cannot say must not be in it. */
export interface LineReading extends PlainReading {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly field: string;
  /** Whole microseconds since the epoch. */
  readonly at_us: number;
}

/** Lines of one field each. */
export function writeLines(system_id: string, readings: readonly LineReading[]): WrittenBatch {
  const body = readings.map(({ measurement, tags, field, at_us, value, unit, quality }) => {
    const all = {
      ...tags,
      ...(unit === undefined ? {} : { unit }),
      ...(quality === undefined ? {} : { quality }),
    };
    const pairs = Object.entries(all).map(([key, tag]) => `,${tagText(key)}=${tagText(String(tag))}`);
    return `${tagText(measurement)}${pairs.join("")} ${tagText(field)}=${fieldText(value)} ${at_us}000`;
  });
  return { path: `/api/v2/write?bucket=${system_id}`, type: "text/plain", body: body.join("\n") };
}

export const CODINGS: Readonly<Record<string, (body: string) => Uint8Array<ArrayBuffer>>> = {
  identity: (body) => Buffer.from(body),
  gzip: (body) => gzipSync(body),
  deflate: (body) => deflateSync(body),
  zstd: (body) => zstdCompressSync(body),
};
