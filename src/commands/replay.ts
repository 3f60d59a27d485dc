/** `hydraulic replay`: look at the dead letters and bring them back. */
import { DeadLetterDesk, DeadLetterGoneError } from "../api/dead-letter-desk.ts";
import { systemClock } from "../ops/clock.ts";
import { COMMAND_LINE } from "../store/audit.ts";
import { DeadLetterRecord } from "../store/dead-letter-record.ts";
import { ready, workClient } from "../stream/connection.ts";
import { type DeadLetter, DeadLetters } from "../stream/dead-letters.ts";
import { PartitionRegister } from "../stream/partitions.ts";
import { withDatabase } from "./environment.ts";
import { CommandError } from "./fail.ts";

interface ReplayOptions {
  readonly job?: string;
  readonly all?: boolean;
}

const REDIS_DEADLINE_MS = 10_000;

/** Lists without options; replays with `--job` or `--all`. @throws {CommandError} when no dead letter fits */
export async function replay(options: ReplayOptions): Promise<void> {
  await withDatabase(async (database, environment) => {
    const redis = workClient(environment.services.redisUrl);
    try {
      await ready(redis, REDIS_DEADLINE_MS);
      const { config, log } = environment;
      const partitions = new PartitionRegister(redis, config.STREAM_PARTITIONS, false, systemClock, log);
      await partitions.look();
      const letters = new DeadLetters(redis, partitions.count);
      await replayFrom(new DeadLetterDesk(letters, new DeadLetterRecord(database)), options);
    } finally {
      redis.disconnect();
    }
  });
}

async function replayFrom(desk: DeadLetterDesk, { job, all }: ReplayOptions): Promise<void> {
  let seen = 0;
  let revived = 0;
  for await (const letter of desk.letters.list()) {
    if (job !== undefined && letter.meta?.job_id !== job) continue;
    seen += 1;
    if (job === undefined && all !== true) {
      process.stdout.write(`${describe(letter)}\n`);
      continue;
    }
    if (await isReplayed(desk, letter)) revived += 1;
  }
  if (job !== undefined && seen === 0) throw new CommandError(`there is no dead letter of job ${job}`);
  const replayed = job !== undefined || all === true;
  process.stdout.write(replayed ? `${revived} replayed\n` : `${seen} dead letters\n`);
}

/** False when somebody else was faster. */
async function isReplayed(desk: DeadLetterDesk, letter: DeadLetter): Promise<boolean> {
  try {
    await desk.replay(letter, { actor: COMMAND_LINE, reach: null, note: null });
    return true;
  } catch (error) {
    if (error instanceof DeadLetterGoneError) return false;
    throw error;
  }
}

function describe({ id, meta, buried_at_ms, size, reason }: DeadLetter): string {
  const job = meta ? `job ${meta.job_id}, ${meta.total_readings} readings` : "not readable";
  return `${new Date(buried_at_ms).toISOString()}  ${id}  ${job}, ${size} bytes: ${reason}`;
}
