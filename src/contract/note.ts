/** The reason that somebody gives for what they do, for the record. */
import { Type } from "@sinclair/typebox";
import { NO_NUL } from "./printable.ts";

export const MAX_NOTE_LENGTH = 2_000;

export const NoteSchema = Type.String({
  minLength: 1,
  maxLength: MAX_NOTE_LENGTH,
  pattern: NO_NUL,
  description: `a reason of 1 to ${MAX_NOTE_LENGTH} characters, for the record`,
});
