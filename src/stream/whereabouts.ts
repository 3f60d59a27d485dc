/** Whether Redis still has what it was given: jobs whose batch is nowhere, and whether it is the same Redis as before. */
import { decodeMeta, EntryError } from "../contract/entry.ts";
import type { JobRecord } from "../contract/job.ts";
import { partitionOf } from "../contract/job-id.ts";
import { reaching } from "./connection.ts";
import { endFields } from "./jobs.ts";
import { deadKey, jobKey, lineageKey, lossLockKey, streamKey } from "./keys.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** Looked at by one script, so that Redis is not held up for long: it copies each of their bodies. */
const ENTRIES_AT_ONCE = 10;
/** Of one script. */
const JOBS_AT_ONCE = 500;

export class Whereabouts {
  constructor(private readonly redis: ScriptedRedis) {}

  /** Those of the jobs whose entry is not in the stream for certain; cheap. @throws {StreamUnavailableError} */
  async doubtful(job_ids: readonly string[]): Promise<string[]> {
    const doubtful: string[] = [];
    for (const [partition, ids] of Map.groupBy(job_ids, partitionOf)) {
      for (let at = 0; at < ids.length; at += JOBS_AT_ONCE) {
        const some = ids.slice(at, at + JOBS_AT_ONCE);
        const keys = [streamKey(partition), ...some.map(jobKey)];
        const waiting = await reaching(this.redis.hiWaiting(keys.length, ...keys));
        doubtful.push(...some.filter((_, i) => waiting[i] !== 1));
      }
    }
    return doubtful;
  }

  /**
   * Those of the jobs that are neither in the stream, be they waiting or in work, nor among the dead letters. Looks
   * through all of both when some are doubtful.
   * @throws {StreamUnavailableError}
   */
  async missing(job_ids: readonly string[]): Promise<string[]> {
    const wanted = new Set(await this.doubtful(job_ids));
    for (const [partition, ids] of Map.groupBy([...wanted], partitionOf)) {
      const here = new Set(ids);
      for (const key of [streamKey(partition), deadKey(partition)]) {
        for await (const id of this.#jobsIn(key)) {
          if (here.delete(id)) wanted.delete(id);
          if (here.size === 0) break;
        }
      }
    }
    return [...wanted];
  }

  /** Those of the jobs that have no hash: forgotten long after their end, or lost. @throws {StreamUnavailableError} */
  forgotten(job_ids: readonly string[]): Promise<string[]> {
    return this.#whose(job_ids, (state) => state === null);
  }

  /** Those of the jobs that have not ended as far as Redis knows, or that it does not know. @throws {StreamUnavailableError} */
  open(job_ids: readonly string[]): Promise<string[]> {
    return this.#whose(job_ids, (state) => state !== "completed" && state !== "failed");
  }

  async #whose(job_ids: readonly string[], fits: (state: string | null) => boolean): Promise<string[]> {
    const found: string[] = [];
    for (const ids of Map.groupBy(job_ids, partitionOf).values()) {
      for (let at = 0; at < ids.length; at += JOBS_AT_ONCE) {
        const some = ids.slice(at, at + JOBS_AT_ONCE);
        const states = await reaching(this.redis.hiStates(some.length, ...some.map(jobKey)));
        found.push(...some.filter((_, i) => fits(states[i] ?? null)));
      }
    }
    return found;
  }

  /** Their hashes, where there are some, end as the jobs have ended, and followers are told. @throws {StreamUnavailableError} */
  async end(jobs: readonly JobRecord[], job_ttl_s: number): Promise<void> {
    for (const some of Map.groupBy(jobs, ({ job_id }) => partitionOf(job_id)).values()) {
      for (let at = 0; at < some.length; at += JOBS_AT_ONCE) {
        const part = some.slice(at, at + JOBS_AT_ONCE);
        const rows = part.map(endFields);
        const keys = part.map(({ job_id }) => jobKey(job_id));
        await reaching(
          this.redis.hiEndHashes(keys.length, ...keys, job_ttl_s, rows[0]!.length, ...rows.flat()),
        );
      }
    }
  }

  /** Another text than before: what was written to this partition may be lost. @throws {StreamUnavailableError} */
  async lineage(partition: number): Promise<string> {
    return reaching(this.redis.hiLineage(lineageKey(partition), crypto.randomUUID()));
  }

  /** Look for lost jobs, alone of all processes, for `ttl_ms`. @throws {StreamUnavailableError} */
  async hold(owner: string, ttl_ms: number): Promise<boolean> {
    return (await reaching(this.redis.hiHold(lossLockKey, owner, ttl_ms))) === 1;
  }

  /** The end of `hold`. @throws {StreamUnavailableError} */
  async release(owner: string): Promise<void> {
    await reaching(this.redis.hiDrop(lossLockKey, owner));
  }

  async *#jobsIn(key: string): AsyncGenerator<string> {
    let from = "-";
    for (;;) {
      const metas = await reaching(this.redis.hiMetas(key, from, ENTRIES_AT_ONCE));
      for (const [id, text] of metas) {
        from = `(${id}`;
        const job_id = jobOf(text);
        if (job_id !== null) yield job_id;
      }
      if (metas.length < ENTRIES_AT_ONCE) return;
    }
  }
}

/** Null when the metadata cannot be read: such an entry has no job that anybody could find. */
function jobOf(meta: string): string | null {
  try {
    return decodeMeta(meta).job_id;
  } catch (error) {
    if (error instanceof EntryError) return null;
    throw error;
  }
}
