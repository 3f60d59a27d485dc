/**
 * The way out of the stream, for one ingest thread: read new entries, keep those in hand from being claimed, claim
 * what a dead consumer left, settle what was committed, bury what cannot be processed. Nothing else acknowledges.
 */
import type { Redis } from "ioredis";
import { NEWEST_VERSION } from "../contract/entry-body.ts";
import type { JobRecord } from "../contract/job.ts";
import { partitionOf } from "../contract/job-id.ts";
import { reaching, replyCode } from "./connection.ts";
import { endFields } from "./jobs.ts";
import {
  attemptsKey,
  backlogKey,
  deadKey,
  INGEST_GROUP,
  jobKey,
  streamKey,
  WAITING_CONSUMER,
} from "./keys.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** An entry as it came from the stream, not decoded. */
export interface StreamEntry {
  readonly partition: number;
  readonly id: string;
  readonly fields: readonly Buffer[];
  /** True when another consumer may have begun to process it. */
  readonly redelivered: boolean;
  /** Who had it when it was claimed; its session in Postgres may still be open. */
  readonly heldBy?: string;
}

type RawEntry = [Buffer, Buffer[] | null];
type RawStreams = [Buffer, RawEntry[]][] | null;

/** Longer than XREADGROUP blocks: a read that is silent for so long has lost its connection without knowing. */
const WATCHDOG_MARGIN_MS = 5_000;

/** Attempts are forgotten after this, s. */
const ATTEMPTS_TTL_S = 86_400;

/** Bytes of the body as Redis keeps it, and as the backlog counted them. */
export const bodySize = (entry: StreamEntry) => entry.fields[5]?.byteLength ?? 0;

export class StreamConsumer {
  readonly #partitions: readonly number[];

  /**
   * @param reader a client of its own: XREADGROUP blocks it
   * @param redis for everything else
   * @param name unique for every life of a thread
   */
  constructor(
    private readonly reader: Redis,
    private readonly redis: ScriptedRedis,
    readonly name: string,
    partitions: number,
    private readonly job_ttl_s: number,
    /** Of entries that this program can read; another one in tests. */
    private readonly newest_version = NEWEST_VERSION,
  ) {
    this.#partitions = Array.from({ length: partitions }, (_, p) => p);
  }

  /** Make the groups if they are missing; those made later start at the oldest entry. */
  async ensureGroups(): Promise<void> {
    for (const p of this.#partitions) {
      try {
        await reaching(this.redis.hiGroup(streamKey(p), INGEST_GROUP));
      } catch (error) {
        if (replyCode(error) !== "BUSYGROUP") throw error;
      }
    }
  }

