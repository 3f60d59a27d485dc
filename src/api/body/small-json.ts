/** JSON bodies of a few fields: bounded one by one, and all that are arriving at once together. */
import type { Context } from "hono";
import type { AppEnv } from "../app-env.ts";
import { BodyMemory } from "./body-memory.ts";
import { parseJson } from "./decode-body.ts";
import { receiveBody } from "./receive-body.ts";
import { refuseTexts } from "./refuse-texts.ts";

/** Bodies of full size that may be arriving at once. */
const BODIES_IN_WORK = 1_000;

export type ReadJson = (c: Context<AppEnv>) => Promise<unknown>;

/**
 * A reader of such bodies.
 * @returns a function that throws {ProblemError}, see `receiveBody`, `parseJson` and `refuseTexts`
 */
export function smallJson(max_bytes: number, timeout_ms: number): ReadJson {
  const memory = new BodyMemory(BODIES_IN_WORK * max_bytes);
  return async (c) => {
    const hold = memory.open();
    try {
      const value = parseJson(await receiveBody(c, { max_bytes, timeout_ms }, hold));
      refuseTexts(value);
      return value;
    } finally {
      hold.release();
    }
  };
}
