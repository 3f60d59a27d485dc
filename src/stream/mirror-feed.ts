/** Jobs that Postgres has not heard of: read in bulk, forgotten once they are stored there or have ended. */
import { decodeMeta, EntryError, type EntryMeta } from "../contract/entry.ts";
import { isTerminal, type JobState } from "../contract/job.ts";
import { reaching } from "./connection.ts";
import { jobKey, mirrorKey, mirrorLockKey } from "./keys.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** Notes of one partition, oldest first. */
export interface MirrorPage {
  readonly partition: number;
  readonly ids: readonly string[];
  /** Jobs that have not ended yet: an ended one has its row from the transaction of its data. */
  readonly open: readonly { readonly meta: EntryMeta; readonly status: JobState }[];
}

/** A note that cannot be read is left out, and so forgotten with its page: the job's end writes its row anyway. */
function noteOf(text: string | undefined): EntryMeta[] {
  try {
    return [decodeMeta(text ?? "")];
  } catch (error) {
    if (error instanceof EntryError) return [];
    throw error;
  }
}

const LOCK_TTL_MS = 10_000;

export class MirrorFeed {
  constructor(
    private readonly redis: ScriptedRedis,
    private readonly owner: string,
  ) {}

  /** The oldest notes, or null when another process mirrors this partition. @throws {StreamUnavailableError} */
  async page(partition: number, count: number): Promise<MirrorPage | null> {
    const held = await reaching(this.redis.hiHold(mirrorLockKey(partition), this.owner, LOCK_TTL_MS));
    if (held !== 1) return null;
    const notes = await reaching(this.redis.xrange(mirrorKey(partition), "-", "+", "COUNT", count));
    const metas = notes.flatMap(([, fields]) => noteOf(fields[1]));
    const keys = metas.map((meta) => jobKey(meta.job_id));
    const states = keys.length > 0 ? await reaching(this.redis.hiStates(keys.length, ...keys)) : [];
    const open = metas
      .map((meta, i) => ({ meta, status: (states[i] ?? "queued") as JobState }))
      .filter(({ status }) => !isTerminal(status));
    return { partition, ids: notes.map(([id]) => id), open };
  }

  /** Forget what `page` returned. */
  async forget(page: MirrorPage): Promise<void> {
    if (page.ids.length > 0) await reaching(this.redis.xdel(mirrorKey(page.partition), ...page.ids));
  }

  /** Let another process go on at once. */
  async release(partition: number): Promise<void> {
    await reaching(this.redis.hiDrop(mirrorLockKey(partition), this.owner));
  }
}
