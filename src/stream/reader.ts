/**
 * Waits for new entries. A single server is asked for all partitions by one command. In a cluster no command may touch
 * two slots, so each partition has a line of its own: first all are asked for what is there, and only when there is
 * nothing they wait, until the first one hears something. A read that then still waits goes on; what it brings is
 * held for the next call.
 */
import { sleep } from "../ops/retry.ts";
import { replyCode } from "./connection.ts";
import { type RawEntry, type StreamEntry, toEntries } from "./entries.ts";
import { INGEST_GROUP, streamKey } from "./keys.ts";
import type { Line } from "./line.ts";
import type { ScriptedRedis } from "./scripts.ts";

type RawStreams = [Buffer, RawEntry[]][] | null;

/** Longer than XREADGROUP blocks: a read that is silent for so long has lost its connection without knowing. */
const WATCHDOG_MARGIN_MS = 5_000;
/** Servers that answer are not held up for longer by one that does not, ms. */
const PATIENCE_MS = 50;
const NOTHING = new Error("no new entries");

/** A line and the partitions that one command may read on it. */
interface Share {
  readonly line: Line;
  readonly partitions: readonly number[];
  reading: Promise<boolean> | null;
}

/** What a read is to bring, and whom. */
export interface Wanted {
  readonly consumer: string;
  readonly partitions: number;
  /** About so many, shared between the partitions. */
  readonly count: number;
  /** Wait so long for the first one; null: not at all. */
  readonly block_ms: number | null;
  /** Called when a partition has no group yet, or has lost it. */
  readonly makeGroups: (partitions: readonly number[]) => Promise<void>;
}

export class StreamReader {
  readonly #shares: Share[] = [];
  readonly #held: StreamEntry[] = [];

  /**
   * @param lineFor connects to the server of a partition; null: to the one that has all
   * @param apart each partition needs a line of its own
   */
  constructor(
    private readonly lineFor: (partition: number | null) => Line,
    private readonly apart: boolean,
  ) {}

  /**
   * New entries, or what was heard since the last call.
   * @throws {StreamUnavailableError} when there are none and a server is away
   */
  async read(wanted: Wanted): Promise<StreamEntry[]> {
    this.#divide(wanted.partitions);
    if (this.#shares.length > 1) {
      const asked = this.#shares.map((share) => this.#begin(share, { ...wanted, block_ms: null }));
      await Promise.race([Promise.allSettled(asked), sleep(PATIENCE_MS)]);
    }
    if (this.#held.length === 0) await firstOf(this.#shares.map((share) => this.#begin(share, wanted)));
    return this.take();
  }

  /** What has been heard and not been taken. */
  get held(): readonly StreamEntry[] {
    return this.#held;
  }

  take(): StreamEntry[] {
    return this.#held.splice(0);
  }

  /** Resolves when no read is under way. */
  async quiet(): Promise<void> {
    await Promise.allSettled(this.#shares.map(({ reading }) => reading));
  }

  close(): void {
    for (const { line } of this.#shares) line.close();
  }

  /** Partitions may be added while it reads. */
  #divide(partitions: number): void {
    const all = Array.from({ length: partitions }, (_, p) => p);
    if (this.apart) {
      for (const p of all.slice(this.#shares.length))
        this.#shares.push({ line: this.lineFor(p), partitions: [p], reading: null });
    } else if (this.#shares[0]?.partitions.length !== partitions) {
      const line = this.#shares[0]?.line ?? this.lineFor(null);
      this.#shares[0] = { line, partitions: all, reading: null };
    }
  }

  /** The read that is under way, or a new one. True when it brought something. */
  #begin(share: Share, wanted: Wanted): Promise<boolean> {
    share.reading ??= this.#readShare(share, wanted).finally(() => {
      share.reading = null;
    });
    return share.reading;
  }

  async #readShare({ line, partitions }: Share, wanted: Wanted): Promise<boolean> {
    const deadline_ms = (wanted.block_ms ?? 0) + WATCHDOG_MARGIN_MS;
    try {
      const streams = await line.run((redis) => readGroup(redis, partitions, wanted), deadline_ms);
      const entries = (streams ?? []).flatMap(([key, raw]) => toEntries(partitionOfKey(key), raw, false));
      this.#held.push(...entries);
      return entries.length > 0;
    } catch (error) {
      if (replyCode(error) !== "NOGROUP") throw error;
      await wanted.makeGroups(partitions);
      return false;
    }
  }
}

function readGroup(redis: ScriptedRedis, partitions: readonly number[], wanted: Wanted): Promise<RawStreams> {
  const { consumer, count, block_ms } = wanted;
  const each = Math.max(1, Math.ceil(count / wanted.partitions));
  const keys = partitions.map(streamKey);
  const ids = keys.map(() => ">");
  const read =
    block_ms === null
      ? redis.xreadgroupBuffer("GROUP", INGEST_GROUP, consumer, "COUNT", each, "STREAMS", ...keys, ...ids)
      : redis.xreadgroupBuffer(
          ...(["GROUP", INGEST_GROUP, consumer, "COUNT", each, "BLOCK", block_ms, "STREAMS"] as const),
          ...keys,
          ...ids,
        );
  return read as Promise<RawStreams>;
}

/** Resolves with the first that brought something, or when none did. @throws what one threw, when none did */
async function firstOf(reads: readonly Promise<boolean>[]): Promise<void> {
  const brought = reads.map(async (read) => {
    if (!(await read)) throw NOTHING;
  });
  try {
    await Promise.any(brought);
  } catch (error) {
    const fault = (error as AggregateError).errors.find((one) => one !== NOTHING);
    if (fault !== undefined) throw fault;
  }
}

function partitionOfKey(key: Buffer): number {
  const text = key.toString();
  return Number(text.slice(text.indexOf("{") + 1, -1));
}
