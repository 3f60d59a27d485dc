/** Entries that could not be processed: list them, look at them, bring them back, throw them away. */
import { type EntryMeta, readableMeta } from "../contract/entry.ts";
import { partitionOf } from "../contract/job-id.ts";
import { type Reach, reaches } from "../contract/reach.ts";
import { reaching } from "./connection.ts";
import { jobFields } from "./jobs.ts";
import { backlogKey, deadClaimKey, deadKey, jobKey, streamKey } from "./keys.ts";
import { type PartitionCount, partitionsOf } from "./partitions.ts";
import type { ScriptedRedis } from "./scripts.ts";

export interface DeadLetterKey {
  readonly partition: number;
  /** Id in the dead-letter stream. */
  readonly id: string;
}

export interface DeadLetter extends DeadLetterKey {
  readonly reason: string;
  readonly buried_at_ms: number;
  /** Null when the entry cannot be decoded at all. */
  readonly meta: EntryMeta | null;
  /** Bytes of the body. */
  readonly size: number;
}

/** reason, entry and buried_at_ms, each with its name, stand before the entry's own fields. */
const OWN_FIELDS = 6;
/** Looked at by the first script: each may be megabytes, and Redis must not be held up for long. */
const HEADS_AT_FIRST = 10;
/** Looked at by one script after that, by the sizes of those before: some ms. */
const HEAD_BYTES_AT_ONCE = 2_000_000;
const HEADS_AT_ONCE = 200;
/** Longer than a decision takes; after a crash in the middle of one, others may decide again. */
const CLAIM_TTL_MS = 30_000;

const EVERY_LETTER = { job_id: null, reach: null } as const;

export class DeadLetters {
  constructor(
    private readonly redis: ScriptedRedis,
    private readonly partitions: PartitionCount,
  ) {}

  /**
   * Every dead letter of this moment, oldest first in each partition. One that is replayed in the meantime and
   * fails again comes later and is not listed: replaying all of them ends.
   * @param page read at once; payloads come with them
   * @throws {StreamUnavailableError}
   */
  async *list(page = 4): AsyncGenerator<DeadLetter> {
    for (const partition of partitionsOf(this.partitions)) {
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

  /**
   * Dead letters without their payloads, newest first.
   * @param after last one seen; null begins
   * @param wanted only those of a job, or of some systems: as many are looked at as need be; null: all
   * @throws {StreamUnavailableError}
   */
  async page(
    after: DeadLetterKey | null,
    limit: number,
    wanted: { readonly job_id: string | null; readonly reach: Reach } = EVERY_LETTER,
  ): Promise<DeadLetter[]> {
    const { job_id } = wanted;
    const partitions = job_id === null ? partitionsOf(this.partitions) : [partitionOf(job_id)];
    const found = await Promise.all(
      partitions.map((p) => this.#first(p, newestAfter(after, p), limit, wanted)),
    );
    return found.flat().sort(newestFirst).slice(0, limit);
  }

  /** The newest of a partition that are wanted. */
  async #first(
    partition: number,
    max: string,
    limit: number,
    { job_id, reach }: { readonly job_id: string | null; readonly reach: Reach },
  ): Promise<DeadLetter[]> {
    if (job_id === null && reach === null) return Array.fromAsync(this.#heads(partition, max, limit));
    const found: DeadLetter[] = [];
    for await (const letter of this.#heads(partition, max, Number.POSITIVE_INFINITY)) {
      const isWanted = job_id === null || letter.meta?.job_id === job_id;
      if (isWanted && isLetterWithin(reach, letter)) found.push(letter);
      if (found.length === limit) break;
    }
    return found;
  }

  /** One without its payload; null when there is none. @throws {StreamUnavailableError} */
  async head({ partition, id }: DeadLetterKey): Promise<DeadLetter | null> {
    const [row] = await reaching(this.redis.hiLetters(deadKey(partition), id, id, 1));
    return row ? toHead(partition, row) : null;
  }

  /** One, and the entry's own fields; null when there is none. @throws {StreamUnavailableError} */
  async open(key: DeadLetterKey): Promise<{ letter: DeadLetter; fields: readonly Buffer[] } | null> {
    const { partition, id } = key;
    const [row] = await reaching(this.redis.xrangeBuffer(deadKey(partition), id, id));
    const [, fields] = (row as unknown as [Buffer, Buffer[]] | undefined) ?? [];
    return fields ? { letter: toDeadLetter(partition, id, fields), fields: fields.slice(OWN_FIELDS) } : null;
  }

  /** Keep others from deciding about a dead letter. False while somebody else does. @throws {StreamUnavailableError} */
  async claim({ partition, id }: DeadLetterKey, owner: string): Promise<boolean> {
    return (await reaching(this.redis.hiHold(deadClaimKey(partition, id), owner, CLAIM_TTL_MS))) === 1;
  }

  /** The end of `claim`. @throws {StreamUnavailableError} */
  async release({ partition, id }: DeadLetterKey, owner: string): Promise<void> {
    await reaching(this.redis.hiDrop(deadClaimKey(partition, id), owner));
  }

  /** Delete one for good. False when it is gone: one command, so only one can succeed. @throws {StreamUnavailableError} */
  async discard({ partition, id }: DeadLetterKey): Promise<boolean> {
    return (await reaching(this.redis.xdel(deadKey(partition), id))) === 1;
  }

  /** Those of one partition from `max` on, newest first. */
  async *#heads(partition: number, max: string, limit: number): AsyncGenerator<DeadLetter> {
    let from = max;
    let most = HEADS_AT_FIRST;
    for (let left = limit; left > 0; ) {
      const count = Math.min(left, most);
      const rows = await reaching(this.redis.hiLetters(deadKey(partition), from, "-", count));
      const heads = rows.map((row) => toHead(partition, row));
      yield* heads;
      if (rows.length < count) return;
      from = `(${rows.at(-1)![0]}`;
      left -= count;
      const largest = Math.max(1, ...heads.map(({ size }) => size));
      most = Math.max(1, Math.min(HEADS_AT_ONCE, Math.floor(HEAD_BYTES_AT_ONCE / largest)));
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

/** True when the letter's batch is of one of the systems; one that cannot be read is within no list of them. */
export const isLetterWithin = (reach: Reach, { meta }: DeadLetter): boolean =>
  reach === null || (meta !== null && reaches(reach, meta.system_id));

/** Where a partition goes on: letters are in the order of id, then partition, newest first. */
function newestAfter(after: DeadLetterKey | null, partition: number): string {
  if (after === null) return "+";
  return partition < after.partition ? after.id : `(${after.id}`;
}

/** Ids are two numbers: milliseconds and a count within them. */
function newestFirst(a: DeadLetterKey, b: DeadLetterKey): number {
  const [aMs = 0, aSeq = 0] = a.id.split("-").map(Number);
  const [bMs = 0, bSeq = 0] = b.id.split("-").map(Number);
  return bMs - aMs || bSeq - aSeq || b.partition - a.partition;
}

function toHead(partition: number, row: readonly [string, string, string, string, number]): DeadLetter {
  const [id, reason, buried_at_ms, meta, size] = row;
  return {
    partition,
    id,
    reason,
    buried_at_ms: Number(buried_at_ms),
    meta: readableMeta([Buffer.from("m"), Buffer.from(meta)]),
    size,
  };
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
