/** Text of unknown origin made short and safe for messages and PostgreSQL text, which takes neither NUL nor lone surrogates. */

/** UTF-16 units of a sent text that a message shows. */
const SHOWN_LENGTH = 64;

/** In double quotes, cut to 64 characters, with JSON's escapes (RFC 8259 section 7) for what cannot be printed. */
export function quoted(text: string): string {
  if (text.length <= SHOWN_LENGTH) return JSON.stringify(text);
  return `${JSON.stringify(cut(text, SHOWN_LENGTH))}… (${text.length} characters)`;
}

/** Cut to a length, NUL and lone surrogates replaced by U+FFFD; otherwise as sent. */
export function storable(text: string, length: number = SHOWN_LENGTH): string {
  return cut(text, length).replaceAll("\0", "\ufffd").toWellFormed();
}

/** The first `length` UTF-16 units, one less where that would split a surrogate pair. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const splitsPair = (text.codePointAt(length - 1) ?? 0) > 0xffff;
  return text.slice(0, splitsPair ? length - 1 : length);
}

/** Of schemas: what `faultOfText` wants and a pattern can say. */
export const NO_NUL = "^[^\\u0000]*$";

/** What a text must have to be stored as it is; null when it has it. */
export function faultOfText(text: string): string | null {
  if (text.includes("\0")) return "no NUL character (U+0000)";
  return text.isWellFormed() ? null : "no half of a surrogate pair (U+D800 to U+DFFF)";
}
