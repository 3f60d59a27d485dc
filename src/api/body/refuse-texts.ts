/**
 * What JSON can write and no text of ours may have: NUL, which PostgreSQL takes in no text, and half of a surrogate
 * pair (RFC 8259 section 8.2), which is no character and would be stored as another one.
 */
import { faultOfText } from "../../contract/printable.ts";
import type { ProblemItem } from "../../contract/problem.ts";
import { ProblemError } from "../problem-error.ts";

/** More would tell a client nothing new. */
const MAX_ITEMS = 20;

/** @param value parsed JSON of any depth @throws {ProblemError} invalid-request that names each such member */
export function refuseTexts(value: unknown): void {
  const errors: ProblemItem[] = [];
  // No recursion: small bodies can be deep.
  const todo: (readonly [pointer: string, value: unknown])[] = [["", value]];
  for (let next = todo.pop(); next !== undefined && errors.length < MAX_ITEMS; next = todo.pop()) {
    const [pointer, item] = next;
    if (typeof item === "string") note(errors, pointer, item);
    else if (typeof item === "object" && item !== null) {
      // The first member is looked at first.
      for (const [name, member] of Object.entries(item).reverse()) {
        const inner = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
        note(errors, inner, name);
        todo.push([inner, member]);
      }
    }
  }
  const [first] = errors;
  if (first === undefined) return;
  const detail = `${first.pointer || "The body"}: ${first.detail}.`;
  throw new ProblemError("invalid-request", { detail, errors });
}

function note(errors: ProblemItem[], pointer: string, text: string): void {
  const fault = faultOfText(text);
  if (fault !== null) errors.push({ pointer, detail: `Expected ${fault}` });
}
