/** Which cases a run is made of. The `n`th case follows from the seed and `n` alone. */
import { Chance } from "../../src/feed/simulate/chance.ts";
import type { HostileCase } from "./case.ts";
import type { Ground } from "./ground.ts";
import { headers, methods, parameters, paths } from "./shapes/asking.ts";
import { credentials } from "./shapes/credentials.ts";
import { announced, cutOff, oversized, pipelined, slow } from "./shapes/ends.ts";
import { besideBodies, formats } from "./shapes/formats.ts";
import { badChunks, badHead, garbage, twoLengths } from "./shapes/framing.ts";
import { codings, envelopes, jsonBodies, mediaTypes } from "./shapes/sending.ts";

type Shape = (ground: Ground, chance: Chance) => HostileCase;

/** With shares of a hundred; slow ones are a lane of their own. */
const MIX: readonly (readonly [share: number, Shape])[] = [
  [4, twoLengths],
  [3, badChunks],
  [4, badHead],
  [2, garbage],
  [12, parameters],
  [6, paths],
  [7, methods],
  [4, headers],
  [6, mediaTypes],
  [10, codings],
  [14, jsonBodies],
  [5, envelopes],
  [7, formats],
  [3, besideBodies],
  [8, credentials],
  [3, cutOff],
  [1, oversized],
  [1, pipelined],
];
const SHAPES = MIX.flatMap(([share, shape]) => Array.from({ length: share }, () => shape));

export function caseOf(ground: Ground, seed: number, n: number): HostileCase {
  const chance = new Chance(seed, `hostile ${n}`);
  return chance.pick(SHAPES)(ground, chance);
}

export function slowCaseOf(ground: Ground, seed: number, n: number): HostileCase {
  const chance = new Chance(seed, `slow ${n}`);
  return (chance.below(4) === 0 ? announced : slow)(ground, chance);
}