  /**
   * New entries: about `count` shared between the partitions, waiting `block_ms` for the first.
   * @throws {StreamUnavailableError}
   */
  async read(count: number, block_ms: number): Promise<StreamEntry[]> {
    const keys = this.#partitions.map(streamKey);
    const ids = keys.map(() => ">");
    const watchdog = setTimeout(() => this.reader.disconnect(true), block_ms + WATCHDOG_MARGIN_MS);
    try {
      const read = this.reader.xreadgroupBuffer(
        "GROUP",
        INGEST_GROUP,
        this.name,
        "COUNT",
        Math.max(1, Math.floor(count / this.#partitions.length)),
        "BLOCK",
        block_ms,
        "STREAMS",
        ...keys,
        ...ids,
      );
      const streams = (await reaching(read)) as RawStreams;
      return (streams ?? []).flatMap(([key, raw]) => toEntries(this.#partitionOfKey(key), raw, false));
    } catch (error) {
      if (replyCode(error) !== "NOGROUP") throw error;
      await this.ensureGroups();
      return [];
    } finally {
      clearTimeout(watchdog);
    }
  }

  /**
   * Entries whose consumer has been silent for `idle_ms`, and those that waited for a program that knows their version;
   * at most `count` from each partition.
   */
  async claimIdle(idle_ms: number, count: number): Promise<StreamEntry[]> {
    const claimed: StreamEntry[] = [];
    for (const p of this.#partitions) {
      const who = [INGEST_GROUP, this.name, idle_ms, count, this.newest_version, WAITING_CONSUMER];
      const taken = await this.#orNothing(this.redis.hiTakeOverBuffer(streamKey(p), ...who));
      for (const [owner, raw] of taken ?? []) {
        const name = owner.toString();
        const isHeld = name !== this.name && !name.startsWith(WAITING_CONSUMER);
        claimed.push(
          ...toEntries(p, raw, true).map((entry) => (isHeld ? { ...entry, heldBy: name } : entry)),
        );
      }
    }
    return claimed;
  }

  /** Keep an entry of a version that this program does not know for one that does. It stays in the backlog. */
  async leaveToNewer(entry: StreamEntry, version: number): Promise<void> {
    const waiting = `${WAITING_CONSUMER}${version}`;
    await reaching(
      this.redis.xclaim(streamKey(entry.partition), INGEST_GROUP, waiting, 0, entry.id, "JUSTID"),
    );
  }

  /** Everything that one dead consumer left, whatever its age; at most `count` from each partition. */
  async claimFrom(consumer: string, count: number): Promise<StreamEntry[]> {
    const claimed: StreamEntry[] = [];
    for (const p of this.#partitions) {
      const pending = await this.#orNothing(
        this.redis.xpending(streamKey(p), INGEST_GROUP, "-", "+", count, consumer),
      );
      claimed.push(...(await this.#claim(p, pending, 0)));
    }
    return claimed;
  }

  /** Take over what XPENDING listed, unless somebody else was faster: a claim resets the idle time. */
  async #claim(p: number, listed: unknown[] | null, idle_ms: number): Promise<StreamEntry[]> {
    const owners = new Map(
      (listed ?? []).map((row) => (row as [string, string]).slice(0, 2) as [string, string]),
    );
    if (owners.size === 0) return [];
    const reply = await this.#orNothing(
      this.redis.callBuffer("XCLAIM", streamKey(p), INGEST_GROUP, this.name, idle_ms, ...owners.keys()),
    );
    return toEntries(p, (reply ?? []) as unknown as RawEntry[], true).map((entry) => {
      const heldBy = owners.get(entry.id);
      return heldBy === undefined || heldBy === this.name ? entry : { ...entry, heldBy };
    });
  }

  /** Show that the entries are still in work (XCLAIM to itself resets their idle time, JUSTID counts nothing). */
  async keep(entries: Iterable<StreamEntry>): Promise<void> {
    const byPartition = Map.groupBy(entries, (entry) => entry.partition);
    for (const [p, list] of byPartition) {
      const ids = list.map((entry) => entry.id);
      await this.#orNothing(this.redis.xclaim(streamKey(p), INGEST_GROUP, this.name, 0, ...ids, "JUSTID"));
    }
  }

  /** Forget a consumer that holds nothing. */
  async retire(consumer: string): Promise<void> {
    for (const p of this.#partitions) {
      await this.#orNothing(this.redis.hiRetire(streamKey(p), INGEST_GROUP, consumer));
    }
  }

  /** Forget consumers that have held nothing and asked for nothing since `idle_ms`. */
  async retireSilent(idle_ms: number): Promise<void> {
    for (const p of this.#partitions) {
      // XINFO answers a missing stream with a plain ERR, which says nothing.
      if ((await reaching(this.redis.exists(streamKey(p)))) === 0) continue;
      const reply = await this.#orNothing(this.redis.xinfo("CONSUMERS", streamKey(p), INGEST_GROUP));
      for (const row of (reply ?? []) as unknown[][]) {
        const info = new Map(pairs(row));
        const silent = Number(info.get("pending")) === 0 && Number(info.get("idle")) > idle_ms;
        if (silent)
          await this.#orNothing(this.redis.hiRetire(streamKey(p), INGEST_GROUP, String(info.get("name"))));
      }
    }
  }

  /** Tell that the jobs are in work. */
  async begin(job_ids: readonly string[], now_ms: number): Promise<void> {
    for (const ids of Map.groupBy(job_ids, partitionOf).values()) {
      await reaching(this.redis.hiBegin(ids.length, ...ids.map(jobKey), now_ms));
    }
  }

  /**
   * Count an attempt to decode or check an entry, before it begins; `attemptEnded` takes it back. What remains
   * are attempts that killed their thread.
   * @returns attempts that did not end, this one included
   */
  async attemptBegun(entry: StreamEntry): Promise<number> {
    return reaching(this.redis.hiAttempt(attemptsKey(entry.partition, entry.id), 1, ATTEMPTS_TTL_S));
  }

  async attemptEnded(entry: StreamEntry): Promise<void> {
    await reaching(this.redis.hiAttempt(attemptsKey(entry.partition, entry.id), -1, ATTEMPTS_TTL_S));
  }

  /** After COMMIT, in one script for each partition: the job hashes end, the entries are acknowledged and deleted. */
  async settle(ended: readonly { entry: StreamEntry; job: JobRecord }[]): Promise<void> {
    for (const [p, list] of Map.groupBy(ended, ({ entry }) => entry.partition)) {
      const keys = [streamKey(p), backlogKey(p), ...list.map(({ job }) => jobKey(job.job_id))];
      const rows = list.map(({ entry, job }) => [entry.id, bodySize(entry), ...endFields(job)]);
      const width = rows[0]!.length;
      await reaching(
        this.redis.hiSettle(keys.length, ...keys, INGEST_GROUP, this.job_ttl_s, width, ...rows.flat()),
      );
    }
  }

  /** Move an entry that cannot be processed to the dead letters, payload and all; its job, if it has one, ends. */
  async bury(entry: StreamEntry, reason: string, now_ms: number, job: JobRecord | null): Promise<void> {
    const { partition: p, id } = entry;
    const end = job ? endFields(job) : [];
    const keys = [streamKey(p), deadKey(p), backlogKey(p), job ? jobKey(job.job_id) : `job:{${p}}:none`];
    await reaching(this.redis.del(attemptsKey(p, id)));
    await reaching(
      this.redis.hiBury(...keys, INGEST_GROUP, id, bodySize(entry), reason, now_ms, this.job_ttl_s, ...end),
    );
  }

  /** Null instead of an error while the group does not exist (Redis lost its data, or nobody read yet). */
  async #orNothing<T>(command: Promise<T>): Promise<T | null> {
    try {
      return await reaching(command);
    } catch (error) {
      if (replyCode(error) === "NOGROUP") {
        await this.ensureGroups();
        return null;
      }
      throw error;
    }
  }

  #partitionOfKey(key: Buffer): number {
    const text = key.toString();
    return Number(text.slice(text.indexOf("{") + 1, -1));
  }
}

/** Deleted entries come without fields; they are settled already. */
function toEntries(partition: number, raw: readonly RawEntry[], redelivered: boolean): StreamEntry[] {
  return raw.flatMap(([id, fields]) =>
    fields ? [{ partition, id: id.toString(), fields, redelivered }] : [],
  );
}

function pairs(flat: readonly unknown[]): [string, unknown][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [String(flat[2 * i]), flat[2 * i + 1]]);
}
