/** What one portion of a decision writes, beside the new status of its readings and the record. */
import {
  type HeldReading,
  hold,
  holdingsIn,
  lockHoldings,
  type NewHolding,
  release,
} from "../store/review/holdings.ts";
import { ReviewRaceError } from "../store/review/settle.ts";
import type { Decision } from "../store/review/tasks.ts";
import type { WriterTransaction } from "../store/writer/connection.ts";
import { takeOut } from "../store/writer/readings.ts";
import { groupOf, type ReviewGroup } from "./group.ts";
import type { JudgedPortion } from "./judged-portion.ts";
import { isWritten, type Verdict } from "./outcomes.ts";
import { type Reopening, restoring, withdrawnBy } from "./reopening.ts";

export interface PortionWrite {
  /** Null when no reading is to be stored. */
  readonly write: ReviewGroup | null;
  /** Comes first in the transaction. */
  readonly first: (tx: WriterTransaction) => Promise<void>;
  /** Comes with the new status. @throws {ReviewRaceError} @throws {ReplacedError} */
  readonly beside: (tx: WriterTransaction) => Promise<void>;
}

/** @param verdicts those of the portion, some of them perhaps failing by now */
export function portionWrite(
  { judgement, reopened }: JudgedPortion,
  verdicts: readonly Verdict[],
  decision: Decision,
  now_ms: number,
): PortionWrite {
  if (reopened) return takingBack(reopened, verdicts, decision, now_ms);
  const write = judgement && groupOf(judgement, verdicts, decision, now_ms);
  const replaces = verdicts.some(({ outcome }) => outcome === "replace");
  return {
    write,
    first: async (tx) => {
      if (write) await lockHoldings(tx, replaces);
    },
    beside: (tx) => hold(tx, decision.id, verdicts.filter(isWritten).map(heldBy)),
  };
}

function heldBy({ row, outcome, after, held }: Verdict): NewHolding {
  const replaced = outcome === "replace" ? (held as HeldReading) : null;
  return { ...after!, id: row.id, identical: outcome === "identical", replaced };
}

function takingBack(
  reopened: Reopening,
  verdicts: readonly Verdict[],
  decision: Decision,
  now_ms: number,
): PortionWrite {
  const seen = [...reopened.holdings.values()];
  const back = verdicts.filter(({ row, outcome }) => outcome !== "fails" && reopened.holdings.has(row.id));
  return {
    write: restoring(reopened, verdicts, decision, now_ms),
    first: (tx) => (seen.length > 0 ? lockHoldings(tx, true) : Promise.resolve()),
    beside: async (tx) => {
      if (seen.length === 0) return;
      const ids = seen.map(({ id }) => id);
      if (!Bun.deepEquals(await holdingsIn(tx, ids), seen))
        throw new ReviewRaceError("what lies under the same keys has changed");
      const gone = withdrawnBy(reopened, verdicts, "withdraw");
      if (gone.length > 0) await takeOut(tx, gone);
      await release(
        tx,
        back.map(({ row }) => row.id),
      );
    },
  };
}
