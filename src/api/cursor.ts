/** Where a page ended, as one opaque word for `after`: clients pass it on and read nothing into it. */
import type { Context } from "hono";
import { decodeOpaqueKey, encodeOpaqueKey } from "../contract/opaque-key.ts";
import { invalidParameter } from "./parameters.ts";

/** Longer than any key of a page, encoded, characters. */
const MAX_LENGTH = 4_000;

/** The word for a key. */
export const toCursor = encodeOpaqueKey;

/**
 * The key in `after`; null when it is absent.
 * @param parts texts that the key has
 * @throws {ProblemError} invalid-request
 */
export function cursorParameter(c: Context, parts: number): readonly string[] | null {
  const text = c.req.query("after");
  if (text === undefined) return null;
  const key = decodeOpaqueKey(text, parts, MAX_LENGTH);
  if (key === null || key.some((part) => part.includes("\0")))
    throw invalidParameter("after", "the `next` of the page before");
  return key;
}
