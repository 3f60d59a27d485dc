/** The stream in the words of OpenTelemetry's semantic conventions for messaging (1.4x; not stable yet). */
import type { Attributes } from "../ops/trace.ts";
import { INGEST_GROUP } from "./keys.ts";

/** What the partitions of the stream are together. */
const DESTINATION = "ingest";

/** Of a span that sends to the stream, or works off what came from it. */
export function messagingAttributes(
  operation: "send" | "process" | "settle",
  partition?: number,
): Attributes {
  return {
    "messaging.system": "redis",
    "messaging.destination.name": DESTINATION,
    "messaging.destination.partition.id": partition === undefined ? undefined : String(partition),
    "messaging.operation.name": operation,
    "messaging.operation.type": operation,
    "messaging.consumer.group.name": operation === "send" ? undefined : INGEST_GROUP,
  };
}
