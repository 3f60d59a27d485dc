/** The span of a batch in an ingest thread, from its decoding to its acknowledgement, in OpenTelemetry's words. */
import type { EntryMeta } from "../contract/entry.ts";
import type { JobRecord } from "../contract/job.ts";
import type { Span, Tracer } from "../ops/trace.ts";
import { parseContext } from "../ops/trace-context.ts";
import { bodySize, type StreamEntry } from "../stream/entries.ts";
import { messagingAttributes } from "../stream/messaging.ts";

/** Goes on where the request that brought the batch has left off; what it was given travels in the entry. */
export function beginBatch(tracer: Tracer, entry: StreamEntry, meta: EntryMeta, begun_ms: number): Span {
  const span = tracer.begin("process ingest", parseContext(meta.traceparent, meta.tracestate), {
    kind: "consumer",
    begun_ms,
  });
  if (span.recording)
    span.set({
      ...messagingAttributes("process", entry.partition),
      "messaging.message.id": entry.id,
      "messaging.message.body.size": bodySize(entry),
      "hydraulic.job_id": meta.job_id,
      "hydraulic.readings": meta.total_readings,
      "hydraulic.redelivered": entry.redelivered ? true : undefined,
    });
  return span;
}

/** The batch's job has ended, and its entry is acknowledged. */
export function endBatch(span: Span, job: JobRecord): void {
  span.set({
    "hydraulic.inserted": job.inserted_readings,
    "hydraulic.duplicate": job.duplicate_readings,
    "hydraulic.quarantined": job.quarantined_readings,
  });
  if (job.status === "failed") span.fail(job.error_message ?? "the job failed", "job_failed");
  span.end();
}
