/**
 * Job ids are UUIDv7 (RFC 9562 section 5.7): sortable by time of acceptance. The last byte, which the RFC leaves
 * to chance, holds the stream partition, so that an id alone finds its Redis keys, whatever the number of
 * partitions is today.
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A new job id for the partition (0-255). */
export function newJobId(partition: number): string {
  const id = Bun.randomUUIDv7();
  return id.slice(0, 34) + partition.toString(16).padStart(2, "0");
}

/** The partition of a job id. */
export function partitionOf(jobId: string): number {
  return Number.parseInt(jobId.slice(34), 16);
}

/** True for any UUID in text form (RFC 9562 section 4), in either case. */
export function isUuid(text: string): boolean {
  return text.length === 36 && UUID.test(text);
}
