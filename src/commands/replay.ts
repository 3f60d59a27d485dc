/** `hydraulic replay`: look at the dead letters, keep what is in them, and bring them back. */
import { writeFile } from "node:fs/promises";
import { DeadLetterDesk, DeadLetterGoneError, letterId } from "../api/dead-letter-desk.ts";
import { bodyOf } from "../api/dead-letter-payload.ts";
import { isUuid } from "../contract/job-id.ts";
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
  readonly save?: string;
}

const REDIS_DEADLINE_MS = 10_000;

/**
 * Lists without options; replays with `--job` or `--all`; with `--save` keeps the payload of a job's letter instead.
 * @throws {CommandError} when no dead letter fits, or the options do not fit each other
 */
export async function replay(options: ReplayOptions): Promise<void> {
  if (options.save !== undefined && (options.job === undefined || options.all === true))
    throw new CommandError("--save takes the dead letter of one job: --job ID --save FILE");
  await withDatabase(async (database, environment) => {
    const redis = workClient(environment.services.redisUrl);
    try {
      await ready(redis, REDIS_DEADLINE_MS);
      const { config, log } = environment;
      const partitions = new PartitionRegister(redis, config.STREAM_PARTITIONS, false, systemClock, log);
      await partitions.look();
      const letters = new DeadLetters(redis, partitions.count);
      if (options.save !== undefined) await save(letters, options.job!, options.save);
      else await replayFrom(new DeadLetterDesk(letters, new DeadLetterRecord(database)), options);
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
  if (job !== undefined && seen === 0) throw noLetter(job);
  const replayed = job !== undefined || all === true;
  process.stdout.write(
    replayed ? `${revived} replayed\n` : `${seen} dead ${seen === 1 ? "letter" : "letters"}\n`,
  );
}

const noLetter = (job: string) => new CommandError(`there is no dead letter of job ${job}`);

/** The payload as it was sent, whole, into a new file that only we may read. The letter stays where it is. */
async function save(letters: DeadLetters, job: string, file: string): Promise<void> {
  const [letter] = isUuid(job) ? await letters.page(null, 1, { job_id: job, reach: null }) : [];
  const found = letter && (await letters.open(letter));
  if (!found) throw noLetter(job);
  const { bytes } = bodyOf(found.fields);
  try {
    await writeFile(file, bytes, { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw new CommandError(`${file} cannot be written: ${(error as Error).message}`);
  }
  process.stdout.write(`${bytes.length} bytes of dead letter ${letterId(found.letter)} in ${file}\n`);
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

function describe(letter: DeadLetter): string {
  const { meta, buried_at_ms, size, reason } = letter;
  const job = meta ? `job ${meta.job_id}, ${meta.total_readings} readings` : "not readable";
  return `${new Date(buried_at_ms).toISOString()}  ${letterId(letter)}  ${job}, ${size} bytes: ${reason}`;
}
