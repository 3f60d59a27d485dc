/** Entries as they come from the stream, not decoded. */

export interface StreamEntry {
  readonly partition: number;
  readonly id: string;
  readonly fields: readonly Buffer[];
  /** True when another consumer may have begun to process it. */
  readonly redelivered: boolean;
  /** Who had it when it was claimed; its session in Postgres may still be open. */
  readonly heldBy?: string;
}

/** Of XREADGROUP and XCLAIM. */
export type RawEntry = [Buffer, Buffer[] | null];

/** Bytes of the body as Redis keeps it, and as the backlog counted them. */
export const bodySize = (entry: StreamEntry) => entry.fields[5]?.byteLength ?? 0;

/** Deleted entries come without fields; they are settled already. */
export function toEntries(partition: number, raw: readonly RawEntry[], redelivered: boolean): StreamEntry[] {
  return raw.flatMap(([id, fields]) =>
    fields ? [{ partition, id: id.toString(), fields, redelivered }] : [],
  );
}
