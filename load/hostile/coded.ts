/** Bodies in content codings: not what they claim to be, cut, damaged, and larger than they look. */
import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Chance } from "../../src/feed/simulate/chance.ts";

type Coded = (good: Buffer, chance: Chance) => readonly [name: string, coding: string, body: Uint8Array];

const CODERS = [
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["zstd", zstdCompressSync],
] as const;
/** Far above MAX_BODY_BYTES, and above what a byte may become. */
const BOMB_BYTES = 64 * 2 ** 20;
const bombs = new Map<string, Buffer>();

function bomb(name: string, code: (data: Buffer) => Buffer): Buffer {
  let made = bombs.get(name);
  if (made === undefined) {
    made = code(Buffer.alloc(BOMB_BYTES, 0x20));
    bombs.set(name, made);
  }
  return made;
}

const coded = (good: Buffer, chance: Chance) => {
  const [coding, code] = chance.pick(CODERS);
  return { coding, bytes: code(good) };
};

const cut: Coded = (good, chance) => {
  const { coding, bytes } = coded(good, chance);
  return ["cut", coding, bytes.subarray(0, 1 + chance.below(bytes.length - 1))];
};

/** Not in a field that means nothing, such as the time in the head of gzip: at the end, which holds the check. */
const damaged: Coded = (good, chance) => {
  const [coding, code] = chance.pick(CODERS.slice(0, 2));
  const bytes = Buffer.from(code(good));
  const at = bytes.length - 1 - chance.below(4) - (coding === "gzip" ? 4 : 0);
  bytes[at]! ^= 1 + chance.below(255);
  return ["damaged", coding, bytes];
};

const plain: Coded = (good, chance) => ["not coded at all", chance.pick(CODERS)[0], good];

const tailed: Coded = (good, chance) => {
  const [coding, code] = chance.pick(CODERS);
  return ["with a tail", coding, Buffer.concat([code(good), Buffer.from("tail")])];
};

const twice: Coded = (good) => ["coded twice", "gzip", gzipSync(gzipSync(good))];

const other: Coded = (good, chance) =>
  chance.pick([
    ["deflate without its head", "deflate", deflateRawSync(good)],
    ["gzip as deflate", "deflate", gzipSync(good)],
    ["zstd as gzip", "gzip", zstdCompressSync(good)],
  ] as const);

const huge: Coded = (_, chance) => {
  const [coding, code] = chance.pick(CODERS);
  return ["a bomb", coding, bomb(coding, code)];
};

const garbage: Coded = (_, chance) => {
  const bytes = Buffer.from(Array.from({ length: 1 + chance.below(300) }, () => chance.below(256)));
  return ["garbage", chance.pick(CODERS)[0], bytes];
};

/** Bombs cost the service as much as a body of full size: one in so many. */
const BOMB_EVERY = 25;
export const CODED: readonly Coded[] = [
  cut,
  damaged,
  plain,
  tailed,
  twice,
  other,
  garbage,
  (good, chance) => (chance.below(BOMB_EVERY) === 0 ? huge : plain)(good, chance),
];
