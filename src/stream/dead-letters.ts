/** Entries that could not be processed: list them, bring them back. */
import { type EntryMeta, readableMeta } from "../contract/entry.ts";
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

  /**
   * Every dead letter of this moment, oldest first in each partition. One that is replayed in the meantime and
   * fails again comes later and is not listed: replaying all of them ends.
   * @param page read at once; payloads come with them
   * @throws {StreamUnavailableError}
   */
  async *list(page = 4): AsyncGenerator<DeadLetter> {
    for (let partition = 0; partition < this.partitions; partition += 1) {
      const newest = await reaching(this.redis.xrevrange(deadKey(partition), "+", "-", "COUNT", 1));
      const last = newest[0]?.[0];
      let after = "-";
      while (last !== undefined) {
        const rows = await reaching(this.redis.xrangeBuffer(deadKey(partition), after, last, "COUNT", page));
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
    meta: readableMeta(entry),
    size: entry[5]?.byteLength ?? 0,
  };
}
