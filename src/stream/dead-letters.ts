/** Entries that could not be processed: list them, bring them back. */
import { decodeEntry, EntryError, type EntryMeta } from "../contract/entry.ts";
import { reaching } from "./connection.ts";
import { jobFields } from "./jobs.ts";
import { backlogKey, deadKey, jobKey, streamKey } from "./keys.ts";
import type { ScriptedRedis } from "./scripts.ts";

export interface DeadLetter {
  readonly partition: number;
  /** Id in the dead-letter stream. */
  readonly id: string;
  readonly reason: string;
  readonly buried_at_ms: number;
  /** Null when the entry cannot be decoded at all. */
  readonly meta: EntryMeta | null;
  /** Bytes of the body. */
  readonly size: number;
}

/** reason, entry and buried_at_ms, each with its name, stand before the entry's own fields. */
const OWN_FIELDS = 6;

export class DeadLetters {
  constructor(
    private readonly redis: ScriptedRedis,
    private readonly partitions: number,
  ) {}

  /** Every dead letter, oldest first in each partition, `page` at a time. @throws {StreamUnavailableError} */
  async *list(page = 20): AsyncGenerator<DeadLetter> {
    for (let partition = 0; partition < this.partitions; partition += 1) {
      let after = "-";
      for (;;) {
        const rows = await reaching(this.redis.xrangeBuffer(deadKey(partition), after, "+", "COUNT", page));
        for (const [id, fields] of rows as [Buffer, Buffer[]][]) {
          after = `(${id.toString()}`;
          yield toDeadLetter(partition, id.toString(), fields);
        }
        if (rows.length < page) break;
      }
    }
  }

  /** Put one back at the end of the stream, its job queued again. False when somebody else did it first. */
  async revive(letter: DeadLetter): Promise<boolean> {
    const { partition: p, meta } = letter;
    const job = meta ? jobKey(meta.job_id) : `job:{${p}}:none`;
    const done = await reaching(
      this.redis.hiRevive(
        deadKey(p),
        streamKey(p),
        job,
        backlogKey(p),
        letter.id,
        letter.size,
        ...(meta ? jobFields(meta) : []),
      ),
    );
    return done === 1;
  }
}

function toDeadLetter(partition: number, id: string, fields: Buffer[]): DeadLetter {
  const entry = fields.slice(OWN_FIELDS);
  return {
    partition,
    id,
    reason: fields[1]?.toString() ?? "",
    buried_at_ms: Number(fields[5]?.toString()),
    meta: metaOrNull(entry),
    size: entry[5]?.byteLength ?? 0,
  };
}

function metaOrNull(entry: readonly Buffer[]): EntryMeta | null {
  try {
    return decodeEntry(entry).meta;
  } catch (error) {
    if (error instanceof EntryError) return null;
    throw error;
  }
}
