/** Answers of the server arrive as text; these types are read from it (PostgreSQL documentation, chapter 8). */
const FLOAT4 = 700;
const FLOAT8 = 701;
const INT4 = 23;
const INT8 = 20;
const BOOL = 16;
const TIMESTAMPTZ = 1184;

/** `2026-01-31 12:00:00.5+00`, as the session writes UTC, in RFC 3339. */
function rfc3339(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11, -3)}Z`;
}

const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [FLOAT4]: Number,
  [FLOAT8]: Number,
  [INT4]: Number,
  // Counts; far below 2^53.
  [INT8]: Number,
  [BOOL]: (text) => text === "t",
  [TIMESTAMPTZ]: rfc3339,
};
/** For pg; what is of no type above stays text. */
export const TYPES = { getTypeParser: (oid: number) => PARSERS[oid] ?? ((text: string) => text) };
