/** A batch as an HTTP request, in its format and coding. */
import { CODINGS, WRITERS, type WrittenBatch, writeLines } from "../../tests/support/format-writers.ts";
import { postRequest } from "../bench/http-connection.ts";
import {
  type DataShape,
  fieldOf,
  type LaneBatch,
  MEASUREMENT,
  type Reading,
  sensorId,
  sensorName,
  tagsOf,
} from "./batches.ts";

/** What the service is sent of a reading, and keeps of a refused one, in the formats that are made of objects. */
export function asSent(shape: DataShape, { lane, format }: LaneBatch, reading: Reading) {
  const { sensor, at_ms, value, unit, quality } = reading;
  const named = format === "ndjson";
  return {
    ...(named ? { sensor: sensorName(shape, lane, sensor) } : { sensor_id: sensorId(shape, lane, sensor) }),
    timestamp: new Date(at_ms).toISOString(),
    value,
    unit,
    quality,
  };
}

function written(shape: DataShape, batch: LaneBatch): WrittenBatch {
  const { lane, format, system_id, readings } = batch;
  if (format !== "line")
    return WRITERS[format]!(
      system_id,
      readings.map((reading) => asSent(shape, batch, reading)),
    );
  const tags = tagsOf(shape, lane);
  const lines = readings.map(({ sensor, at_ms, value, unit, quality }) => ({
    ...{ measurement: MEASUREMENT, tags, field: fieldOf(sensor), at_us: at_ms * 1_000, value, unit, quality },
  }));
  return writeLines(system_id, lines);
}

/** Head and body. @param keyed false leaves its Idempotency-Key out */
export function requestOf(shape: DataShape, batch: LaneBatch, token: string, keyed = true): Buffer {
  const { path, type, body } = written(shape, batch);
  const headers: Record<string, string> = {};
  if (batch.gzip) headers["Content-Encoding"] = "gzip";
  if (batch.key !== null && keyed) headers["Idempotency-Key"] = batch.key;
  const bytes = CODINGS[batch.gzip ? "gzip" : "identity"]!(body);
  return postRequest("127.0.0.1", path, token, Buffer.from(bytes), type, headers);
}
