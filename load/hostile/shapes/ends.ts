/** Good batches that never end: cut off, left, or so slow that somebody else's turn would not come. */
import type { Chance } from "../../../src/feed/simulate/chance.ts";
import {
  bearer,
  type Header,
  type HostileCase,
  head,
  hostile,
  JSON_TYPE,
  type Piece,
  request,
} from "../case.ts";
import type { Ground } from "../ground.ts";
import { goodBatch } from "../nasty.ts";

const PATH = "/api/v1/data/ingest";
const alone = { shares: false, operation: "ingestBatch" } as const;

/** Cut anywhere before its last byte. */
export function cutOff({ producer, victim }: Ground, chance: Chance): HostileCase {
  const batch = Buffer.from(goodBatch(victim, chance, 1 + chance.below(50)));
  const isChunked = chance.below(3) === 0;
  const whole = isChunked
    ? chunked(producer, batch)
    : request("POST", PATH, [bearer(producer), JSON_TYPE], batch);
  // Of chunks the last five bytes are the end itself.
  const last = whole.length - (isChunked ? 5 : 1);
  const bytes = whole.subarray(0, 1 + chance.below(last));
  const end = chance.pick(["half-close", "reset"] as const);
  return hostile("cut off", isChunked ? `chunks, ${end}` : `a length, ${end}`, bytes, { ...alone, end });
}

function chunked(token: string, batch: Buffer): Buffer {
  const headers: Header[] = [["Host", "hostile"], bearer(token), JSON_TYPE, ["Transfer-Encoding", "chunked"]];
  const chunk = Buffer.concat([
    Buffer.from(`${batch.length.toString(16)}\r\n`),
    batch,
    Buffer.from("\r\n0\r\n\r\n"),
  ]);
  return Buffer.concat([head(`POST ${PATH} HTTP/1.1`, headers), chunk]);
}

/** More than any body may have, with a length that says so, or in chunks that do not. */
export function oversized({ producer, victim }: Ground, chance: Chance): HostileCase {
  const declared: Header = ["Content-Length", String(16_777_217 + chance.below(2 ** 40))];
  if (chance.below(20) > 0) {
    const bytes = head(`POST ${PATH} HTTP/1.1`, [["Host", "hostile"], bearer(producer), JSON_TYPE, declared]);
    return hostile("oversized", "by its length", [bytes, Buffer.from(goodBatch(victim, chance))], alone);
  }
  const body = Buffer.alloc(16_777_300, 0x20);
  body.write(goodBatch(victim, chance));
  return hostile("oversized", "in chunks", chunked(producer, body), alone);
}

/** Requests that are refused, all sent before the first answer. */
export function pipelined({ producer, victim }: Ground, chance: Chance): HostileCase {
  const answers = 2 + chance.below(18);
  const one = (n: number) =>
    n % 2 === 0
      ? request(
          "POST",
          PATH,
          [bearer(producer), JSON_TYPE],
          Buffer.from(`{"system_id":"${victim}","readings":[]}`),
        )
      : request("GET", "/api/v1/jobs/nonsense", [bearer(producer)]);
  const bytes = Buffer.concat(Array.from({ length: answers }, (_, n) => one(n)));
  return hostile("pipelined", "refused ones", bytes, { ...alone, answers });
}

/** Pauses of a slow head, and between two bytes of a slow body; ms. */
const HEAD_PAUSE_MS = 400;
const BODY_PAUSE_MS = 150;
const MAX_PIECES = 120;

/** Says that it is as large as may be, and does not come. */
export function announced({ producer, victim }: Ground, chance: Chance): HostileCase {
  const headers: Header[] = [
    ["Host", "hostile"],
    bearer(producer),
    JSON_TYPE,
    ["Content-Length", "16777216"],
  ];
  const begin = Buffer.from(goodBatch(victim, chance).slice(0, 1 + chance.below(200)));
  const pieces: Piece[] = [head(`POST ${PATH} HTTP/1.1`, headers), begin];
  return hostile("slow", "announced", pieces, { ...alone, end: "wait" });
}

/** A byte now and then. They are many at once, and take a second or more each. */
export function slow({ producer, victim }: Ground, chance: Chance): HostileCase {
  const batch = Buffer.from(goodBatch(victim, chance, 500));
  const whole = request("POST", PATH, [bearer(producer), JSON_TYPE], batch);
  const headEnd = whole.length - batch.length;
  const inHead = chance.below(2) === 0;
  const begin = inHead ? 1 + chance.below(headEnd - 2) : headEnd + chance.below(batch.length / 2);
  const pause = inHead ? HEAD_PAUSE_MS : BODY_PAUSE_MS;
  const pieces: Piece[] = [whole.subarray(0, begin)];
  for (let at = begin; at < begin + MAX_PIECES; at += 1) pieces.push(pause, whole.subarray(at, at + 1));
  const end = chance.pick(["wait", "reset", "half-close"] as const);
  return hostile("slow", inHead ? "head" : "body", pieces, { ...alone, end });
}
