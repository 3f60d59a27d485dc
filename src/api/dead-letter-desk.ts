/**
 * Decisions about dead letters, for the API and the command line. Redis and the record cannot change together, so:
 * claim the letter, so that nobody else decides; record the decision; carry it out. After a crash in between, the
 * record has a decision too many, the letter is still there, and whoever decides again is recorded again.
 */
import type { Reach } from "../contract/reach.ts";
import type { DeadLetterRecord, Decision, RecordedLetter } from "../store/dead-letter-record.ts";
import { StreamUnavailableError } from "../stream/connection.ts";
import {
  type DeadLetter,
  type DeadLetterKey,
  type DeadLetters,
  isLetterWithin,
} from "../stream/dead-letters.ts";

/** Somebody else was faster, or is deciding now. */
export class DeadLetterGoneError extends Error {
  override readonly name = "DeadLetterGoneError";
}

export class DeadLetterDesk {
  constructor(
    readonly letters: DeadLetters,
    private readonly record: Pick<DeadLetterRecord, "replay" | "discard">,
  ) {}

  /**
   * Put a dead letter back at the end of its stream, its job queued again.
   * @returns the letter as it was
   * @throws {DeadLetterGoneError} @throws {StreamUnavailableError} @throws {StoreUnavailableError}
   */
  replay(key: DeadLetterKey, decision: Decision): Promise<DeadLetter> {
    return this.#decided(key, decision.reach, async (letter) => {
      await this.record.replay(recorded(letter), decision);
      return this.letters.revive(letter);
    });
  }

  /** Delete a dead letter; its job stays failed. Returns and throws as `replay` does. */
  discard(key: DeadLetterKey, decision: Decision): Promise<DeadLetter> {
    return this.#decided(key, decision.reach, async (letter) => {
      await this.record.discard(recorded(letter), decision);
      return this.letters.discard(letter);
    });
  }

  async #decided(
    key: DeadLetterKey,
    reach: Reach,
    carryOut: (letter: DeadLetter) => Promise<boolean>,
  ): Promise<DeadLetter> {
    const owner = Bun.randomUUIDv7();
    if (!(await this.letters.claim(key, owner))) throw new DeadLetterGoneError("somebody else decides now");
    try {
      const letter = await this.letters.head(key);
      const isThere = letter !== null && isLetterWithin(reach, letter);
      if (!isThere || !(await carryOut(letter))) throw new DeadLetterGoneError("somebody else was faster");
      return letter;
    } finally {
      // A claim that cannot be given back ends by itself.
      await this.letters.release(key, owner).catch((error: unknown) => {
        if (!(error instanceof StreamUnavailableError)) throw error;
      });
    }
  }
}

/** A letter's id as the API writes it. */
export const letterId = ({ partition, id }: DeadLetterKey) => `${partition}/${id}`;

const recorded = (letter: DeadLetter): RecordedLetter => ({
  id: letterId(letter),
  job_id: letter.meta?.job_id ?? null,
  system_id: letter.meta?.system_id ?? null,
  total_readings: letter.meta?.total_readings ?? null,
  reason: letter.reason,
  size_bytes: letter.size,
});
