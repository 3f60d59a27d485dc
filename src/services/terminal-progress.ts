/** Progress for people: one moving line on a terminal, a readable line per tenth otherwise. */
import type { Progress } from "./types.ts";

/** The part of a stream that is needed; `process.stderr` fits. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

const ERASE_LINE = "\r\x1b[2K";
const MIB = 1024 * 1024;

/** Writes steps and amounts to `stream`. */
export function terminalProgress(stream: ProgressStream): Progress {
  let label = "";
  let tenth = -1;
  let lineOpen = false;
  const closeLine = (): void => {
    if (lineOpen) stream.write("\n");
    lineOpen = false;
  };
  return {
    step(text) {
      closeLine();
      label = "";
      stream.write(`${text}\n`);
    },
    amount(newLabel, done, total) {
      if (newLabel !== label) {
        closeLine();
        label = newLabel;
        tenth = -1;
      }
      if (tenth === 10) return;
      const share = total > 0 ? Math.min(1, done / total) : 1;
      const text = `  ${label} ${amounts(done, total)} (${Math.floor(share * 100)} %)`;
      if (stream.isTTY) {
        stream.write(`${ERASE_LINE}${text}`);
        lineOpen = true;
        if (share === 1) closeLine();
      } else if (Math.floor(share * 10) > tenth) {
        stream.write(`${text}\n`);
      }
      tenth = Math.floor(share * 10);
    },
  };
}

/** Bytes as MB, small counts as they are. */
function amounts(done: number, total: number): string {
  if (total < MIB) return `${done} of ${total}`;
  return `${(done / MIB).toFixed(1)} of ${(total / MIB).toFixed(1)} MB`;
}
