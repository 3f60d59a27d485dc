/** Names and texts that people give: what they may be made of. */
import { Type } from "@sinclair/typebox";

export const MAX_NAME_LENGTH = 150;

export const MAX_DESCRIPTION_LENGTH = 2_000;

/**
 * The patterns are without the flag u: beyond the first plane a character is a pair of surrogates, and half of one
 * cannot be stored. `portablePattern` (api/openapi) makes of them what stands in the document.
 */
const PAIR = "[\\ud800-\\udbff][\\udc00-\\udfff]";

/** A pattern of one character that is none of `without`, the inner part of a class such as `\\s\\u0000`. */
export const characterBut = (without: string) => `(?:[^${without}\\ud800-\\udfff]|${PAIR})`;

const CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f";

/** Control characters would break lists and logs; PostgreSQL takes neither NUL nor lone surrogates. */
export const CHARACTER = characterBut(CONTROLS);

const NO_BLANK = characterBut(`\\s${CONTROLS}`);

/** Without look-around, which not every reader of the document has. */
const NAME_PATTERN = `^${NO_BLANK}(?:${CHARACTER}*${NO_BLANK})?$`;

/** Of texts of several lines. */
export const TEXT_PATTERN = `^${characterBut("\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f")}*$`;

/** A name that people give. */
export const NameSchema = Type.String({
  minLength: 1,
  maxLength: MAX_NAME_LENGTH,
  pattern: NAME_PATTERN,
  description: "a name without blanks at its ends and without control characters",
});

export const DescriptionSchema = Type.String({
  maxLength: MAX_DESCRIPTION_LENGTH,
  pattern: TEXT_PATTERN,
  description: "a text without control characters but tabs and line ends",
});
