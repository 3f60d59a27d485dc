/** Where a page ended, as one opaque word for `after`: clients pass it on and read nothing into it. */
import type { Context } from "hono";
import { invalidParameter } from "./parameters.ts";

/** Longer than any key of a page, encoded. */
const MAX_LENGTH = 4_000;

/** base64url (RFC 4648 section 5) of a JSON array. */
export function toCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

/**
 * The key in `after`; null when it is absent.
 * @param parts texts that the key has
 * @throws {ProblemError} invalid-request
 */
export function cursorParameter(c: Context, parts: number): readonly string[] | null {
  const text = c.req.query("after");
  if (text === undefined) return null;
  const key = text.length <= MAX_LENGTH ? parsed(text) : undefined;
  const usable =
    Array.isArray(key) &&
    key.length === parts &&
    key.every((part): part is string => typeof part === "string" && !part.includes("\0"));
  if (!usable) throw invalidParameter("after", "the `next` of the page before");
  return key;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
