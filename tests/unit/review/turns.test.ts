/** Decisions that were overtaken begin again: by others, and by retention that drops the chunk they write into. */
import { expect, test } from "bun:test";
import pg from "pg";
import { unlessOvertaken } from "../../../src/review/turns.ts";
import { ReviewRaceError } from "../../../src/store/review/settle.ts";

const refusal = (code: string) => Object.assign(new pg.DatabaseError("refused", 0, "error"), { code });

/** Throws each of the errors once, then succeeds. @returns the outcome and how often it was tried */
async function tried(errors: readonly Error[]): Promise<{ outcome: unknown; attempts: number }> {
  let attempts = 0;
  const work = async () => {
    const error = errors[attempts];
    attempts += 1;
    if (error) throw error;
    return "done";
  };
  const outcome = await unlessOvertaken(work).catch((error: unknown) => error);
  return { outcome, attempts };
}

test("a chunk that was dropped under the write, another decision, a taken key: all of it is tried again", async () => {
  const errors = [refusal("XX000"), new ReviewRaceError("others"), refusal("23505"), refusal("XX000")];
  expect(await tried(errors)).toEqual({ outcome: "done", attempts: 5 });
});

test("what stays so is told, and any other error is told at once", async () => {
  const again = Array.from({ length: 9 }, () => refusal("XX000"));
  expect(await tried(again)).toEqual({ outcome: again[4], attempts: 5 });
  for (const code of ["XX001", "42P01", "40001"]) {
    const error = refusal(code);
    expect(await tried([error])).toEqual({ outcome: error, attempts: 1 });
  }
});
