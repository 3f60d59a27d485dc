import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  BOUNDARY,
  encodeFrame,
  FRAME_BYTES,
  MAGIC,
  READINGS,
  readBatch,
  scanSegment,
} from "../../../../src/client/spool/frames.ts";

interface Batch {
  readonly idempotency_key: string;
  readonly readings: readonly string[];
}

/** Each write of a batch is a frame of its own. */
const writes = fc.array(
  fc.array(
    fc.string().map((s) => JSON.stringify({ s })),
    { minLength: 1, maxLength: 3 },
  ),
  {
    minLength: 1,
    maxLength: 3,
  },
);
const segments = fc.array(fc.record({ idempotency_key: fc.uuid(), writes }), { minLength: 1, maxLength: 6 });

function encode(batches: readonly { idempotency_key: string; writes: readonly string[][] }[]): Buffer {
  return Buffer.concat([
    MAGIC,
    ...batches.flatMap(({ idempotency_key, writes: all }) => [
      ...all.map((readings) => encodeFrame(READINGS, readings.join("\n"))),
      encodeFrame(BOUNDARY, idempotency_key),
    ]),
  ]);
}

function decode(bytes: Buffer): (Batch | null)[] {
  return scanSegment(bytes).batches.map(({ start, end }) => readBatch(bytes.subarray(start, end)));
}

const plain = (batches: readonly { idempotency_key: string; writes: readonly string[][] }[]): Batch[] =>
  batches.map(({ idempotency_key, writes: all }) => ({ idempotency_key, readings: all.flat() }));

const readingsIn = (bytes: Buffer) => decode(bytes).flatMap((batch) => batch?.readings ?? ["damaged"]);

describe("a segment", () => {
  test("gives back the batches that were written, whatever their text", () => {
    fc.assert(
      fc.property(segments, (batches) => {
        const bytes = encode(batches);
        expect(decode(bytes)).toEqual(plain(batches));
        expect(scanSegment(bytes).damaged_bytes).toBe(0);
      }),
    );
  });

  test("cut anywhere has all writes before the cut, whole batches under their keys, and nothing damaged", () => {
    fc.assert(
      fc.property(segments, fc.nat(), (batches, at) => {
        const bytes = encode(batches);
        const cut = bytes.subarray(0, at % bytes.length);
        const kept = [...framesOf(bytes)].filter(({ end }) => end <= cut.length);
        expect(readingsIn(cut)).toEqual(kept.flatMap(({ readings }) => readings));
        const whole = kept.filter(({ isBoundary }) => isBoundary).length;
        expect(decode(cut).slice(0, whole)).toEqual(plain(batches).slice(0, whole));
        expect(decode(cut).length).toBeLessThanOrEqual(whole + 1);
        expect(scanSegment(cut).damaged_bytes).toBe(0);
      }),
    );
  });

  test("with any byte changed says so, and a key stands for its whole batch or is not used", () => {
    fc.assert(
      fc.property(segments, fc.nat(), fc.integer({ min: 1, max: 255 }), (batches, at, by) => {
        const bytes = encode(batches);
        bytes[at % bytes.length]! ^= by;
        const written = new Map(plain(batches).map((batch) => [batch.idempotency_key, batch.readings]));
        for (const batch of decode(bytes)) {
          const original = written.get(batch!.idempotency_key);
          if (original) expect(batch!.readings).toEqual(original);
        }
        expect(scanSegment(bytes).damaged_bytes).toBeGreaterThan(0);
      }),
    );
  });

  test("of which one frame's content is damaged loses that frame alone", () => {
    const write = (key: string) => [[`{"v":"${key}1"}`], [`{"v":"${key}2"}`], [`{"v":"${key}3"}`]];
    const bytes = encode(["a", "b", "c"].map((key) => ({ idempotency_key: key, writes: write(key) })));
    const before = readingsIn(bytes);
    bytes[bytes.indexOf('"b2"')]! ^= 1;
    expect(readingsIn(bytes)).toEqual(before.filter((reading) => !reading.includes("b2")));
    const keys = decode(bytes).map((batch) => batch!.idempotency_key);
    const made = expect.stringMatching(/^[0-9a-f]{40}$/);
    expect(keys).toEqual(["a", made, made, "c"]);
    expect(decode(bytes).map((batch) => batch!.idempotency_key)).toEqual(keys);
  });

  test("with any one byte changed behind its first ones loses no frame but the one it is in", () => {
    fc.assert(
      fc.property(segments, fc.nat(), fc.integer({ min: 1, max: 255 }), (batches, chance, by) => {
        const bytes = encode(batches);
        const at = MAGIC.length + (chance % (bytes.length - MAGIC.length));
        const others = [...framesOf(bytes)].filter(({ begin, end }) => at < begin || at >= end);
        bytes[at]! ^= by;
        expect(readingsIn(bytes)).toEqual(others.flatMap(({ readings }) => readings));
      }),
    );
  });

  test("of another format is left alone", () => {
    const bytes = encode([{ idempotency_key: "a", writes: [["1"]] }]);
    bytes[7] = 0x32;
    expect(scanSegment(bytes)).toEqual({ batches: [], damaged_bytes: bytes.length });
  });
});

interface Frame {
  readonly begin: number;
  readonly end: number;
  readonly isBoundary: boolean;
  readonly readings: string[];
}

/** The frames of an undamaged segment. */
function* framesOf(bytes: Buffer): Generator<Frame> {
  for (let at = MAGIC.length; at < bytes.length; ) {
    const content = at + FRAME_BYTES;
    const end = content - 1 + bytes.readUInt32LE(at);
    const isBoundary = bytes[content - 1] === BOUNDARY;
    yield {
      begin: at,
      end,
      isBoundary,
      readings: isBoundary ? [] : bytes.toString("utf8", content, end).split("\n"),
    };
    at = end;
  }
}
