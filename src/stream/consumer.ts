/**
 * The way out of the stream, for one ingest thread: read new entries, keep those in hand from being claimed, claim
 * what a dead consumer left, settle what was committed, bury what cannot be processed. Nothing else acknowledges.
 */
import { NEWEST_VERSION } from "../contract/entry-body.ts";
import type { JobRecord } from "../contract/job.ts";
import { partitionOf } from "../contract/job-id.ts";
import { atPartitions, byPartition } from "./at-partitions.ts";
import { reaching, replyCode } from "./connection.ts";
import { bodySize, type RawEntry, type StreamEntry, toEntries } from "./entries.ts";
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
import { type PartitionCount, partitionsOf } from "./partitions.ts";
import type { StreamReader } from "./reader.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** Attempts are forgotten after this, s. */
const ATTEMPTS_TTL_S = 86_400;

/** One thread's part in the groups of all partitions. Each call throws {StreamUnavailableError} while Redis is away. */
export class StreamConsumer {
  /**
   * @param reader waits for new entries on connections of its own
   * @param redis for everything else
   * @param name unique for every life of a thread
   */
  constructor(
    private readonly reader: StreamReader,
    private readonly redis: ScriptedRedis,
    readonly name: string,
    private readonly partitions: PartitionCount,
    private readonly job_ttl_s: number,
    /** Of entries that this program can read; another one in tests. */
    private readonly newest_version = NEWEST_VERSION,
  ) {}

