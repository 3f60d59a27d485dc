/** Dead letters beside the lists, as a worker leaves them; taken away again, and only they. */
import type { Redis } from "ioredis";
import { encodeEntry } from "../../src/contract/entry.ts";
import { newJobId } from "../../src/contract/job-id.ts";
import { deadKey } from "../../src/stream/keys.ts";

export interface Letters {
  /** The oldest first. */
  readonly jobs: readonly string[];
  /** Entry in the middle of them. */
  readonly middle: string;
}

const LETTERS = 1_000;
const PARTITION = 0;
/** Of a body: a hundred readings. */
const BODY_BYTES = 14_000;

/** @param system_id that one in ten is of; the others are of many */
export async function withDeadLetters<T>(
  redis: Redis,
  system_id: string,
  work: (letters: Letters) => Promise<T>,
): Promise<T> {
  const key = deadKey(PARTITION);
  const [jobs, entries]: [string[], string[]] = [[], []];
  try {
    for (let n = 0; n < LETTERS; n += 1) {
      const job_id = newJobId(PARTITION);
      const entry = await redis.xadd(
        key,
        "*",
        ...letterOf(job_id, n % 10 === 0 ? system_id : crypto.randomUUID()),
      );
      jobs.push(job_id);
      entries.push(entry!);
    }
    return await work({ jobs, middle: entries[LETTERS / 2]! });
  } finally {
    if (entries.length > 0) await redis.xdel(key, ...entries);
  }
}

function letterOf(job_id: string, system_id: string): (string | Buffer)[] {
  const received_at_ms = Date.now();
  const meta = {
    job_id,
    system_id,
    user_id: crypto.randomUUID(),
    request_id: "bench",
    total_readings: 100,
    received_at_ms,
  };
  const own = ["reason", "left by the benchmark", "entry", "1-0", "buried_at_ms", String(received_at_ms)];
  return [...own, ...encodeEntry(meta, Buffer.alloc(BODY_BYTES, "x")).map((part) => part as string | Buffer)];
}
