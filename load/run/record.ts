/** What k6 wrote down of each batch: `rig n status at_ms took_ms job_id`, a line each (k6/send.ts). */

/** `unknown`: nobody can say whether the service has it, as docs/http.md has it for lost answers and for 5xx. */
export type Fate = "accepted" | "refused" | "unknown";

export interface SentBatch {
  readonly rig: number;
  /** Which one of the rig's, from 0. */
  readonly n: number;
  /** HTTP; 0: no answer. */
  readonly status: number;
  /** When it was sent, ms since the epoch. */
  readonly at_ms: number;
  /** Until its answer, ms. */
  readonly took_ms: number;
  /** null unless it was accepted. */
  readonly job_id: string | null;
}

const ACCEPTED = 202;
const LINE = /^(\d+) (\d+) (\d+) (\d+) (\d+\.\d) ([0-9a-f-]{36}|-)$/;

export function fateOf({ status, job_id }: SentBatch): Fate {
  if (status === ACCEPTED && job_id !== null) return "accepted";
  return status >= 400 && status < 500 ? "refused" : "unknown";
}

/** @throws {Error} for a line that k6/send.ts does not write: the run cannot be judged */
export function readRecord(text: string): SentBatch[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, rig, n, status, at_ms, took_ms, job] = LINE.exec(line) ?? [];
      if (job === undefined) throw new Error(`k6 wrote a line that says nothing of a batch: ${line}`);
      return {
        rig: Number(rig),
        n: Number(n),
        status: Number(status),
        at_ms: Number(at_ms),
        took_ms: Number(took_ms),
        job_id: job === "-" ? null : job,
      };
    });
}