  get #partitions(): readonly number[] {
    return partitionsOf(this.partitions);
  }

  /** Make the groups if they are missing; those made later start at the oldest entry. */
  readonly ensureGroups = async (partitions = this.#partitions): Promise<void> => {
    await atPartitions(partitions, async (p) => {
      try {
        await reaching(this.redis.hiGroup(streamKey(p), INGEST_GROUP));
      } catch (error) {
        if (replyCode(error) !== "BUSYGROUP") throw error;
      }
    });
  };

  /** New entries: about `count` shared between the partitions, waiting `block_ms` for the first. */
  read(count: number, block_ms: number): Promise<StreamEntry[]> {
    return this.reader.read({
      consumer: this.name,
      partitions: this.#partitions.length,
      count,
      block_ms,
      makeGroups: this.ensureGroups,
    });
  }

  /** After the last `read`: what has been heard since. They are this consumer's, and nobody else gets them soon. */
  async rest(): Promise<StreamEntry[]> {
    await this.reader.quiet();
    return this.reader.take();
  }

  /**
   * Entries whose consumer has been silent for `idle_ms`, and those that waited for a program that knows their version;
   * at most `count` from each partition.
   */
  async claimIdle(idle_ms: number, count: number): Promise<StreamEntry[]> {
    const claimed = await atPartitions(this.#partitions, async (p) => {
      const who = [INGEST_GROUP, this.name, idle_ms, count, this.newest_version, WAITING_CONSUMER];
      const taken = (await this.#orNothing(p, this.redis.hiTakeOverBuffer(streamKey(p), ...who))) ?? [];
      return taken.flatMap(([owner, raw]) => this.#takenFrom(owner.toString(), toEntries(p, raw, true)));
    });
    return claimed.flat();
  }

  /** An owner that is somebody else may still be at work on them. */
  #takenFrom(owner: string, entries: StreamEntry[]): StreamEntry[] {
    const isHeld = owner !== this.name && !owner.startsWith(WAITING_CONSUMER);
    return isHeld ? entries.map((entry) => ({ ...entry, heldBy: owner })) : entries;
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
    const claimed = await atPartitions(this.#partitions, async (p) => {
      const pending = this.redis.xpending(streamKey(p), INGEST_GROUP, "-", "+", count, consumer);
      return this.#claim(p, await this.#orNothing(p, pending));
    });
    return claimed.flat();
  }

  /** Take over what XPENDING listed, unless somebody else was faster: a claim resets the idle time. */
  async #claim(p: number, listed: unknown[] | null): Promise<StreamEntry[]> {
    const owners = new Map(
      (listed ?? []).map((row) => (row as [string, string]).slice(0, 2) as [string, string]),
    );
    if (owners.size === 0) return [];
    const reply = await this.#orNothing(
      p,
      this.redis.callBuffer("XCLAIM", streamKey(p), INGEST_GROUP, this.name, 0, ...owners.keys()),
    );
    return toEntries(p, (reply ?? []) as unknown as RawEntry[], true).map((entry) => {
      const heldBy = owners.get(entry.id);
      return heldBy === undefined || heldBy === this.name ? entry : { ...entry, heldBy };
    });
  }

  /** Show that the entries are still in work (XCLAIM to itself resets their idle time, JUSTID counts nothing). */
  async keep(entries: Iterable<StreamEntry>): Promise<void> {
    await byPartition([...entries, ...this.reader.held], partitionOfEntry, async (p, list) => {
      const ids = list.map((entry) => entry.id);
      await this.#orNothing(p, this.redis.xclaim(streamKey(p), INGEST_GROUP, this.name, 0, ...ids, "JUSTID"));
    });
  }

  /** Forget a consumer that holds nothing. */
  async retire(consumer: string): Promise<void> {
    await atPartitions(this.#partitions, (p) =>
      this.#orNothing(p, this.redis.hiRetire(streamKey(p), INGEST_GROUP, consumer)),
    );
  }

  /** Forget consumers that have held nothing and asked for nothing since `idle_ms`. */
  async retireSilent(idle_ms: number): Promise<void> {
    await atPartitions(this.#partitions, async (p) => {
      // XINFO answers a missing stream with a plain ERR, which says nothing.
      if ((await reaching(this.redis.exists(streamKey(p)))) === 0) return;
      const reply = await this.#orNothing(p, this.redis.xinfo("CONSUMERS", streamKey(p), INGEST_GROUP));
      for (const row of (reply ?? []) as unknown[][]) {
        const info = new Map(pairs(row));
        const silent = Number(info.get("pending")) === 0 && Number(info.get("idle")) > idle_ms;
        const name = String(info.get("name"));
        if (silent) await this.#orNothing(p, this.redis.hiRetire(streamKey(p), INGEST_GROUP, name));
      }
    });
  }

  /** Tell that the jobs are in work. @param now_ms since the epoch */
  async begin(job_ids: readonly string[], now_ms: number): Promise<void> {
    await byPartition(job_ids, partitionOf, (_, ids) =>
      reaching(this.redis.hiBegin(ids.length, ...ids.map(jobKey), now_ms)),
    );
  }

  /**
   * Count an attempt to decode or check an entry, before it begins; `attemptEnded` takes it back. What remains
   * are attempts that killed their thread.
   * @returns attempts that did not end, this one included
   */
  async attemptBegun(entry: StreamEntry): Promise<number> {
    return reaching(this.redis.hiAttempt(attemptsKey(entry.partition, entry.id), 1, ATTEMPTS_TTL_S));
  }

  /** The attempt did not end the thread. */
  async attemptEnded(entry: StreamEntry): Promise<void> {
    await reaching(this.redis.hiAttempt(attemptsKey(entry.partition, entry.id), -1, ATTEMPTS_TTL_S));
  }

  /** After COMMIT, in one script for each partition: the job hashes end, the entries are acknowledged and deleted. */
  async settle(ended: readonly { entry: StreamEntry; job: JobRecord }[]): Promise<void> {
    await byPartition(
      ended,
      ({ entry }) => entry.partition,
      (p, list) => {
        const keys = [streamKey(p), backlogKey(p), ...list.map(({ job }) => jobKey(job.job_id))];
        const rows = list.map(({ entry, job }) => [entry.id, bodySize(entry), ...endFields(job)]);
        const width = rows[0]!.length;
        return reaching(
          this.redis.hiSettle(keys.length, ...keys, INGEST_GROUP, this.job_ttl_s, width, ...rows.flat()),
        );
      },
    );
  }

  /**
   * Move an entry that cannot be processed to the dead letters, payload and all; its job, if it has one, ends.
   * @param now_ms since the epoch
   */
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
  async #orNothing<T>(partition: number, command: Promise<T>): Promise<T | null> {
    try {
      return await reaching(command);
    } catch (error) {
      if (replyCode(error) === "NOGROUP") {
        await this.ensureGroups([partition]);
        return null;
      }
      throw error;
    }
  }
}

const partitionOfEntry = ({ partition }: StreamEntry) => partition;

function pairs(flat: readonly unknown[]): [string, unknown][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [String(flat[2 * i]), flat[2 * i + 1]]);
}
