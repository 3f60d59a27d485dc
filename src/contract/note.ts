/** The reason that somebody gives for what they do, for the record. */
import { Type } from "@sinclair/typebox";

export const MAX_NOTE_LENGTH = 2_000;

/** PostgreSQL takes no NUL in a text. */
export const NoteSchema = Type.String({
  minLength: 1,
  maxLength: MAX_NOTE_LENGTH,
  pattern: "^[^\\u0000]*$",
  description: `a reason of 1 to ${MAX_NOTE_LENGTH} characters, for the record`,
});
