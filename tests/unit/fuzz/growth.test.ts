/**
 * No reader's work grows with the square of what it is given. Processor times of one machine are compared with each
 * other only: eight times as much may take forty times as long on a busy machine, whose caches others use as well, and
 * takes sixty-four times as long with the square.
 */
import { expect, test } from "bun:test";
import { objectionToZstd } from "../../../src/api/body/zstd-frames.ts";
import { isKnownTag } from "../../../src/api/etag.ts";
import { preferredWait_s } from "../../../src/api/wait-preference.ts";
import { encodeFrame, MAGIC, READINGS, scanSegment } from "../../../src/client/spool/frames.ts";
import { BodyFormatError } from "../../../src/contract/formats/body-format.ts";
import { countReadings, readReadings } from "../../../src/contract/formats/decode.ts";
import { parseTimestamp_us } from "../../../src/contract/timestamp.ts";
import { detectDelimiter } from "../../../src/feed/import/table.ts";
import { parseContext } from "../../../src/ops/trace-context.ts";
import { judged, RECEIVED_MS } from "../../support/fuzz/targets/judge.ts";

const FACTOR = 8;
const MOST = 5 * FACTOR;
/** Below it the time says more about the machine than about the work, ms. */
const MEASURABLE_MS = 0.5;

/** Bun takes no head above 16 KB: an eighth of it. */
const HEADER = 2_048;

const lines = { precision: "ns", received_us: RECEIVED_MS * 1000 } as const;
const csvHead = "sensor_id,timestamp,value,unit\n";
const counted = (format: "csv" | "ndjson" | "line") => (text: string) => {
  try {
    const total = countReadings(format, text);
    if (total <= 10_000) judged(readReadings(format, text, total, lines));
  } catch (error) {
    if (!(error instanceof BodyFormatError)) throw error;
  }
};
const rawBlocks = (n: number) =>
  Buffer.concat([Buffer.from("28b52ffd0038", "hex"), Buffer.alloc(3 * n), Buffer.from([1, 0, 0])]);
const frames = (n: number) =>
  Buffer.concat([MAGIC, ...Array.from({ length: n }, () => encodeFrame(READINGS, "{}"))]);
/** Each frame's length is damaged, so that the next one must be looked for. */
const damaged = (n: number) => {
  const bytes = frames(n);
  for (let at = MAGIC.length; at < bytes.length; at += 15) bytes[at] = 0;
  return bytes;
};

type Reader = readonly [name: string, n: number, make: (n: number) => unknown, read: (given: never) => void];
const READERS: readonly Reader[] = [
  ["CSV of marks", 20_000, (n) => csvHead + '"'.repeat(2 * n), counted("csv")],
  ["CSV of doubled marks in cells", 2_000, (n) => csvHead + '"a""b",x,1,bar\n'.repeat(n / 4), counted("csv")],
  ["CSV of commas", 20_000, (n) => csvHead + ",".repeat(n), counted("csv")],
  ["CSV that opens a mark at its end", 2_000, (n) => `${csvHead}${"a,b,1,bar\n".repeat(n)}"`, counted("csv")],
  ["NDJSON of blanks", 20_000, (n) => " \n".repeat(n), counted("ndjson")],
  ["NDJSON of open brackets", 1_000, (n) => "[[[[\n".repeat(n), counted("ndjson")],
  ["lines of backslashes", 20_000, (n) => `m f=${"\\\\".repeat(n)}`, counted("line")],
  ["lines of marks", 20_000, (n) => `m f=${'""'.repeat(n)}`, counted("line")],
  ["lines of one field with a mark", 1_000, (n) => 'm f="a" 1\n'.repeat(n), counted("line")],
  ["a line of fields that cannot be read", 1_000, (n) => `m ${"f,".repeat(n)}f=1`, counted("line")],
  [
    "a line of fields before a long one",
    1_000,
    (n) => `m ${"f,".repeat(n)}${"x".repeat(40 * n)}`,
    counted("line"),
  ],
  ["a line of tags", 20_000, (n) => `m${",t=1".repeat(n)} f=1`, counted("line")],
  ["lines of comments", 20_000, (n) => "#\n".repeat(n), counted("line")],
  ["lines with a long time", 1_000, (n) => `m ${"f=1,".repeat(n)}f=1 ${"9".repeat(n)}`, counted("line")],
  ["a timestamp of digits", 100_000, (n) => `2026-01-01T00:00:00.${"1".repeat(n)}Z`, parseTimestamp_us],
  ["Zstandard blocks", 50_000, rawBlocks, objectionToZstd],
  ["a spool of frames", 2_000, frames, scanSegment],
  ["a spool of damaged frames", 2_000, damaged, scanSegment],
  ["preferences", HEADER / 6, (n) => 'wait="'.repeat(n), preferredWait_s],
  ["entity tags", HEADER / 6, (n) => '"a" , '.repeat(n), (text: string) => isKnownTag(text, '"3"')],
  [
    "a tracestate",
    20_000,
    (n) => `a=${" ".repeat(n)}`,
    (state: string) => parseContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", state),
  ],
  ["a header of a table", 20_000, (n) => '"a"'.repeat(n), detectDelimiter],
];

/**
 * The best of several looks, in time of the processor: a busy machine takes it away in pieces longer than the whole
 * work (a clock on the wall counted 48 ms where the processor had worked 12). Others only ever make a look slower.
 */
function best_ms(read: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 5; n += 1) {
    const begin = process.cpuUsage();
    read();
    const { user, system } = process.cpuUsage(begin);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

/** A machine that is busy at the wrong moment is asked again; the square stays what it is. */
const ATTEMPTS = 4;

test.each(READERS)("%s: the work does not grow with the square", (_, n, make, read) => {
  const small = make(n) as never;
  const large = make(n * FACTOR) as never;
  let growth = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < ATTEMPTS && growth >= MOST; attempt += 1) {
    const small_ms = Math.max(
      MEASURABLE_MS,
      best_ms(() => read(small)),
    );
    growth = Math.min(growth, best_ms(() => read(large)) / small_ms);
  }
  expect(growth).toBeLessThan(MOST);
});
