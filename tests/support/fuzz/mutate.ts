/** Changes samples at random, so that most of what made them good stays: random bytes alone never get far into a parser. */
import type { Chance } from "../../../src/feed/simulate/chance.ts";

/** Pieces on which parsers trip. */
const TOKENS: readonly Buffer[] = [
  "\0",
  "\n",
  "\r\n",
  "\r",
  "\t",
  " ",
  '"',
  '""',
  "'",
  "\\",
  "\\\\",
  ",",
  "=",
  "#",
  ":",
  ";",
  "{",
  "}",
  "[",
  "]",
  "[[[[",
  "}}}}",
  "-",
  "+",
  ".",
  "e",
  "1e400",
  "-0",
  "0x",
  "NaN",
  "null",
  "true",
  "i",
  "u",
  "T",
  "Z",
  "+23:59",
  "60",
  "99",
  "__proto__",
  "constructor",
  "\ufeff",
  "\u2028",
  "\u0085",
  "\ud83d\ude00",
  "\u0130",
  "é",
  "1970-01-01T00:00:00Z",
  "9223372036854775808",
  "4294967295",
].map((text) => Buffer.from(text));
const RAW: readonly Buffer[] = [
  [0xff],
  [0xc3],
  [0xed, 0xa0, 0x80],
  [0xc0, 0xaf],
  [0x80],
  [0xff, 0xff, 0xff, 0xff],
  [0, 0, 0, 0],
].map((b) => Buffer.from(b));
const MAX_PIECE = 64;
/** Of a sample that grows with every change. */
const MAX_BYTES = 65_536;

type Change = (bytes: Buffer, chance: Chance, others: readonly Buffer[]) => Buffer;

const splice = (bytes: Buffer, at: number, remove: number, insert: Uint8Array) =>
  Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
const somewhere = (bytes: Buffer, chance: Chance) => chance.below(bytes.length + 1);
const piece = (bytes: Buffer, chance: Chance) => {
  const at = somewhere(bytes, chance);
  return bytes.subarray(at, at + 1 + chance.below(MAX_PIECE));
};

const CHANGES: readonly Change[] = [
  (bytes, chance) => splice(bytes, somewhere(bytes, chance), 0, chance.pick(TOKENS)),
  (bytes, chance) => splice(bytes, somewhere(bytes, chance), chance.pick([1, 1, 2, 8]), chance.pick(TOKENS)),
  (bytes, chance) => splice(bytes, somewhere(bytes, chance), 0, chance.pick(RAW)),
  (bytes, chance) => splice(bytes, somewhere(bytes, chance), 1 + chance.below(MAX_PIECE), Buffer.alloc(0)),
  (bytes, chance) => splice(bytes, somewhere(bytes, chance), 0, piece(bytes, chance)),
  (bytes, chance) =>
    splice(
      bytes,
      somewhere(bytes, chance),
      0,
      Buffer.concat(Array(1 + chance.below(20)).fill(piece(bytes, chance))),
    ),
  (bytes, chance, others) =>
    splice(bytes, somewhere(bytes, chance), chance.below(MAX_PIECE), piece(chance.pick(others), chance)),
  (bytes, chance) => bytes.subarray(0, somewhere(bytes, chance)),
  (bytes, chance) => bytes.subarray(somewhere(bytes, chance)),
  (bytes, chance) => flipped(bytes, chance, (byte) => byte ^ (1 << chance.below(8))),
  (bytes, chance) => flipped(bytes, chance, () => chance.below(256)),
  (bytes, chance) => flipped(bytes, chance, (byte) => byte + chance.pick([1, -1, 16, -16])),
  // A digit is most often part of a number, a length or a time.
  (bytes, chance) => digitChanged(bytes, chance),
];

function flipped(bytes: Buffer, chance: Chance, change: (byte: number) => number): Buffer {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const at = chance.below(copy.length);
  copy[at] = change(copy[at]!) & 0xff;
  return copy;
}

function digitChanged(bytes: Buffer, chance: Chance): Buffer {
  const digits = [...bytes.keys()].filter((at) => bytes[at]! >= 48 && bytes[at]! <= 57);
  if (digits.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  copy[chance.pick(digits)] = 48 + chance.below(10);
  return copy;
}

/** One to six changes of a sample. @param others samples of the same kind, parts of which may be put in */
export function mutated(sample: Buffer, chance: Chance, others: readonly Buffer[]): Buffer {
  let bytes = sample;
  for (let n = 1 + chance.below(6); n > 0; n -= 1) bytes = chance.pick(CHANGES)(bytes, chance, others);
  return bytes.subarray(0, MAX_BYTES);
}
